#pragma once
/// Time as a value. Everything that decides takes `Instant now` as an argument.

#include <chrono>

namespace amt {

using Duration = std::chrono::nanoseconds;

/// The clock that `Instant` belongs to. It has no `now()`: reading the time is for the room `sys`
/// (CLOCK_MONOTONIC), so a state machine that tried to would not compile.
struct Clock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
};

using Instant = Clock::time_point;

/// "No deadline".
inline constexpr Instant kNoDeadline = Instant::max();

}  // namespace amt
