#pragma once
/// A relay with any number of tunnels, and gateways that come to it, all their messages made beforehand.

#include <vector>

#include "base/random.hh"
#include "membership/handmade_datagrams.hh"
#include "relay/relay.hh"

namespace amt {

using relay_test::Grant;
using relay_test::Octets;

/// A gateway that comes and goes.
struct Visitor {
  TunnelEndpoint endpoint;
  Octets join;
  Octets refresh;
  /// Under another nonce, so that the relay computes the MAC anew, as it does for a gateway that asks anew.
  Octets refresh_anew;
  Octets leave;
};

class CrowdedRelay {
 public:
  /// Which channel the `i`-th tunnel wants: one of so many.
  CrowdedRelay(std::uint32_t tunnels, std::uint32_t channels) : channels_(channels), relay_(options(), random_, now_) {
    drain();
    for (std::uint32_t i = 0; i < tunnels; ++i) {
      take(resident(i), relay_test::update(ask(resident(i), i + (1U << 16)), report(relay_test::kAllow, i)));
    }
    AMT_ASSERT(relay_.tunnel_count() == tunnels);
  }

  /// The `i`-th tunnel's endpoint.
  static TunnelEndpoint resident(std::uint32_t i) { return {{IpAddress::from_v4(0x0a000000 + i), 40000}}; }

  /// An Update of the `i`-th tunnel that changes nothing, under a nonce of its own.
  Octets resident_refresh(std::uint32_t i, std::uint32_t nonce) {
    return relay_test::update(ask(resident(i), nonce), report(relay_test::kIsIn, i));
  }

  /// The `i`-th visitor wants the channel that the `channel`-th tunnel wants.
  Visitor make_visitor(std::uint32_t i, std::uint32_t channel) {
    const TunnelEndpoint endpoint{{IpAddress::from_v4(0x0b000000 + i), 40000}};
    const Grant first = ask(endpoint, 2 * i + (1U << 30));
    const Grant second = ask(endpoint, 2 * i + (1U << 30) + 1);
    return {endpoint, relay_test::update(first, report(relay_test::kAllow, channel)),
            relay_test::update(first, report(relay_test::kIsIn, channel)),
            relay_test::update(second, report(relay_test::kIsIn, channel)),
            relay_test::update(first, report(relay_test::kBlock, channel))};
  }

  void take(const TunnelEndpoint& from, Bytes datagram) {
    const auto taken = relay_.handle_datagram(now_, from, local_, datagram);
    AMT_ASSERT(taken.has_value());
    drain();
  }

  Relay& relay() { return relay_; }
  Instant& now() { return now_; }
  void drain() {
    for (;;) {
      const RelayOutput output = relay_.poll_output();
      if (const auto* transmit = std::get_if<RelayTransmit>(&output)) answer_ = transmit->datagram;
      if (std::holds_alternative<Deadline>(output)) break;
    }
    while (relay_.poll_upstream()) {
    }
  }

 private:
  static RelayOptions options() {
    RelayOptions out;
    out.advertise_v4 = IpAddress::from_v4(std::uint32_t{0xc0000264});
    constexpr std::size_t kUnlimited = 2'000'000;
    out.limits = {kUnlimited, kUnlimited, kUnlimited, kUnlimited, true};
    out.answers.queries_per_address_max = 0;
    out.updates_per_second_max = 0;
    return out;
  }
  [[nodiscard]] Octets report(int record_type, std::uint32_t channel) const {
    const IpAddress source = IpAddress::from_v4(std::uint32_t{0xc633640a});
    return relay_test::report({{record_type, IpAddress::from_v4(0xe8000001 + channel % channels_), {source}}});
  }
  Grant ask(const TunnelEndpoint& from, std::uint32_t nonce) {
    take(from, relay_test::request(nonce));
    AMT_ASSERT(answer_.size() >= 8);
    return {Octets(answer_.begin() + 2, answer_.begin() + 8), nonce};
  }

  std::uint32_t channels_;
  SeededRandom random_{1};
  Instant now_ = Instant() + std::chrono::hours(1);
  LocalAddress local_ = relay_test::local("192.0.2.100");
  Relay relay_;
  ControlDatagram answer_;
};

}  // namespace amt
