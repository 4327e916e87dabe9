#pragma once
/// An upper bound on the rate at which a relay sends (R-4.1.4.2-a): AMT has no congestion control of its own (RFC 7450
/// §4.1.4.2).

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forward/replication_table.hh"
#include "ip/rate_limit.hh"

namespace amt {

/// Bits of outer IP datagrams a second. The burst is a tenth of a second's worth, or one datagram of the largest size,
/// so that such a datagram can pass at any rate.
class BitRate {
 public:
  explicit BitRate(std::uint64_t bits_per_second);
  [[nodiscard]] Duration time_of(std::size_t octets) const;
  [[nodiscard]] Duration depth() const { return depth_; }

 private:
  double nanoseconds_per_octet_;
  Duration depth_;
};

/// The one bucket of all workers. Thread-safe.
class TotalRateCap {
 public:
  explicit TotalRateCap(std::uint64_t bits_per_second) : rate_(bits_per_second) {}
  [[nodiscard]] bool take(Instant now, std::size_t octets);

 private:
  BitRate rate_;
  std::atomic<Duration::rep> full_at_ = 0;
};

struct RateCapOptions {
  /// To each gateway; none: no cap.
  std::optional<std::uint64_t> tunnel_bits_per_second{};
  /// To all together; null: no cap.
  std::shared_ptr<TotalRateCap> total{};
};

/// Owned by one worker, not thread-safe.
class RateCap {
 public:
  explicit RateCap(const RateCapOptions& options);

  [[nodiscard]] bool is_on() const { return tunnel_ || total_; }

  enum class Verdict : std::uint8_t { kGo, kTunnelFull, kTotalFull };
  /// One datagram of `octets`, outer headers included. A refused datagram uses up nothing.
  [[nodiscard]] Verdict admit(Instant now, TunnelId tunnel, std::size_t octets);

 private:
  std::optional<BitRate> tunnel_;
  std::shared_ptr<TotalRateCap> total_;
  /// By tunnel; grows as they come, and stays. A number that is given out anew inherits a tenth of a second at most.
  std::vector<TokenBucket> tokens_;
};

}  // namespace amt
