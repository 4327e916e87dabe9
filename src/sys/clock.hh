#pragma once
#include "amt/time.hh"

namespace amt {

/// CLOCK_MONOTONIC: the only place where `Instant`s come from.
[[nodiscard]] Instant monotonic_now();
/// The time of day, for what people and other hosts read. It may jump.
using WallTime = std::chrono::system_clock::time_point;
[[nodiscard]] WallTime wall_now();
/// What this process has used of the CPUs so far, all threads, the kernel's share included.
[[nodiscard]] Duration process_cpu_time();

}  // namespace amt
