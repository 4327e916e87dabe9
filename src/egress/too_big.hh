#pragma once
/// Tells sources that their datagrams are too big for a tunnel (RFC 7450 §5.3.3.6.2).

#include <functional>

#include "ip/address.hh"
#include "ip/datagram.hh"
#include "ip/rate_limit.hh"

namespace amt {

/// Hears of datagrams that did not fit.
class TooBigListener {
 public:
  TooBigListener() = default;
  TooBigListener(const TooBigListener&) = delete;
  TooBigListener& operator=(const TooBigListener&) = delete;
  virtual ~TooBigListener() = default;

  /// A datagram was dropped. `inner_octets_max`: the smallest Tunnel MTU of the tunnels that it was to go through.
  virtual void report(Instant now, Bytes datagram, std::size_t inner_octets_max) = 0;
};

/// Decides whether a source gets an ICMP error, and which; knows neither tunnels nor sockets. Not thread-safe.
class TooBigReporter final : public TooBigListener {
 public:
  /// RFC 4443 §2.4 f (X-4.6-c). Once is enough for a source that listens; a tenth of a second later it has not
  /// listened.
  static constexpr std::uint32_t kPerSourcePerSecondMax = 10;
  static constexpr std::uint32_t kPerSecondMax = 100;

  /// Sends an ICMP message, as `write_too_big` gives it, to a source. False: that was not possible.
  using Send = std::function<bool(const IpAddress& source, Bytes message)>;

  /// Whether the source of a source-specific group got an ICMP error for a datagram.
  using CountOutcome = std::function<void(bool is_reported)>;

  TooBigReporter(SsmRange ssm, Random& random, Send send, CountOutcome count_outcome);

  /// Only sources of source-specific groups get ICMP errors (S-g).
  void report(Instant now, Bytes datagram, std::size_t inner_octets_max) override;

 private:
  SsmRange ssm_;
  RateLimiter per_source_;
  TokenBucket in_all_;
  Send send_;
  CountOutcome count_outcome_;
};

}  // namespace amt
