#include "gateway/test_bench.hh"
#include "ip/checksum.hh"
#include "ip/udp.hh"
#include "wire/message.hh"

namespace amt::test {
namespace {

constexpr std::size_t kPayloadOctets = 100;

/// Two gateways get the same packets. To one they come one behind the other; the other has to judge each for itself,
/// since something happens before each.
class KnownFlowOf : public ::testing::TestWithParam<Family> {
 protected:
  KnownFlowOf() {
    for (Bench* bench : {&in_flow, &singly}) {
      EXPECT_TRUE(bench->set(group, include({source})));
      QueryText query;
      query.nonce = bench->last(kRequest).nonce();
      EXPECT_TRUE(bench->receive(v4() ? query.igmp() : query.mld()));
    }
  }

  static bool v4() { return GetParam() == Family::kIpv4; }
  static std::size_t udp_at() { return wire::kDataHeaderOctets + (v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets); }

  Octets packet(unsigned number, std::uint8_t traffic_class = 0, std::size_t payload_octets = kPayloadOctets) const {
    Octets payload(payload_octets);
    for (std::size_t i = 0; i < payload_octets; ++i) payload[i] = static_cast<std::byte>(number + i);
    HeaderFields header;
    header.source = address(source);
    header.destination = address(group);
    header.traffic_class = traffic_class;
    header.hop_limit = 8;
    header.identification = static_cast<std::uint16_t>(number);
    Octets message(payload_octets + udp_at() + kUdpHeaderOctets);
    std::copy(wire::kDataHeader.begin(), wire::kDataHeader.end(), message.begin());
    write_udp_datagram(MutableBytes(message).subspan(wire::kDataHeaderOctets), header, 4000, 5000, payload);
    return message;
  }

  static void mend_header_checksum(Octets& message) {
    if (!v4()) return;
    constexpr std::size_t kChecksumAt = wire::kDataHeaderOctets + 10;
    put_u16(message, kChecksumAt, 0);
    put_u16(message, kChecksumAt,
            internet_checksum(Bytes(message).subspan(wire::kDataHeaderOctets, kIpv4HeaderOctets)));
  }

  struct Judgement {
    std::optional<Octets> datagram;
    std::pair<IpAddress, IpAddress> addresses;
    std::pair<unsigned, unsigned> ports;
    Octets payload;
    std::optional<GatewayReject> reject;
    std::uint64_t received = 0;
    std::uint64_t octets = 0;
    std::uint64_t mismatches = 0;
    friend bool operator==(const Judgement&, const Judgement&) = default;
  };
  static Judgement judge(Bench& bench, const Octets& message, const Endpoint& from, Ecn outer, bool verify) {
    Octets copy = message;
    const auto got = bench.gateway.accept_data(bench.now, from, outer, copy, verify);
    Judgement judgement;
    if (got) {
      judgement.datagram = Octets(got->datagram.begin(), got->datagram.end());
      judgement.addresses = {got->source, got->destination};
      judgement.ports = {got->source_port, got->destination_port};
      judgement.payload = Octets(got->payload.begin(), got->payload.end());
    } else {
      judgement.reject = got.error();
    }
    judgement.received = bench.gateway.counters()[GatewayCounter::kDataReceived];
    judgement.octets = bench.gateway.counters()[GatewayCounter::kDataBytesReceived];
    judgement.mismatches = bench.gateway.counters()[GatewayCounter::kEcnMismatch];
    return judgement;
  }
  /// After `before`, which is accepted.
  void expect_same_judgement(const Octets& before, const Octets& message, const Endpoint& from = kRelay,
                             Ecn outer = Ecn::kNotEct, bool verify = true) {
    for (Bench* bench : {&in_flow, &singly}) {
      ASSERT_TRUE(judge(*bench, before, kRelay, Ecn::kNotEct, true).datagram);
    }
    singly.gateway.handle_timeout(singly.now);
    EXPECT_EQ(judge(in_flow, message, from, outer, verify), judge(singly, message, from, outer, verify));
  }

