#pragma once
/// Answers of the DNS in the form that the pure rooms take. Room `io` asks.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace amt {

enum class DnssecState : std::uint8_t {
  kSecure,     ///< signed and valid
  kInsecure,   ///< the zone is not signed
  kBogus,      ///< signed, and wrong: the answer was thrown away
  kUnchecked,  ///< not checked: switched off, or the resolver hands on no signatures
};
[[nodiscard]] std::string_view to_string(DnssecState state);

struct DnsAnswer {
  /// Each record's data; empty: see `problem`.
  std::vector<std::vector<std::byte>> records;
  DnssecState dnssec = DnssecState::kUnchecked;
  /// Why there are no records: "no such name", "no record of this type", "server failure", ... Empty: there are some.
  std::string problem;
  /// There certainly is none: the name or the type does not exist.
  bool denied = false;
  std::uint32_t ttl_seconds = 0;
  /// Where CNAMEs led, when they did.
  std::string canonical_name;
};

}  // namespace amt
