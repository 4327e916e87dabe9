#pragma once
/// When to read on after a batch of multicast (DESIGN, "Data plane": adaptive waiting).

#include <algorithm>
#include <cstdint>
#include <optional>

#include "amt/time.hh"

namespace amt {

/// Packets of one channel that leave together cost less each, so a worker that cannot keep up lets some gather. It has
/// proof of that when packets came while it was sending: then it rests as long as it worked, at most `delay_max`. At
/// light load nothing waits.
class BatchPace {
 public:
  /// A shorter rest costs more than the packets that gather in it save.
  static constexpr Duration kRestMin = std::chrono::microseconds(100);
  /// With this many packets a batch is large enough.
  static constexpr std::size_t kEnough = 64;

  /// `delay_max`: zero never rests.
  explicit BatchPace(Duration delay_max) : delay_max_(delay_max) {}

  enum class Next : std::uint8_t {
    kWhenReadable,  ///< nothing waits
    kAtOnce,
    kAfterRest,
  };
  /// `waiting(n)`: whether at least `n` packets wait.
  template <typename F>
  [[nodiscard]] Next next(F&& waiting) const {
    if (!waiting(1)) return Next::kWhenReadable;
    return delay_max_ == Duration::zero() || waiting(kEnough) ? Next::kAtOnce : Next::kAfterRest;
  }
  /// `busy`: how long the batch took.
  [[nodiscard]] Duration rest(Duration busy) const { return std::min(std::max(busy, kRestMin), delay_max_); }

 private:
  Duration delay_max_;
};

}  // namespace amt
