#include <ctime>

#include "sys/clock.hh"

namespace amt {

// In a file of its own: a test program that defines the function itself has a clock that tests set
// (engine/runtime/virtual_time.hh).
Instant monotonic_now() {
  timespec now{};
  // Cannot fail: the clock exists on every Linux and the pointer is good.
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace amt
