#include "relay/rate_limit.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

/// What one subscriber line has in IPv6.
constexpr std::size_t kIpv6PrefixOctets = 8;

}  // namespace

IpAddress subscriber_prefix(const IpAddress& address) {
  if (address.is_v4()) return address;
  std::array<std::byte, 16> octets{};
  std::copy_n(address.mapped_octets().begin(), kIpv6PrefixOctets, octets.begin());
  return IpAddress::from_v6(octets);
}

bool TokenBucket::take(Instant now, Duration interval, Duration depth) {
  const Instant full_at = std::max(full_at_, now) + interval;
  if (full_at - now > depth) return false;
  full_at_ = full_at;
  return true;
}

RateLimiter::RateLimiter(std::uint32_t per_second, const KeyedHash& hash, std::size_t prefixes_max) : hash_(hash) {
  AMT_ASSERT(prefixes_max > 0);
  if (per_second == 0) return;
  interval_ = TokenBucket::kDepth / per_second;
  sets_.resize((prefixes_max + kWays - 1) / kWays);
}

bool RateLimiter::allow(Instant now, const IpAddress& source) {
  if (sets_.empty()) return true;
  const std::uint64_t tag = hash_(subscriber_prefix(source));
  // The low bits choose the set; the whole is compared.
  Set& set = sets_[tag % sets_.size()];
  auto bucket = std::ranges::find(set, tag, &Bucket::tag);
  if (bucket == set.end()) {
    bucket = std::ranges::min_element(set, {}, &Bucket::full_at);
    *bucket = {tag, TokenBucket(now)};
  }
  return bucket->tokens.take(now, interval_);
}

}  // namespace amt
