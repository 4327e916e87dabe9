#include "egress/rate_cap.hh"

#include <algorithm>
#include <cmath>

namespace amt {
namespace {

constexpr Duration kDepth = std::chrono::milliseconds(100);
/// An IPv6 datagram of the largest size.
constexpr std::size_t kOctetsMax = 65'575;

}  // namespace

BitRate::BitRate(std::uint64_t bits_per_second)
    : nanoseconds_per_octet_(8e9 / static_cast<double>(bits_per_second)),
      depth_(std::max(kDepth, time_of(kOctetsMax))) {}

Duration BitRate::time_of(std::size_t octets) const {
  return Duration(std::llround(static_cast<double>(octets) * nanoseconds_per_octet_));
}

bool TotalRateCap::take(Instant now, std::size_t octets) {
  // As `TokenBucket`, for several threads.
  const Duration::rep at = now.time_since_epoch().count();
  const Duration::rep cost = rate_.time_of(octets).count();
  Duration::rep before = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const Duration::rep after = std::max(before, at) + cost;
    if (after - at > rate_.depth().count()) return false;
    if (full_at_.compare_exchange_weak(before, after, std::memory_order_relaxed)) return true;
  }
}

RateCap::RateCap(const RateCapOptions& options) : total_(options.total) {
  if (options.tunnel_bits_per_second) tunnel_.emplace(*options.tunnel_bits_per_second);
}

RateCap::Verdict RateCap::admit(Instant now, TunnelId tunnel, std::size_t octets) {
  TokenBucket* tokens = nullptr;
  TokenBucket before;
  if (tunnel_) {
    const auto index = static_cast<std::size_t>(tunnel);
    if (index >= tokens_.size()) tokens_.resize(index + 1);
    tokens = &tokens_[index];
    before = *tokens;
    if (!tokens->take(now, tunnel_->time_of(octets), tunnel_->depth())) return Verdict::kTunnelFull;
  }
  if (total_ && !total_->take(now, octets)) {
    if (tokens != nullptr) *tokens = before;
    return Verdict::kTotalFull;
  }
  return Verdict::kGo;
}

}  // namespace amt
