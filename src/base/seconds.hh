#pragma once
/// Durations as numbers for reports.

#include "amt/time.hh"

namespace amt {

[[nodiscard]] constexpr double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace amt
