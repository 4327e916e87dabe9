/// AMTRELAY records and domain names: what parses writes back to the same octets, and its text to the same record.

#include <algorithm>

#include "allocations.hh"
#include "discovery/amtrelay.hh"
#include "fuzz_target.hh"

namespace amt {
namespace {

/// A name is kept twice, and copied on its way.
constexpr fuzz::ParserBound kParseBound{2048, 32};

void check_record(Bytes rdata) {
  const auto record = fuzz::within(kParseBound, rdata.size(), [&] { return AmtRelay::parse(rdata); });
  if (!record) return;
  AMT_ASSERT(std::ranges::equal(record->rdata(), rdata));
  AMT_ASSERT(AmtRelay::parse_text(record->to_string()) == record);
  AMT_ASSERT(AmtRelay::parse_text(record->to_unknown_type_string()) == record);
}

void check_text(std::string_view text) {
  const auto parsed = fuzz::within(kParseBound, text.size(), [&] { return AmtRelay::parse_text(text); });
  if (const auto& record = parsed) AMT_ASSERT(AmtRelay::parse(record->rdata()) == record);
  if (const auto name = DomainName::parse(text)) {
    AMT_ASSERT(DomainName::parse(name->to_string()) == name);
    AMT_ASSERT(DomainName::from_wire(name->wire()) == name);
  }
}

}  // namespace
}  // namespace amt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amt::Bytes input = amt::fuzz::input(data, size);
  amt::check_record(input);
  amt::check_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
