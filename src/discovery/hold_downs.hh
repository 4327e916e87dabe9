#pragma once
/// Relays that are not to be chosen for a while (RFC 8777 §3.3.4.1, §3.3.5).

#include <map>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "base/random.hh"

namespace amt {

/// Bounded: when full, the one that ends first is forgotten. Not thread-safe.
class HoldDowns {
 public:
  static constexpr std::size_t kRelaysMax = 1024;
  /// After the L flag: "approximately a 10-minute hold-down" (D-3.3.5-b).
  static constexpr Duration kAfterLimit = std::chrono::minutes(10);
  /// After a relay that delivered nothing: "no less than 3 minutes and no more than 10 minutes" (D-3.3.4.1-b); random,
  /// so that those who left together do not come back together.
  static constexpr Duration kAfterNoTrafficMin = std::chrono::minutes(3);
  static constexpr Duration kAfterNoTrafficMax = std::chrono::minutes(10);

  void hold_after_limit(Instant now, const IpAddress& relay);
  void hold_after_no_traffic(Instant now, const IpAddress& relay, Random& random);

  [[nodiscard]] bool is_held(Instant now, const IpAddress& relay) const;
  /// When the next hold-down ends, `kNoDeadline` when there is none.
  [[nodiscard]] Instant next_end() const;

 private:
  /// Never shortens a hold-down.
  void hold(Instant now, const IpAddress& relay, Instant until);

  std::map<IpAddress, Instant> until_;
};

}  // namespace amt
