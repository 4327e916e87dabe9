#pragma once
/// Reports of refused addresses, for a log that a flood does not fill.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "amt/time.hh"
#include "base/brief_lock.hh"
#include "ip/address.hh"
#include "relay/relay_counters.hh"

namespace amt {

/// One refused request, for state or for an answer.
struct Refusal {
  RelayReject reason{};
  /// The address that asks for too much, or the prefix of several.
  Prefix whose;
};

/// Refusals of one reason, put together.
struct RefusalReport {
  RelayReject reason{};
  std::uint64_t count = 0;
  /// The address that was refused more often than all others together, if there is one; else any of them.
  Prefix whose;
};

/// Reports the first refusal of a reason at once, and those of the next minute together when it is over. Its size does
/// not depend on the refusals. Adding costs a constant. All workers of a relay share one: any thread may call it.
class RefusalLog {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(1);

  void add(Instant now, const Refusal& refusal);
  /// Makes reports of refusals that have waited long enough.
  void handle_timeout(Instant now);
  /// `kNoDeadline` when nothing waits.
  [[nodiscard]] Instant next_deadline() const { return next_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<RefusalReport> poll();

 private:
  struct Entry {
    Instant quiet_until = Instant::min();
    std::uint64_t count = 0;
    Prefix whose;
    /// How much oftener than all others (Boyer and Moore's majority vote).
    std::uint64_t lead = 0;
  };
  static constexpr std::size_t kReasons = static_cast<std::size_t>(RelayReject::kCount);

  void report(Instant now, std::size_t reason);
  void wait_until(Instant at);

  BriefLock lock_;
  std::array<Entry, kReasons> entries_{};
  std::atomic<Instant> next_ = kNoDeadline;
  /// At most one of a reason, while it is polled after each input.
  std::vector<RefusalReport> reports_;
};

/// The option that sets the limit behind a refusal; empty where none does.
[[nodiscard]] std::string_view option_behind(RelayReject reason);

}  // namespace amt
