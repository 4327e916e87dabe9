#include <algorithm>

#include "gateway/flow_watch.hh"
#include "gateway/test_bench.hh"
#include "ip/udp.hh"

namespace amt::test {
namespace {

/// A subscription whose data flows, ten packets a second.
class Flowing : public ::testing::Test {
 protected:
  Flowing() {
    EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
    EXPECT_TRUE(bench.answer_igmp());
    flow(50);
    bench.forget();
  }
  void flow(int packets, Duration apart = milliseconds(100)) {
    for (int i = 0; i < packets; ++i) {
      bench.run_for(apart);
      EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.3")));
    }
  }

  Bench bench;
};

/// Answers its Request, and sends it ten packets; when the last came.
Instant feed(Gateway& gateway, Instant now) {
  QueryText query;
  while (true) {
    const GatewayOutput output = gateway.poll_output();
    if (std::holds_alternative<GatewayDeadline>(output)) break;
    if (const auto* request = std::get_if<GatewayTransmit>(&output)) {
      query.nonce.assign(request->datagram.begin() + 4, request->datagram.begin() + 8);
    }
  }
  EXPECT_TRUE(gateway.handle_control(now, kRelay, query.igmp()));
  for (int i = 0; i < 10; ++i) {
    Octets packet = udp_data("198.51.100.12", "232.1.2.3");
    EXPECT_TRUE(gateway.accept_data(now += milliseconds(200), kRelay, Ecn::kNotEct, packet));
    // The report is repeated meanwhile.
    gateway.handle_timeout(now);
    while (!std::holds_alternative<GatewayDeadline>(gateway.poll_output())) {
    }
  }
  return now;
}

TEST_F(Flowing, PauseOfASecondIsAskedAbout) {  // R-5.2.3.5.4-k
  const Instant last = bench.now;
  bench.run_for(milliseconds(999));
  EXPECT_TRUE(bench.sent.empty());
  bench.run_for(milliseconds(1));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].type(), kRequest);
  EXPECT_EQ(bench.sent[0].at - last, seconds(1));
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kDataStopped));
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kSilences], 1U);
  EXPECT_TRUE(bench.answer_igmp());
  EXPECT_EQ(bench.all(kUpdate).size(), 1U);  // a restarted relay has its state back
}

TEST(Silence, GatewaysThatMissOneSourceDoNotAskTogether) {  // R-5.2.3.5.4-k, D-3.3.4.1-a
  SeededRandom random(7);
  const Instant joined = Instant() + seconds(100);
  std::vector<Duration> waits;
  for (int i = 0; i < 100; ++i) {
    GatewayOptions options = Bench::with_relays({kRelay});
    options.silence_span = milliseconds(500);
    options.request_when_idle = false;
    Gateway gateway(options, random, joined);
    ASSERT_TRUE(gateway.set_membership(joined, address("232.1.2.3"), include({"198.51.100.12"})));
    const Instant last = feed(gateway, joined);
    Instant at = last;
    for (bool asked = false; !asked;) {
      const GatewayOutput output = gateway.poll_output();
      if (const auto* deadline = std::get_if<GatewayDeadline>(&output)) gateway.handle_timeout(at = deadline->at);
      asked = std::holds_alternative<GatewayTransmit>(output);
    }
    waits.push_back(at - last);
  }
  const auto [shortest, longest] = std::ranges::minmax(waits);
  EXPECT_GE(shortest, seconds(1));
  EXPECT_LE(longest, milliseconds(1500));
  EXPECT_GT(longest - shortest, milliseconds(400));
}

TEST_F(Flowing, AnswerTellsAPauseFromADeadRelay) {
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kDataStopped));
  EXPECT_FALSE(bench.told(GatewayEvent::Kind::kRelayAlive));
  EXPECT_TRUE(bench.answer_igmp());
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayAlive));
}

TEST_F(Flowing, NothingIsAskedWhileDataFlows) {
  flow(600);
  EXPECT_TRUE(bench.sent.empty());
}

