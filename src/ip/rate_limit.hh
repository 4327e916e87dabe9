#pragma once
/// How often one source may ask (X-4.1-a, R-6.1-a).

#include <array>
#include <cstdint>
#include <vector>

#include "amt/time.hh"
#include "base/brief_lock.hh"
#include "base/keyed_hash.hh"
#include "ip/address.hh"

namespace amt {

/// A time's worth of tokens, one second's unless another is named, kept as the time at which it will be full again
/// (GCRA): the later, the emptier.
class TokenBucket {
 public:
  TokenBucket() = default;
  /// Full.
  explicit TokenBucket(Instant now) : full_at_(now) {}

  static constexpr Duration kDepth = std::chrono::seconds(1);
  /// `interval`: between two events at the limit. False: over the limit; the event counts for nothing.
  [[nodiscard]] bool take(Instant now, Duration interval, Duration depth = kDepth);
  /// Whether `take` would have it.
  [[nodiscard]] bool has(Instant now, Duration interval, Duration depth = kDepth) const;
  [[nodiscard]] Instant full_at() const { return full_at_; }

 private:
  Instant full_at_ = Instant::min();
};

/// The part of an address that stands for one subscriber: all of IPv4, the /64 of IPv6.
[[nodiscard]] Prefix subscriber_of(const IpAddress& address);

/// Token buckets per source prefix (/32 of IPv4, /64 of IPv6), one second's worth deep, in a table of fixed size. All
/// workers of a relay share one: any thread may ask.
///
/// When the table is full the source that has been quiet longest is forgotten, and a forgotten source starts again with
/// a full bucket. So a flood from random, forged addresses can weaken the limit, but it refuses no other source. A
/// flood from one address is held to the limit.
class RateLimiter {
 public:
  /// `per_second` 0: everything is allowed and there is no table. `prefixes_max`: sources that are distinguished, at
  /// least 1. The table is allocated at once.
  RateLimiter(std::uint32_t per_second, const KeyedHash& hash, std::size_t prefixes_max = kPrefixes);
  static constexpr std::size_t kPrefixes = 4096;

  /// One event from `source` that is worth `cost` tokens, at most a bucket full. False: over the limit; the event
  /// counts for nothing.
  [[nodiscard]] bool allow(Instant now, const IpAddress& source, std::size_t cost = 1);
  /// From now on.
  void set_limit(std::uint32_t per_second);

 private:
  struct Bucket {
    std::uint64_t tag = 0;
    TokenBucket tokens;
    [[nodiscard]] Instant full_at() const { return tokens.full_at(); }
  };
  static constexpr std::size_t kWays = 4;
  using Set = std::array<Bucket, kWays>;

  KeyedHash hash_;
  BriefLock lock_;
  /// Between two events at the limit.
  Duration interval_{};
  std::size_t per_second_ = 0;
  std::size_t sets_count_;
  std::vector<Set> sets_;
};

}  // namespace amt