  const std::string source = v4() ? "198.51.100.12" : "2001:db8::12";
  const std::string group = v4() ? "232.1.2.3" : "ff3e::1:2:3";
  Bench in_flow;
  Bench singly;
};

TEST_P(KnownFlowOf, JudgesEachOctetAsIfThePacketCameAlone) {  // R-5.2.3.3-b,c,f, R-6.2-a, R-6.3-a
  const Octets first = packet(1);
  for (std::size_t at = 0; at < udp_at() + kUdpHeaderOctets + 3; ++at) {
    for (const unsigned bits : {0x01U, 0x02U, 0x10U, 0x40U, 0xffU}) {
      for (const bool verify : {true, false}) {
        SCOPED_TRACE(std::to_string(at) + " ^ " + std::to_string(bits));
        Octets message = packet(2);
        message[at] ^= static_cast<std::byte>(bits);
        expect_same_judgement(first, message, kRelay, Ecn::kNotEct, verify);
        mend_header_checksum(message);
        expect_same_judgement(first, message, kRelay, Ecn::kNotEct, verify);
      }
    }
  }
}

TEST_P(KnownFlowOf, TakesDatagramsWithoutChecksumAsEver) {  // R-5.2.3.3-d
  Octets without = packet(2);
  put_u16(without, udp_at() + kUdpChecksumAt, 0);
  expect_same_judgement(packet(1), without);
  expect_same_judgement(without, packet(3));
}

TEST_P(KnownFlowOf, GivesEachItsOwnOctets) {  // R-5.2.3.3-f
  for (unsigned number = 1; number < 10; ++number) {
    const Octets message = packet(number);
    const auto got = in_flow.data(message);
    ASSERT_TRUE(got);
    EXPECT_EQ(Octets(got->datagram.begin(), got->datagram.end()), Octets(message.begin() + 2, message.end()));
    EXPECT_EQ(Octets(got->payload.begin(), got->payload.end()),
              Octets(message.begin() + static_cast<std::ptrdiff_t>(udp_at() + kUdpHeaderOctets), message.end()));
    EXPECT_EQ(got->source_port, 4000);
    EXPECT_EQ(got->destination_port, 5000);
  }
  EXPECT_EQ(in_flow.gateway.counters()[GatewayCounter::kDataReceived], 9U);
}

TEST_P(KnownFlowOf, JudgesOtherLengthsAsIfThePacketCameAlone) {
  for (const std::size_t octets : {std::size_t{0}, kPayloadOctets - 1, kPayloadOctets + 1}) {
    expect_same_judgement(packet(1), packet(2, 0, octets));
    expect_same_judgement(packet(2, 0, octets), packet(1));
  }
  Octets surplus = packet(2);
  surplus.push_back(std::byte{1});
  expect_same_judgement(packet(1), surplus);
  expect_same_judgement(surplus, surplus);
  Octets truncated = packet(2);
  truncated.pop_back();
  expect_same_judgement(packet(1), truncated);
  expect_same_judgement(packet(1), {});
}

TEST_P(KnownFlowOf, TakesNothingFromElsewhere) {  // R-5.2.3.3-b
  expect_same_judgement(packet(1), packet(2), kOtherRelay);
  expect_same_judgement(packet(1), packet(2), endpoint("192.0.2.9:2269"));
}

TEST_P(KnownFlowOf, CombinesEcnOfEach) {  // E-6040-b, E-6040-c
  for (const unsigned inner : {0U, 1U, 2U, 3U}) {
    for (const Ecn outer : {Ecn::kNotEct, Ecn::kEct0, Ecn::kEct1, Ecn::kCe}) {
      SCOPED_TRACE(std::to_string(inner) + " in " + std::to_string(static_cast<int>(outer)));
      const Octets first = packet(1, static_cast<std::uint8_t>(inner));
      expect_same_judgement(first, packet(2, static_cast<std::uint8_t>(inner)), kRelay, outer);
      // As the flow goes on, marked alike.
      singly.gateway.handle_timeout(singly.now);
      const Octets third = packet(3, static_cast<std::uint8_t>(inner));
      EXPECT_EQ(judge(in_flow, third, kRelay, outer, true), judge(singly, third, kRelay, outer, true));
    }
  }
}

/// Flows that come in turns are known, too, each as its own.
TEST_P(KnownFlowOf, KeepsInterleavedFlowsApart) {
  constexpr unsigned kFlows = 10;
  const auto port_of = [](unsigned flow) { return 5000 + flow; };
  for (unsigned number = 0; number < 5 * kFlows; ++number) {
    Octets message = packet(number);
    // The checksum goes with the port.
    put_u16(message, udp_at() + 2, port_of(number % kFlows));
    put_u16(message, udp_at() + kUdpChecksumAt, 0);
    const auto got = in_flow.data(message);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->destination_port, port_of(number % kFlows));
    EXPECT_EQ(Octets(got->datagram.begin(), got->datagram.end()), Octets(message.begin() + 2, message.end()));
  }
}

TEST_P(KnownFlowOf, EndsWithTheLeave) {  // R-5.2.3.3-a
  ASSERT_TRUE(in_flow.data(packet(1)));
  ASSERT_TRUE(in_flow.data(packet(2)));
  ASSERT_TRUE(in_flow.set(group, include({})));
  const auto got = in_flow.data(packet(3));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), GatewayReject::kDataNotWanted);
}

INSTANTIATE_TEST_SUITE_P(Families, KnownFlowOf, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) { return each.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace amt::test
