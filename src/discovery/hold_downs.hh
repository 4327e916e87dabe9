#pragma once
/// Relays that are not to be chosen for a while (RFC 8777 §3.3.4.1, §3.3.5).

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "base/random.hh"

namespace amt {

/// The purpose for which a relay is sought: one source's traffic, or (none) groups that take any source.
using WantedSource = std::optional<IpAddress>;

/// Bounded: when full, the one that ends first is forgotten. Not thread-safe.
class HoldDowns {
 public:
  static constexpr std::size_t kHoldsMax = 1024;
  /// After the L flag: "approximately a 10-minute hold-down" (D-3.3.5-b).
  static constexpr Duration kAfterLimit = std::chrono::minutes(10);
  /// After a relay that delivered nothing: "no less than 3 minutes and no more than 10 minutes" (D-3.3.4.1-b); random,
  /// so that gateways that left together do not come back together.
  static constexpr Duration kAfterNoTrafficMin = std::chrono::minutes(3);
  static constexpr Duration kAfterNoTrafficMax = std::chrono::minutes(10);

  void hold_after_limit(Instant now, const IpAddress& relay);
  /// Concerns that source alone: a silent channel says nothing about the relay's other channels (D-3.3.7-a).
  void hold_after_no_traffic(Instant now, const IpAddress& relay, const WantedSource& source, Random& random);

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.refusing_, self.fruitless_);
    if constexpr (Io::kReads) {
      if (std::max(self.refusing_.size(), self.fruitless_.size()) > kHoldsMax) io.fail();
    }
  }

  /// It takes no new gateways.
  [[nodiscard]] bool is_refusing(Instant now, const IpAddress& relay) const;
  /// It delivered nothing of `source`.
  [[nodiscard]] bool is_fruitless(Instant now, const IpAddress& relay, const WantedSource& source) const;

 private:
  template <typename Key>
  static void hold(std::map<Key, Instant>& holds, Instant now, const Key& key, Instant until);

  std::map<IpAddress, Instant> refusing_;
  std::map<std::pair<IpAddress, WantedSource>, Instant> fruitless_;
};

}  // namespace amt
