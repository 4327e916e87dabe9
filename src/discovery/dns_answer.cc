#include "discovery/dns_answer.hh"

namespace amt {

std::string_view to_string(DnssecState state) {
  switch (state) {
    case DnssecState::kSecure:
      return "secure";
    case DnssecState::kInsecure:
      return "insecure";
    case DnssecState::kBogus:
      return "bogus";
    case DnssecState::kUnchecked:
      break;
  }
  return "unchecked";
}

}  // namespace amt
