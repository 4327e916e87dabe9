#include "base/backoff.hh"

#include <algorithm>

namespace amt {

Duration random_backoff(Random& random, Duration initial, Duration max, std::uint32_t retry_count) {
  Duration high = initial;
  for (std::uint32_t k = 0; k < retry_count && high < max; ++k) high *= 2;
  high = std::min(high, max);
  return high > initial ? random.between(initial, high) : initial;
}

}  // namespace amt