TEST_F(Flowing, LossOfTheWholeStreamIsAskedAboutEverMoreRarely) {
  for (int i = 0; i < 1200; ++i) {
    bench.run_for(milliseconds(100));
    if (!bench.sent.empty()) static_cast<void>(bench.answer_igmp());
  }
  const std::vector<Duration> waits = gaps(bench.all(kRequest));
  EXPECT_GE(waits.size(), 3U);
  EXPECT_LE(waits.size(), 7U);
  for (std::size_t i = 1; i < waits.size(); ++i) EXPECT_GT(waits[i], waits[i - 1]);
}

TEST_F(Flowing, SecondRestartIsFoundAsFastAsTheFirst) {
  for (int restart = 0; restart < 3; ++restart) {
    bench.forget();
    bench.run_for(seconds(1));
    ASSERT_EQ(bench.sent.size(), 1U) << restart;
    EXPECT_TRUE(bench.answer_igmp());
    flow(20);
  }
}

TEST_F(Flowing, LeavingWhatFlowsIsNoSilence) {
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("232.1.2.3", include({})));
  bench.run_for(seconds(20));
  EXPECT_TRUE(bench.all(kRequest).empty());
}

TEST_F(Flowing, SlowStreamGetsMorePatience) {
  flow(5, seconds(2));  // the first pauses are longer than what flowed before: they teach
  bench.run_for(milliseconds(10));
  if (!bench.all(kRequest).empty()) static_cast<void>(bench.answer_igmp());
  flow(5, seconds(2));
  bench.forget();
  flow(10, seconds(2));
  EXPECT_TRUE(bench.all(kRequest).empty());
  bench.run_for(seconds(9));
  EXPECT_EQ(bench.all(kRequest).size(), 1U);
}

Octets udp_data_v6() {
  Octets octets(100);
  HeaderFields header;
  header.source = address("2001:db8:5::1");
  header.destination = address("ff3e::8000:1");
  header.protocol = kProtocolUdp;
  header.hop_limit = 8;
  octets.resize(2 + write_udp_datagram(MutableBytes(octets).subspan(2), header, 5000, 5000, {}));
  octets[0] = std::byte{6};
  return octets;
}

TEST_F(Flowing, OneProtocolsDataDoesNotHideThatTheOthersStopped) {
  EXPECT_TRUE(bench.set("ff3e::8000:1", include({"2001:db8:5::1"})));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = bench.requests(true).back().nonce()}.mld()));
  EXPECT_TRUE(bench.answer_igmp());
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bench.data(udp_data_v6()));
    flow(1);
  }
  bench.forget();
  flow(15);
  EXPECT_FALSE(bench.requests(true).empty());
}

TEST_F(Flowing, BusySourceDoesNotHideThatAnotherStopped) {  // D-3.3.4.1-a
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12", "198.51.100.13"})));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.13", "232.1.2.3")));
    flow(1);
  }
  bench.forget();
  flow(8);
  EXPECT_TRUE(bench.all(kRequest).empty());
  flow(2);
  EXPECT_EQ(bench.all(kRequest).size(), 1U);
  EXPECT_EQ(bench.told_of(GatewayEvent::Kind::kDataStopped),
            std::vector<std::optional<IpAddress>>{address("198.51.100.13")});
  EXPECT_TRUE(bench.answer_igmp());
  // Ever more rarely.
  for (int i = 0; i < 600; ++i) {
    flow(1);
    static_cast<void>(bench.answer_igmp());
  }
  EXPECT_LE(bench.all(kRequest).size(), 7U);
}

TEST_F(Flowing, SpeakersOfAnAnySourceGroupComeAndGo) {
  EXPECT_TRUE(bench.set("239.1.2.3", exclude({})));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.13", "239.1.2.3")));
    flow(1);
  }
  bench.forget();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.14", "239.1.2.3")));
    flow(1);
  }
  EXPECT_TRUE(bench.all(kRequest).empty());
}

TEST_F(Flowing, LeavingOneOfTwoSourcesIsNoSilence) {
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12", "198.51.100.13"})));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.13", "232.1.2.3")));
    flow(1);
  }
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.forget();
  flow(100);
  EXPECT_TRUE(bench.all(kRequest).empty());
}

