#pragma once
/// CPU time of this process: what other users of the machine disturb least.

#include <ctime>

#include "amt/time.hh"

namespace amt {

inline Duration cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace amt
