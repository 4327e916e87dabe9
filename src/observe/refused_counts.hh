#pragma once
/// Refusals for the event file.

#include <array>
#include <cstdint>
#include <vector>

#include "amt/time.hh"
#include "base/counters.hh"
#include "relay/relay_counters.hh"

namespace amt {

/// Turns reject counters into "refused" events: the first of a reason at once, more of it once a minute. The counts of
/// all events of a reason add up to its counter. Pure.
class RefusedCounts {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(1);

  struct Refused {
    RelayReject reason{};
    std::uint64_t count = 0;
  };
  /// Counts so far are not reported: another process has reported them.
  void begin(const Counters<RelayReject>& counters) { static_cast<void>(take_rest(counters)); }
  /// The events that are due at `now`, with the present counters.
  [[nodiscard]] std::vector<Refused> take(Instant now, const Counters<RelayReject>& counters);
  /// All counts that have not been reported yet.
  [[nodiscard]] std::vector<Refused> take_rest(const Counters<RelayReject>& counters);

 private:
  struct Entry {
    std::uint64_t told = 0;
    Instant quiet_until = Instant::min();
  };
  /// False: there is nothing more of this reason.
  bool take(std::size_t index, const Counters<RelayReject>& counters, std::vector<Refused>& out);

  std::array<Entry, Counters<RelayReject>::kSize> entries_{};
};

}  // namespace amt
