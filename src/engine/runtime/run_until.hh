#pragma once
/// For tests: an event loop that runs until something has happened.

#include <optional>

#include "engine/runtime/event_loop.hh"
#include "sys/clock.hh"

namespace amt::test {

/// So long a machine may be busy with other things.
inline constexpr Duration kPatience = std::chrono::seconds(60);

/// Asks `condition` every few milliseconds, and once more at the end. False: it did not come true.
template <typename Condition>
bool run_until(EventLoop& loop, Condition condition) {
  const Instant end = monotonic_now() + kPatience;
  std::optional<Timer> look;
  look.emplace(loop, [&] {
    if (condition() || monotonic_now() > end) return loop.stop();
    look->set(monotonic_now() + std::chrono::milliseconds(2));
  });
  look->set(monotonic_now());
  loop.run();
  return condition();
}

}  // namespace amt::test
