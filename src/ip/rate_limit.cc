#include "ip/rate_limit.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

/// One address of IPv4. In IPv6 the prefix that one line has.
constexpr std::uint8_t kSubscriberBitsV4 = 32;
constexpr std::uint8_t kSubscriberBitsV6 = 64;

}  // namespace

Prefix subscriber_of(const IpAddress& address) {
  if (address.is_v4()) return {address, kSubscriberBitsV4};
  return {base_address({address, kSubscriberBitsV6}), kSubscriberBitsV6};
}

bool TokenBucket::has(Instant now, Duration interval, Duration depth) const {
  return std::max(full_at_, now) + interval - now <= depth;
}

bool TokenBucket::take(Instant now, Duration interval, Duration depth) {
  if (!has(now, interval, depth)) return false;
  full_at_ = std::max(full_at_, now) + interval;
  return true;
}

RateLimiter::RateLimiter(std::uint32_t per_second, const KeyedHash& hash, std::size_t prefixes_max)
    : hash_(hash), sets_count_((prefixes_max + kWays - 1) / kWays) {
  AMT_ASSERT(prefixes_max > 0);
  set_limit(per_second);
}

void RateLimiter::set_limit(std::uint32_t per_second) {
  const BriefLockGuard guard(lock_);
  per_second_ = per_second;
  interval_ = per_second == 0 ? Duration::zero() : TokenBucket::kDepth / per_second;
  sets_.resize(per_second == 0 ? 0 : sets_count_);
}

bool RateLimiter::allow(Instant now, const IpAddress& source, std::size_t cost) {
  const BriefLockGuard guard(lock_);
  if (sets_.empty()) return true;
  const std::uint64_t tag = hash_(subscriber_of(source).address);
  // The low bits choose the set; the whole is compared.
  Set& set = sets_[tag % sets_.size()];
  auto bucket = std::ranges::find(set, tag, &Bucket::tag);
  if (bucket == set.end()) {
    bucket = std::ranges::min_element(set, {}, &Bucket::full_at);
    *bucket = {tag, TokenBucket(now)};
  }
  const auto tokens = static_cast<Duration::rep>(std::min(cost, per_second_));
  return bucket->tokens.take(now, tokens * interval_);
}

}  // namespace amt
