#pragma once
/// Probes the path to a gateway to check the claim of an ICMP message.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "io/udp_socket.hh"
#include "ip/rate_limit.hh"
#include "relay/relay.hh"

namespace amt {

/// An ICMP error can be forged by anyone. A viewer of the same channel can even quote the relay's datagram to the last
/// octet. So no claim is believed: it makes the relay send the gateway a probe, a message that no outsider can guess,
/// and only an ICMP error that quotes this probe counts. Only routers on the path have seen the probe.
///
/// A probe has the form of a Membership Query that answers no Request and has no datagram inside. RFC 7450 §5.2.3.5.4:
/// a gateway "MUST ignore a Membership Query message" if it is not waiting for one, if the Request Nonce is not the one
/// of its Request, or if the datagram inside is no General Query.
///
///      0                   1                   2                   3
///     |  V=0  |Type=4 | Reserved  |L|G|         MAC (48 bits)        ...
///     |              ...              |      Request Nonce: seconds
///      ...                            |  zeros up to the wanted size
///
/// The MAC covers the endpoint and the time, so the relay keeps no state of a probe. Its key is not the key of Response
/// MACs. Not thread-safe.
class PathProbes {
 public:
  /// Gateways that are asked at the same time; a claim about one more takes the place of one drawn by lot. So an
  /// attacker cannot hold all entries by repeated claims, and a true claim comes again.
  static constexpr std::size_t kAskedMax = 256;
  /// A gateway is probed for this long after the last claim. ICMP errors are limited in rate, by Linux to one a second:
  /// probes have to stand before the data when the next one is allowed.
  static constexpr Duration kAskFor = std::chrono::seconds(3);
  /// How old a probe may be when its answer comes.
  static constexpr Duration kAnswerWithin = std::chrono::seconds(5);
  /// Of all probes together. Claims cost their forger less than the probes cost the relay.
  static constexpr std::uint32_t kOctetsPerSecondMax = 250'000;
  /// The largest outer datagram that asks; a claim above it is not followed up.
  static constexpr std::size_t kOuterOctetsMax = 9216;

  /// `random`: for the key and for the lots; it outlives this object.
  explicit PathProbes(Random& random);

  /// `gateway` is to be asked with outer datagrams of this size; 0 for the smallest.
  void ask(Instant now, const Endpoint& gateway, std::size_t outer_octets);
  /// It has answered.
  void settle(const Endpoint& gateway);
  [[nodiscard]] bool is_asking() const { return !asked_.empty(); }
  /// Calls `send` with each probe that is due; its pieces are valid during the call. False: the gateway has no tunnel
  /// any more.
  using Send = std::function<bool(const Endpoint& gateway, std::span<const Bytes> pieces)>;
  void send_due(Instant now, const Send& send);
  /// Whether this ICMP error quotes a probe that was sent to the gateway that it speaks of.
  [[nodiscard]] bool is_answer(Instant now, const SocketError& error) const;

 private:
  struct Asked {
    Endpoint gateway;
    std::size_t outer_octets = 0;
    Instant until{};
    Instant next{};
  };
  [[nodiscard]] wire::ResponseMac mac_of(const Endpoint& gateway, std::uint32_t second) const;
  [[nodiscard]] std::uint32_t second_of(Instant now) const;

  Random& random_;
  RelaySecret key_;
  std::vector<Asked> asked_;
  TokenBucket octets_;
};

}  // namespace amt
