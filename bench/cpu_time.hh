#pragma once
/// CPU time of this process, which other users of the machine disturb least; and keeping a pace.

#include <ctime>

#include "amt/time.hh"

namespace amt {

inline Duration cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

inline void sleep_until(Instant at) {
  const Duration since_start = at.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_start);
  const timespec time{seconds.count(), (since_start - seconds).count()};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

}  // namespace amt
