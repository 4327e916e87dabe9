#pragma once
/// The random exponential back-off that RFC 7450 and RFC 8777 share.

#include <cstdint>

#include "amt/time.hh"
#include "base/random.hh"

namespace amt {

/// Uniform in [initial, MIN(initial * 2^retry_count, max)] (RFC 7450 §5.2.3.4.3, §5.2.3.5.3; RFC 8777 §3.3.4.1, §3.5).
/// `retry_count` from 0; draws from `random` only when there is something to choose.
[[nodiscard]] Duration random_backoff(Random& random, Duration initial, Duration max, std::uint32_t retry_count);

}  // namespace amt
