#include "engine/fan_out.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "gateway/gateway.hh"
#include "ip/checksum.hh"
#include "ip/fragment.hh"
#include "ip/icmp_error.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

const IpAddress kSource = *IpAddress::parse("198.51.100.10");
const IpAddress kOtherSource = *IpAddress::parse("198.51.100.11");
const IpAddress kGroup = *IpAddress::parse("232.1.1.1");
const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

Octets datagram(const IpAddress& source, const IpAddress& group, std::size_t payload_octets, std::uint8_t mark,
                std::uint8_t ttl = 8, Ecn ecn = Ecn::kNotEct) {
  Octets octets(kIpv4HeaderOctets + kUdpHeaderOctets + payload_octets);
  HeaderFields header;
  header.source = source;
  header.destination = group;
  header.protocol = kProtocolUdp;
  header.hop_limit = ttl;
  header.traffic_class = static_cast<std::uint8_t>(ecn);
  const Octets payload(payload_octets, std::byte{mark});
  octets.resize(write_udp_datagram(octets, header, 4000, 5000, payload));
  return octets;
}

/// A relay with one gateway on real loopback sockets; the handshake runs in memory.
class FanOutTest : public testing::Test {
 protected:
  FanOutTest()
      : relay_socket_(UdpSocket::bind({kLoopback, 0}, {}).value()),
        gateway_socket_(UdpSocket::bind({kLoopback, 0}, {}).value()),
        relay_(relay_options(), random_, now_),
        gateway_(gateway_options(), random_, now_),
        sockets_{&relay_socket_},
        too_big_(SsmRange(), random_, relay_.counters(),
                 [this](const IpAddress& source, Bytes message) {
                   told_.emplace_back(source, Octets(message.begin(), message.end()));
                   return true;
                 }),
        fan_out_(relay_, sockets_, {}, &too_big_) {}

  static RelayOptions relay_options() {
    RelayOptions options;
    options.advertise_v4 = kLoopback;
    return options;
  }
  GatewayOptions gateway_options() const {
    GatewayOptions options;
    options.candidates = {{RelayCandidate::Kind::kRelay, relay_socket_.local()}};
    options.relay_port = relay_socket_.local().port;
    return options;
  }

  void join(const IpAddress& group, const SourceFilter& filter) {
    ASSERT_TRUE(gateway_.set_membership(now_, group, filter));
    for (int round = 0; round < 8; ++round) {
      std::vector<ControlDatagram> to_relay;
      for (;;) {
        const GatewayOutput output = gateway_.poll_output();
        if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) to_relay.push_back(transmit->datagram);
        if (std::holds_alternative<GatewayDeadline>(output)) break;
      }
      for (const ControlDatagram& message : to_relay) {
        static_cast<void>(relay_.handle_datagram(now_, TunnelEndpoint{gateway_socket_.local()},
                                                 LocalAddress{relay_socket_.local()}, message));
      }
      for (;;) {
        const RelayOutput output = relay_.poll_output();
        if (const auto* transmit = std::get_if<RelayTransmit>(&output)) {
          static_cast<void>(gateway_.handle_control(now_, relay_socket_.local(), transmit->datagram));
        }
        if (std::holds_alternative<Deadline>(output)) break;
      }
    }
    ASSERT_EQ(relay_.tunnel_count(), 1U);
  }

  void replicate(const std::vector<Octets>& datagrams, HopLimit hop_limit = HopLimit::kLower, FanOut* by = nullptr) {
    std::vector<Octets> frames;
    for (const Octets& inner : datagrams) {
      Octets frame(kCaptureHeadroomOctets);
      frame.insert(frame.end(), inner.begin(), inner.end());
      frames.push_back(std::move(frame));
    }
    std::vector<CapturedDatagram> batch;
    for (Octets& frame : frames) batch.push_back({MutableBytes(frame).subspan(kCaptureHeadroomOctets)});
    (by != nullptr ? *by : fan_out_).replicate(now_, batch, hop_limit);
  }

  /// The inner datagrams that reached the gateway's socket, in order.
  std::vector<Octets> received() {
    std::vector<Octets> inner;
    ReceiveBatch batch;
    while (gateway_socket_.receive(batch).value() != 0) {
      for (const Received& message : batch.received()) {
        EXPECT_EQ(message.from, relay_socket_.local());
        message.for_each_datagram([&](Bytes octets) {
          const auto data = wire::MulticastData::parse(octets);
          ASSERT_TRUE(data);
          inner.emplace_back(data->datagram.begin(), data->datagram.end());
          ecn_.push_back(message.ecn);
        });
      }
    }
    return inner;
  }

  /// The same with DF=1.
  static Octets uncuttable(Octets octets) {
    octets[6] |= std::byte{0x40};
    octets[10] = octets[11] = std::byte{0};
    const std::uint16_t checksum = internet_checksum(Bytes(octets).first(kIpv4HeaderOctets));
    octets[10] = static_cast<std::byte>(checksum >> 8);
    octets[11] = static_cast<std::byte>(checksum & 0xff);
    return octets;
  }

  static Octets forwarded(Octets octets) {
    EXPECT_TRUE(decrement_hop_limit(octets));
    return octets;
  }

  Instant now_{};
  SeededRandom random_{1};
  UdpSocket relay_socket_;
  UdpSocket gateway_socket_;
  Relay relay_;
  Gateway gateway_;
  std::vector<UdpSocket*> sockets_;
  std::vector<std::pair<IpAddress, Octets>> told_;
  TooBigReporter too_big_;
  FanOut fan_out_;
  std::vector<Ecn> ecn_;
};

