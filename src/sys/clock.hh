#pragma once
#include "amt/time.hh"

namespace amt {

/// CLOCK_MONOTONIC: the only place where `Instant`s come from.
[[nodiscard]] Instant monotonic_now();
/// The time of day, for people and other hosts. It may jump.
using WallTime = std::chrono::system_clock::time_point;
[[nodiscard]] WallTime wall_now();
/// The CPU time of this process so far, of all threads, with the kernel's share.
[[nodiscard]] Duration process_cpu_time();

}  // namespace amt
