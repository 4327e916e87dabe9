#include "sys/clock.hh"

#include <ctime>

namespace amt {

Instant monotonic_now() {
  timespec now{};
  // Cannot fail: the clock exists on every Linux and the pointer is good.
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Instant(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

WallTime wall_now() { return std::chrono::system_clock::now(); }  // allow: this is sys/clock

Duration process_cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace amt