TEST_F(FanOutTest, KeepsOrderAndEveryOctetWhateverTheLengths) {  // R-5.1-a: each datagram that arrives is one message
  join(kGroup, {FilterMode::kInclude, {kSource}});
  // Equal, shorter (ends a run), longer, shorter, equal, empty: each change of length is a trap of UDP_SEGMENT.
  std::vector<Octets> sent;
  std::uint8_t mark = 0;
  for (const std::size_t length : {1316U, 1316U, 1316U, 200U, 1316U, 1316U, 700U, 700U, 1U, 0U, 0U, 1316U}) {
    sent.push_back(datagram(kSource, kGroup, length, ++mark));
  }
  replicate(sent);
  std::vector<Octets> expected;
  std::transform(sent.begin(), sent.end(), std::back_inserter(expected), forwarded);
  EXPECT_EQ(received(), expected);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataPacketsSent], sent.size());
}

TEST_F(FanOutTest, CarriesMoreThanOneMessageCanHold) {
  join(kGroup, {FilterMode::kInclude, {kSource}});
  std::vector<Octets> sent;
  for (int i = 0; i < 150; ++i) sent.push_back(datagram(kSource, kGroup, 1316, static_cast<std::uint8_t>(i)));
  replicate(sent);
  const std::vector<Octets> arrived = received();
  ASSERT_EQ(arrived.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(arrived[i], forwarded(sent[i])) << i;
}

TEST_F(FanOutTest, SendsNothingThatNobodyWants) {  // R-5.3.3.4-n
  join(kGroup, {FilterMode::kInclude, {kSource}});
  replicate({datagram(kOtherSource, kGroup, 100, 1), datagram(kSource, *IpAddress::parse("232.1.1.2"), 100, 2)});
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataPacketsNoListener], 2U);
}

TEST_F(FanOutTest, DoesNotForwardWhatHasNoHopsLeft) {  // X-4.6-d, X-10-11
  join(kGroup, {FilterMode::kInclude, {kSource}});
  replicate({datagram(kSource, kGroup, 100, 1, 1), datagram(kSource, kGroup, 100, 2, 2),
             datagram(kSource, kGroup, 100, 3, 0)});
  const std::vector<Octets> arrived = received();
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(DatagramView::parse(arrived[0])->hop_limit, 1);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataHopLimitExceeded], 2U);
}

