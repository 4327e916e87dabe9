#pragma once
/// Percentiles of many durations, in fixed memory.

#include <array>
#include <bit>
#include <cstdint>

#include "amt/time.hh"

namespace amt {

/// Counts by size: steps of 1/32 of a power of two of nanoseconds, so a quantile is at most 3 % above the truth.
/// From 0 to 18 minutes; beyond that they count as 18 minutes.
class LatencyHistogram {
 public:
  void add(Duration latency);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The smallest duration that at least this part (0..1) of all is not above; 0 of none. Never above `max`.
  [[nodiscard]] Duration quantile(double part) const;
  [[nodiscard]] Duration max() const { return max_; }

 private:
  static constexpr unsigned kStepBits = 5;
  static constexpr unsigned kOctavesMax = 36;  // 2^40 ns are 18 minutes

  std::array<std::uint64_t, (kOctavesMax + 1) << kStepBits> steps_{};
  std::uint64_t count_ = 0;
  Duration max_{};
};

}  // namespace amt
