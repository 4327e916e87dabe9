#include "engine/relay/fan_out_fixture.hh"

namespace amt {
namespace {

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

TEST_F(FanOutTest, LeavesAHopLimitAloneThatARouterHasLowered) {  // X-4.6-d
  join(kGroup, {FilterMode::kInclude, {kSource}});
  const std::vector<Octets> sent = {datagram(kSource, kGroup, 100, 1, 1), datagram(kSource, kGroup, 100, 2, 8)};
  replicate(sent, HopLimit::kKeep);
  EXPECT_EQ(received(), sent);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataHopLimitExceeded], 0U);
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
  FanOut capped(relay_, sockets_, back_end_, random_, {}, nullptr, cap);
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
  FanOut capped(relay_, sockets_, back_end_, random_, {}, nullptr, cap);
  const Octets inner = datagram(kSource, kGroup, 1300, 1);
  const std::vector<Octets> datagrams(60, inner);
  replicate(datagrams, HopLimit::kKeep, &capped);
  EXPECT_EQ(received().size(), 48U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTotalRate], 12U);
}

}  // namespace
}  // namespace amt