TEST_F(FanOutTest, CopiesTheInnerEcnForAGatewayThatSetE) {  // E-6040-a, E-9601-f
  join(kGroup, {FilterMode::kInclude, {kSource}});
  replicate({datagram(kSource, kGroup, 100, 1, 8, Ecn::kEct0), datagram(kSource, kGroup, 100, 2, 8, Ecn::kCe),
             datagram(kSource, kGroup, 100, 3)});
  EXPECT_EQ(received().size(), 3U);
  EXPECT_EQ(ecn_, (std::vector{Ecn::kEct0, Ecn::kCe, Ecn::kNotEct}));
}

TEST_F(FanOutTest, TakesNoEcnFromADatagramThatMayNotBeForwarded) {  // E-9601-f
  join(kGroup, {FilterMode::kInclude, {kSource}});
  replicate({datagram(kSource, kGroup, 100, 1, 1, Ecn::kCe), datagram(kSource, kGroup, 100, 2)});
  EXPECT_EQ(received().size(), 1U);
  EXPECT_EQ(ecn_, (std::vector{Ecn::kNotEct}));
}

TEST_F(FanOutTest, FragmentsInsideWhatANarrowPathDoesNotTake) {  // R-5.3.3.6.2.1-b, X-4.6-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.note_path_mtu(now_, SocketError{{kLoopback, 0}, EMSGSIZE, 800});
  const std::vector<Octets> sent = {datagram(kSource, kGroup, 1316, 1), datagram(kSource, kGroup, 100, 2),
                                    datagram(kSource, kGroup, 742, 3), datagram(kSource, kGroup, 743, 4)};
  replicate(sent);
  Reassembler reassembler;
  std::vector<Octets> whole;
  std::size_t fragments = 0;
  for (const Octets& arrived : received()) {
    EXPECT_LE(arrived.size() + wire::kDataHeaderOctets + 28, 800U);
    const DatagramView view = DatagramView::parse(arrived).value();
    fragments += view.is_fragment() ? 1 : 0;
    if (const auto rebuilt = reassembler.add(now_, view)) whole.emplace_back(rebuilt->begin(), rebuilt->end());
  }
  EXPECT_EQ(fragments, 4U);
  std::vector<Octets> expected;
  std::transform(sent.begin(), sent.end(), std::back_inserter(expected), forwarded);
  EXPECT_EQ(whole, expected);
}

TEST_F(FanOutTest, LeavesAHopLimitAloneThatARouterHasLowered) {  // X-4.6-d
  join(kGroup, {FilterMode::kInclude, {kSource}});
  const std::vector<Octets> sent = {datagram(kSource, kGroup, 100, 1, 1), datagram(kSource, kGroup, 100, 2, 8)};
  replicate(sent, HopLimit::kKeep);
  EXPECT_EQ(received(), sent);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataHopLimitExceeded], 0U);
}

TEST_F(FanOutTest, DropsWhatMayNotBeFragmented) {  // R-5.3.3.6.2.1-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.note_path_mtu(now_, SocketError{{kLoopback, 0}, EMSGSIZE, 800});
  replicate({uncuttable(datagram(kSource, kGroup, 1316, 1))});
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTooBig], 1U);
}

