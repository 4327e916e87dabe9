#include "sys/clock.hh"

#include <ctime>

namespace amt {

WallTime wall_now() { return std::chrono::system_clock::now(); }  // allow: this is sys/clock

Duration process_cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace amt
