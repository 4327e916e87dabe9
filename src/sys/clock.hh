#pragma once
#include "amt/time.hh"

namespace amt {

/// CLOCK_MONOTONIC: the only place where `Instant`s come from.
[[nodiscard]] Instant monotonic_now();

}  // namespace amt
