/// What a data packet costs the gateway: one inner UDP datagram of seven MPEG-TS packets, checked and handed on.

#include <benchmark/benchmark.h>

#include <array>

#include "base/random.hh"
#include "gateway/gateway.hh"
#include "ip/udp.hh"
#include "relay/relay.hh"

namespace amt {
namespace {

const Endpoint kRelay{IpAddress::from_v4(std::uint32_t{0xc0000264}), kAmtPort};
const Endpoint kGateway{IpAddress::from_v4(std::uint32_t{0xc0000201}), 51000};
const IpAddress kSource = IpAddress::from_v4(std::uint32_t{0xc633640a});
const IpAddress kGroup = IpAddress::from_v4(std::uint32_t{0xe8010203});

/// A gateway that a relay has granted one channel.
class JoinedGateway {
 public:
  JoinedGateway() : relay_(relay_options(), random_, now), gateway(gateway_options(), random_, now) {
    const bool set = gateway.set_membership(now, kGroup, {FilterMode::kInclude, {kSource}});
    AMT_ASSERT(set);
    drain();
    AMT_ASSERT(!relay_.targets(kSource, kGroup).empty());
  }

  const Instant now = Instant() + std::chrono::hours(1);

 private:
  static RelayOptions relay_options() {
    RelayOptions out;
    out.advertise_v4 = kRelay.address;
    return out;
  }
  static GatewayOptions gateway_options() {
    GatewayOptions out;
    out.candidates.push_back({RelayCandidate::Kind::kRelay, kRelay});
    return out;
  }

  void drain() {
    for (;;) {
      const GatewayOutput output = gateway.poll_output();
      if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) answer(transmit->datagram);
      if (std::holds_alternative<GatewayDeadline>(output)) break;
    }
    // One input, then all its output: what the relay answered comes only now.
    const std::vector<ControlDatagram> queries = std::exchange(queries_, {});
    for (const ControlDatagram& query : queries) {
      const auto taken = gateway.handle_control(now, kRelay, query);
      AMT_ASSERT(taken.has_value());
      drain();
    }
  }
  void answer(const ControlDatagram& message) {
    const auto taken = relay_.handle_datagram(now, TunnelEndpoint{kGateway}, LocalAddress{kRelay}, message);
    AMT_ASSERT(taken.has_value());
    for (;;) {
      const RelayOutput output = relay_.poll_output();
      if (const auto* transmit = std::get_if<RelayTransmit>(&output)) queries_.push_back(transmit->datagram);
      if (std::holds_alternative<Deadline>(output)) return;
    }
  }

  SeededRandom random_{1};
  Relay relay_;
  std::vector<ControlDatagram> queries_;

 public:
  Gateway gateway;
};

void accept_data(benchmark::State& state) {
  JoinedGateway joined;
  const std::array<std::byte, 1316> payload{};
  std::array<std::byte, 1500> buffer{};
  std::copy(wire::kDataHeader.begin(), wire::kDataHeader.end(), buffer.begin());
  HeaderFields header;
  header.source = kSource;
  header.destination = kGroup;
  header.hop_limit = 8;
  const std::size_t inner =
      write_udp_datagram(MutableBytes(buffer).subspan(wire::kDataHeaderOctets), header, 5000, 5000, payload);
  const MutableBytes message = MutableBytes(buffer).first(wire::kDataHeaderOctets + inner);
  const bool verify_transport = state.range(0) != 0;
  for (auto _ : state) {
    auto accepted = joined.gateway.accept_data(joined.now, kRelay, Ecn::kNotEct, message, verify_transport);
    if (!accepted) state.SkipWithError("refused");
    benchmark::DoNotOptimize(accepted);
  }
}
BENCHMARK(accept_data)->ArgName("verify_checksum")->Arg(0)->Arg(1);

}  // namespace
}  // namespace amt
