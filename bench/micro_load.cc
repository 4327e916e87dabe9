/// The load generator's own cost (`amt bench`): what it takes beside the system calls must be small against the
/// relay's.

#include <benchmark/benchmark.h>

#include "base/random.hh"
#include "ip/udp.hh"
#include "load/fleet.hh"
#include "media/test_pattern.hh"
#include "relay/relay.hh"

namespace amt {
namespace {

constexpr std::size_t kGateways = 1000;
constexpr std::size_t kPayloadOctets = 1316;
const Channel kChannel{IpAddress::from_v4(0x0a010001), IpAddress::from_v4(0xe8010101)};
const LocalAddress kRelayAddress{{IpAddress::from_v4(0x0a020001), kAmtPort}};

TunnelEndpoint endpoint_of(std::size_t gateway) {
  return {{IpAddress::from_v4(0x0a020002), static_cast<std::uint16_t>(1024 + gateway)}};
}

/// A fleet and a relay without a network between them.
class Pair {
 public:
  explicit Pair(FleetTask task)
      : relay_(relay_options(), random_, now_),
        fleet_({.gateways = kGateways, .channels = {kChannel}, .task = task}, random_, now_) {}

  /// Everything that is under way gets there, and its answers are left under way.
  void exchange() {
    for (;;) {
      const FleetOutput output = fleet_.poll_output();
      const auto* transmit = std::get_if<FleetTransmit>(&output);
      if (transmit == nullptr) break;
      static_cast<void>(
          relay_.handle_datagram(now_, endpoint_of(transmit->gateway), kRelayAddress, transmit->datagram));
      for (;;) {
        const RelayOutput answer = relay_.poll_output();
        if (std::holds_alternative<Deadline>(answer)) break;
        if (const auto* query = std::get_if<RelayTransmit>(&answer)) {
          answers_.emplace_back(transmit->gateway, query->datagram);
        }
      }
    }
    for (const auto& [gateway, datagram] : answers_) fleet_.handle_datagram(now_, now_, gateway, datagram);
    answers_.clear();
  }
  Fleet& fleet() { return fleet_; }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  static RelayOptions relay_options() {
    RelayOptions options;
    options.limits.tunnels_per_address_max = kGateways;
    options.answers.queries_per_address_max = 0;
    options.updates_per_second_max = 0;
    return options;
  }
  SeededRandom random_{1};
  Instant now_ = Instant() + std::chrono::hours(1);
  Relay relay_;
  Fleet fleet_;
  std::vector<std::pair<std::size_t, ControlDatagram>> answers_;
};

/// Teardown, Request, Query, Update: both sides, without system calls.
void load_handshakes_with_relay(benchmark::State& state) {
  Pair pair(FleetTask::kHandshakes);
  for (auto _ : state) pair.exchange();
  state.counters["each"] = benchmark::Counter(static_cast<double>(pair.fleet().counters()[LoadCounter::kHandshakes]),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(load_handshakes_with_relay);

/// Request and Query: both sides.
void load_requests_with_relay(benchmark::State& state) {
  Pair pair(FleetTask::kRequests);
  for (auto _ : state) pair.exchange();
  state.counters["each"] =
      benchmark::Counter(static_cast<double>(pair.fleet().counters()[LoadCounter::kQueriesReceived]),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(load_requests_with_relay);

/// A numbered packet that a gateway receives.
void load_data(benchmark::State& state) {
  Pair pair(FleetTask::kStay);
  while (!pair.fleet().is_complete()) pair.exchange();
  pair.exchange();
  std::vector<std::byte> payload(kPayloadOctets);
  write_test_packet({1, 1, pair.now()}, payload);
  std::vector<std::byte> message(wire::kDataHeaderOctets + kPayloadOctets + 100);
  std::ranges::copy(wire::kDataHeader, message.begin());
  const HeaderFields header{
      .source = *kChannel.source, .destination = kChannel.group, .protocol = kProtocolUdp, .hop_limit = 9};
  message.resize(wire::kDataHeaderOctets + write_udp_datagram(MutableBytes(message).subspan(wire::kDataHeaderOctets),
                                                              header, 5000, 5001, payload));
  std::size_t gateway = 0;
  for (auto _ : state) {
    pair.fleet().handle_datagram(pair.now(), pair.now(), gateway, message);
    gateway = (gateway + 1) % kGateways;
  }
}
BENCHMARK(load_data);

}  // namespace
}  // namespace amt