TEST_F(FanOutTest, TellsTheSourceOnceForEachDatagramThatDoesNotFit) {  // R-5.3.3.6.2.1-a,c
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.note_path_mtu(now_, SocketError{{kLoopback, 0}, EMSGSIZE, 800});
  const Octets first = uncuttable(datagram(kSource, kGroup, 743, 1));
  const Octets second = uncuttable(datagram(kSource, kGroup, 1000, 2));
  replicate({uncuttable(datagram(kSource, kGroup, 742, 3)), first, datagram(kSource, kGroup, 1000, 4), second});
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0], std::pair(kSource, write_too_big(*DatagramView::parse(forwarded(first)), 770)));
  EXPECT_EQ(told_[1], std::pair(kSource, write_too_big(*DatagramView::parse(forwarded(second)), 770)));
  // Not again with the next batch.
  replicate({datagram(kSource, kGroup, 100, 5)});
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(FanOutTest, BelievesNoPathMtuOfAGatewayWithoutATunnel) {  // C-6936-4.10
  join(kGroup, {FilterMode::kInclude, {kSource}});
  const Endpoint other{gateway_socket_.local().address, static_cast<std::uint16_t>(gateway_socket_.local().port ^ 1)};
  fan_out_.note_path_mtu(now_, SocketError{other, EMSGSIZE, 800});
  replicate({uncuttable(datagram(kSource, kGroup, 1316, 1))});
  EXPECT_EQ(received().size(), 1U);
  fan_out_.note_path_mtu(now_, SocketError{gateway_socket_.local(), EMSGSIZE, 800});
  replicate({uncuttable(datagram(kSource, kGroup, 1316, 1))});
  EXPECT_EQ(received().size(), 0U);
}

TEST_F(FanOutTest, GivesFragmentsTheEcnOfTheWhole) {  // E-9601-g
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.note_path_mtu(now_, SocketError{{kLoopback, 0}, EMSGSIZE, 800});
  replicate({datagram(kSource, kGroup, 1316, 1, 8, Ecn::kEct1)});
  EXPECT_EQ(received().size(), 2U);
  EXPECT_EQ(ecn_, (std::vector{Ecn::kEct1, Ecn::kEct1}));
}

TEST_F(FanOutTest, CountsPerTunnelAndPerChannel) {
  join(kGroup, {FilterMode::kInclude, {kSource}});
  replicate({datagram(kSource, kGroup, 72, 1), datagram(kSource, kGroup, 72, 2)});
  relay_.for_each_tunnel([](const RelayTunnel& tunnel, const RouterState&, Instant) {
    EXPECT_EQ(tunnel.packets, 2U);
    EXPECT_EQ(tunnel.bytes, 200U);
  });
  relay_.for_each_channel([](const Relay::ChannelStatus& channel) {
    EXPECT_EQ(channel.channel, (Channel{kSource, kGroup}));
    EXPECT_EQ(channel.packets, 2U);
    EXPECT_EQ(channel.bytes, 200U);
  });
}

// R-4.1.4.2-a
TEST_F(FanOutTest, SendsATunnelNoMoreThanItsRateAndCountsTheRest) {
  join(kGroup, {FilterMode::kInclude, {kSource}});
  // 1358 octets each outside: at 800 kbit/s one every 13.58 ms, and 655.75 ms' worth at once.
  RateCapOptions cap;
  cap.tunnel_bits_per_second = 800'000;
  FanOut capped(relay_, sockets_, {}, nullptr, cap);
  const Octets inner = datagram(kSource, kGroup, 1300, 1);
  const std::vector<Octets> datagrams(60, inner);
  replicate(datagrams, HopLimit::kKeep, &capped);
  EXPECT_EQ(received().size(), 48U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataPacketsSent], 48U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataBytesSent], 48U * inner.size());
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTunnelRate], 12U);
  // No token: nothing. A message's worth later: one.
  replicate(datagrams, HopLimit::kKeep, &capped);
  EXPECT_EQ(received().size(), 0U);
  now_ += std::chrono::milliseconds(14);
  replicate(datagrams, HopLimit::kKeep, &capped);
  EXPECT_EQ(received().size(), 1U);
}

TEST_F(FanOutTest, SendsAllTunnelsTogetherNoMoreThanTheTotalRate) {
  join(kGroup, {FilterMode::kInclude, {kSource}});
  RateCapOptions cap;
  cap.total = std::make_shared<TotalRateCap>(800'000);
  FanOut capped(relay_, sockets_, {}, nullptr, cap);
  const Octets inner = datagram(kSource, kGroup, 1300, 1);
  const std::vector<Octets> datagrams(60, inner);
  replicate(datagrams, HopLimit::kKeep, &capped);
  EXPECT_EQ(received().size(), 48U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTotalRate], 12U);
}

}  // namespace
}  // namespace amt
