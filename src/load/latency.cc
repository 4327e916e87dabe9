#include "load/latency.hh"

#include <algorithm>
#include <cmath>

namespace amt {
namespace {

/// Below 2^bits every nanosecond has a step of its own; above, each octave has 2^bits steps.
std::size_t step_of(std::uint64_t nanoseconds, unsigned bits) {
  if (nanoseconds < std::uint64_t{1} << bits) return static_cast<std::size_t>(nanoseconds);
  const auto shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - bits;
  return static_cast<std::size_t>((std::uint64_t{shift} << bits) + (nanoseconds >> shift));
}

/// The largest value that falls into this step.
std::uint64_t top_of(std::size_t step, unsigned bits) {
  const std::size_t octave = step >> bits;
  if (octave == 0) return step;
  const auto shift = static_cast<unsigned>(octave - 1);
  return ((step - (std::uint64_t{shift} << bits) + 1) << shift) - 1;
}

}  // namespace

void LatencyHistogram::add(Duration latency) {
  latency = std::max(latency, Duration::zero());
  const std::size_t step = step_of(static_cast<std::uint64_t>(latency.count()), kStepBits);
  ++steps_[std::min(step, steps_.size() - 1)];
  ++count_;
  max_ = std::max(max_, latency);
}

Duration LatencyHistogram::quantile(double part) const {
  if (count_ == 0) return Duration::zero();
  const auto rank =
      std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_))), 1, count_);
  std::uint64_t below = 0;
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    below += steps_[step];
    if (below >= rank) return std::min(max_, Duration(static_cast<Duration::rep>(top_of(step, kStepBits))));
  }
  return max_;
}

}  // namespace amt
