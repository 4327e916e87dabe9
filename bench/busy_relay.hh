#pragma once
/// A relay with many tunnels, without sockets: what micro-benchmarks ask, and whose memory is measured.

#include <map>
#include <memory>
#include <vector>

#include "base/random.hh"
#include "cpu_time.hh"
#include "relay/handmade_datagrams.hh"
#include "relay/relay.hh"

namespace amt {

using relay_test::Grant;
using relay_test::Octets;

// One Update takes about as long as reading the clock, so as many are timed together.
inline constexpr int kTimedTogether = 256;
inline constexpr std::uint32_t kChannels = 1000;
inline const IpAddress kSource = IpAddress::from_v4(std::uint32_t{0xc633640a});

inline Octets report(int record_type, std::uint32_t channel) {
  return relay_test::report({{record_type, IpAddress::from_v4(0xe8000001 + channel % kChannels), {kSource}}});
}

/// A gateway that comes and goes, its messages made beforehand.
struct Visitor {
  TunnelEndpoint endpoint;
  Octets join;
  Octets refresh;
  /// Under another nonce, so that the relay computes the MAC anew, as it does for a gateway that asks anew.
  Octets refresh_anew;
  Octets leave;
};

class BusyRelay {
 public:
  explicit BusyRelay(std::uint32_t tunnels) : relay_(options(), random_, now_) {
    drain();
    for (std::uint32_t i = 0; i < tunnels; ++i) {
      const TunnelEndpoint endpoint{{IpAddress::from_v4(0x0a000000 + i), 40000}};
      take(endpoint, relay_test::update(ask(endpoint, i + (1U << 16)), report(relay_test::kAllow, i)));
    }
    AMT_ASSERT(relay_.tunnel_count() == tunnels);
    for (std::uint32_t i = 0; i < kTimedTogether; ++i) visitors_.push_back(make_visitor(i));
  }

  /// Built once for each size.
  static BusyRelay& with_tunnels(std::int64_t tunnels) {
    static std::map<std::int64_t, std::unique_ptr<BusyRelay>> built;
    std::unique_ptr<BusyRelay>& relay = built[tunnels];
    if (relay == nullptr) relay = std::make_unique<BusyRelay>(static_cast<std::uint32_t>(tunnels));
    return *relay;
  }

  void take(const TunnelEndpoint& from, Bytes datagram) {
    const auto taken = relay_.handle_datagram(now_, from, local_, datagram);
    AMT_ASSERT(taken.has_value());
    drain();
  }
  /// All visitors' messages of one kind. What CPU time that took.
  Duration take_all(Octets Visitor::*message) {
    const Duration start = cpu_time();
    for (const Visitor& visitor : visitors_) take(visitor.endpoint, visitor.*message);
    return cpu_time() - start;
  }

 private:
  static RelayOptions options() {
    RelayOptions out;
    out.advertise_v4 = IpAddress::from_v4(std::uint32_t{0xc0000264});
    out.tunnels_max = 2'000'000;
    out.requests_per_second_max = 0;
    out.updates_per_second_max = 0;
    return out;
  }

  Visitor make_visitor(std::uint32_t i) {
    const TunnelEndpoint endpoint{{IpAddress::from_v4(0x0b000000 + i), 40000}};
    const Grant first = ask(endpoint, 2 * i + (1U << 30));
    const Grant second = ask(endpoint, 2 * i + (1U << 30) + 1);
    return {endpoint, relay_test::update(first, report(relay_test::kAllow, i)),
            relay_test::update(first, report(relay_test::kIsIn, i)),
            relay_test::update(second, report(relay_test::kIsIn, i)),
            relay_test::update(first, report(relay_test::kBlock, i))};
  }

  Grant ask(const TunnelEndpoint& from, std::uint32_t nonce) {
    take(from, relay_test::request(nonce));
    AMT_ASSERT(answer_.size() >= 8);
    return {Octets(answer_.begin() + 2, answer_.begin() + 8), nonce};
  }
  void drain() {
    for (;;) {
      const RelayOutput output = relay_.poll_output();
      if (const auto* transmit = std::get_if<RelayTransmit>(&output)) answer_ = transmit->datagram;
      if (std::holds_alternative<Deadline>(output)) return;
    }
  }

  SeededRandom random_{1};
  Instant now_ = Instant() + std::chrono::hours(1);
  LocalAddress local_ = relay_test::local("192.0.2.100");
  Relay relay_;
  ControlDatagram answer_;
  std::vector<Visitor> visitors_;
};

}  // namespace amt