/// Sources of 10.0.0.0/8.
SourceFilter numbered_sources(std::size_t count) {
  SourceFilter filter;
  for (std::size_t i = 0; i < count; ++i) {
    filter.sources.push_back(IpAddress::from_v4(0x0a000000 + static_cast<std::uint32_t>(i)));
  }
  return filter;
}

/// Three packets of each make it a flow.
void feed_all(FlowWatch& watch, const SourceFilter& filter, Instant now) {
  for (int packet = 0; packet < 3; ++packet) {
    for (const IpAddress& source : filter.sources) watch.flow_of(source, FilterMode::kInclude).handle_packet(now);
  }
}

TEST(FlowWatch, NoticesEachOfThousandsOfSourcesThatFallsSilent) {  // D-3.3.4.1-a
  FlowWatch watch(seconds(1));
  Instant now = Instant() + seconds(100);
  const SourceFilter all = numbered_sources(3000);
  watch.handle_change({}, all);
  feed_all(watch, all, now);
  // All but the last one go on.
  SourceFilter others = all;
  others.sources.pop_back();
  now += milliseconds(900);
  feed_all(watch, others, now);
  now += milliseconds(200);
  const auto asked = watch.ask(now, now, seconds(64));
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], all.sources.back());
  // Nobody is missed who is not wanted any more.
  watch.handle_change(all, {});
  watch.refresh_deadline();
  EXPECT_EQ(watch.ask_at(), kNoDeadline);
}

TEST(FlowWatch, SourcesBeyondTheBoundAreNotWatched) {
  FlowWatch watch(seconds(1));
  const Instant now = Instant() + seconds(100);
  const SourceFilter all = numbered_sources(FlowWatch::kSourcesMax + 10);
  watch.handle_change({}, all);
  feed_all(watch, all, now);
  EXPECT_TRUE(watch.is_flowing());
  EXPECT_EQ(watch.ask(now + seconds(1), now + seconds(1), seconds(64)).size(), FlowWatch::kSourcesMax);
  EXPECT_GT(watch.ask_at(), now + seconds(1));
  watch.handle_change(all, {});
  watch.refresh_deadline();
  EXPECT_EQ(watch.ask_at(), kNoDeadline);
}

TEST(DataWatch, SleepIsNoPauseToGetUsedTo) {
  DataWatch watch(seconds(1));
  Instant now = Instant() + seconds(100);
  for (int i = 0; i < 10; ++i) watch.handle_packet(now += milliseconds(100));
  watch.handle_packet(now += std::chrono::hours(3));
  watch.handle_packet(now += milliseconds(100));
  EXPECT_LE(watch.ask_at() - now, seconds(64));
}

TEST_F(Flowing, TwoPacketsAreNoFlow) {
  Bench other;
  EXPECT_TRUE(other.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(other.answer_igmp());
  EXPECT_TRUE(other.data(udp_data("198.51.100.12", "232.1.2.3")));
  EXPECT_TRUE(other.data(udp_data("198.51.100.12", "232.1.2.3")));
  other.forget();
  other.run_for(seconds(60));
  EXPECT_TRUE(other.all(kRequest).empty());
}

TEST_F(Flowing, RelayThatStaysSilentIsAskedUntilItReturns) {
  bench.run_for(seconds(60));
  const std::vector<Sent> requests = bench.all(kRequest);
  ASSERT_GE(requests.size(), 4U);
  for (const Duration wait : gaps(requests)) EXPECT_LE(wait, seconds(15));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kRequesting);
  EXPECT_TRUE(bench.answer_igmp());
  EXPECT_EQ(bench.all(kUpdate).size(), 1U);
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
}

TEST_F(Flowing, DeadRelayIsReplacedLongBeforeTheQueryTimer) {
  Bench two(Bench::with_relays({kRelay, kOtherRelay}));
  EXPECT_TRUE(two.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(two.answer_igmp());
  for (int i = 0; i < 10; ++i) {
    two.run_for(milliseconds(100));
    EXPECT_TRUE(two.data(udp_data("198.51.100.12", "232.1.2.3")));
  }
  two.run_for(seconds(20));
  EXPECT_EQ(two.gateway.relay(), kOtherRelay);
}

}  // namespace
}  // namespace amt::test
