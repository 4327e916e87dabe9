#include <set>

#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

TEST(GatewayRequest, ConfiguredRelayIsAskedFromTheStart) {  // R-5.2.3.5.1-a, R-5.2.3.5.2-a, R-5.2.2-b, E-9601-i, X-10-7
  const Bench bench;
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].to, endpoint("192.0.2.9:2268"));
  // E set, P not: IGMP.
  EXPECT_EQ(bench.sent[0].octets, joined({hex("03020000"), bench.sent[0].nonce()}));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kRequesting);
}

TEST(GatewayRequest, WaitsForTheFirstSubscriptionWhereItIsToldTo) {  // R-5.2.3.5.1-a
  Bench bench(Bench::not_idle());
  bench.run_for(seconds(300));
  EXPECT_TRUE(bench.sent.empty());
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kIdle);
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].octets, joined({hex("03030000"), bench.sent[0].nonce()}));  // E and P
}

TEST(GatewayRequest, UnansweredSeriesBacksOffUnderOneNonceAndOneWithoutE) {  // R-5.2.3.5.3-a, R-5.2.3.5.6-b, E-9601-e
  Bench bench;
  bench.run_for(std::chrono::hours(1));
  ASSERT_GT(bench.sent.size(), 20U);
  EXPECT_TRUE(bench.sent[0].ecn());
  for (std::size_t i = 1; i < bench.sent.size(); ++i) {
    EXPECT_FALSE(bench.sent[i].ecn());
    EXPECT_EQ(bench.sent[i].nonce(), bench.sent[1].nonce());
    EXPECT_NE(bench.sent[i].nonce(), bench.sent[0].nonce());
  }
  const std::vector<Duration> waits = gaps(bench.sent);
  EXPECT_EQ(waits[0], seconds(1));
  for (std::size_t k = 0; k < waits.size(); ++k) {
    EXPECT_GE(waits[k], seconds(1));
    EXPECT_LE(waits[k], std::min<Duration>(seconds(1) * (1 << std::min<std::size_t>(k, 7)), seconds(120)));
  }
}

TEST(GatewayRequest, WithoutEcnThereIsOneNonceAlone) {  // E-9601-e, R-5.2.3.5.6-b, R-5.2.3.5.2-b
  GatewayOptions options = Bench::with_relays({kRelay});
  options.ecn_capable = false;
  Bench bench(options);
  bench.run_for(seconds(100));
  for (const Sent& request : bench.sent) {
    EXPECT_EQ(request.octets, bench.sent[0].octets);
    EXPECT_FALSE(request.ecn());
  }
}

TEST(GatewayRequest, WhoWaitsForDataIsNotKeptWaitingLong) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(std::chrono::minutes(30));
  for (const Duration wait : gaps(bench.sent)) {
    EXPECT_GE(wait, seconds(1));
    EXPECT_LE(wait, seconds(15));
  }
}

TEST(GatewayRequest, SubscriptionEndsALongWait) {
  Bench bench;
  bench.run_for(std::chrono::minutes(5));
  const Sent before = bench.sent.back();
  bench.forget();
  bench.run_for(seconds(1));
  bench.forget();
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  ASSERT_EQ(bench.sent.size(), 1U);  // at once: the last Request was a second ago
  EXPECT_EQ(bench.sent[0].nonce(), before.nonce());
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  EXPECT_EQ(bench.sent.size(), 1U);  // not at once again
  bench.run_for(seconds(1));
  ASSERT_EQ(bench.sent.size(), 2U);
  EXPECT_EQ(bench.sent[1].at - bench.sent[0].at, seconds(1));
}

TEST(GatewayRequest, NonceIsWhatTheRandomSourceGives) {  // R-5.2.3.5.6-a: zero is not forbidden here
  struct Counting final : Random {
    void fill(std::span<std::byte> out) override {
      for (std::byte& octet : out) octet = static_cast<std::byte>(draws);
      ++draws;
    }
    int draws = 0;
  } random;
  Gateway gateway(Bench::with_relays({kRelay}), random, Instant());
  std::vector<Octets> requests;
  Instant now;
  while (requests.size() < 2) {
    const GatewayOutput output = gateway.poll_output();
    if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) {
      requests.emplace_back(transmit->datagram.begin(), transmit->datagram.end());
    } else if (const auto* deadline = std::get_if<GatewayDeadline>(&output)) {
      now = deadline->at;
      gateway.handle_timeout(now);
    }
  }
  EXPECT_EQ(requests[0], hex("03020000 00000000"));
  EXPECT_EQ(requests[1], hex("03000000 01010101"));
}

TEST(GatewayRequest, FollowsTheTimeoutsAndCountsThatItIsGiven) {  // R-5.2.2-c
  GatewayOptions options = Bench::with_relays({kRelay, kOtherRelay});
  options.timeout_initial = seconds(3);
  options.timeout_max = seconds(5);
  options.request_tries = 2;
  Bench bench(options);
  bench.run_for(seconds(60));
  ASSERT_GE(bench.sent.size(), 5U);
  EXPECT_EQ(bench.sent[0].to, kRelay);
  EXPECT_EQ(bench.sent[1].to, kRelay);
  EXPECT_EQ(bench.sent[2].to, kOtherRelay);
  const std::vector<Duration> waits = gaps(bench.sent);
  EXPECT_EQ(waits[0], seconds(3));
  for (const Duration wait : waits) {
    EXPECT_GE(wait, seconds(3));
    EXPECT_LE(wait, seconds(5));
  }
}

TEST(GatewayRequest, BothProtocolsShareANonce) {  // R-4.2.1.2-a; the Linux kernel's relay knows one nonce
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 20}));
  bench.forget();
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  ASSERT_EQ(bench.requests(true).size(), 1U);
  ASSERT_EQ(bench.requests(false).size(), 1U);
  EXPECT_EQ(bench.requests(true)[0].nonce(), bench.requests(false)[0].nonce());
  const Octets nonce = bench.requests(true)[0].nonce();
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce, .qqic = 20}.igmp()));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce, .qqic = 20}.mld()));
  bench.forget();
  bench.run_for(seconds(20));
  ASSERT_EQ(bench.all(kRequest).size(), 2U);
  EXPECT_EQ(bench.all(kRequest)[0].nonce(), bench.all(kRequest)[1].nonce());
  EXPECT_NE(bench.all(kRequest)[0].nonce(), nonce);  // R-5.2.3.5.6-b: a new one each time the procedure starts
}

TEST(GatewayRequest, SecondProtocolJoinsASeriesThatIsUnderWay) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(milliseconds(300));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  ASSERT_EQ(bench.all(kRequest).size(), 2U);
  EXPECT_EQ(bench.all(kRequest)[0].nonce(), bench.all(kRequest)[1].nonce());
}

TEST(GatewayRequest, ReportsOnQueryTimer) {  // R-5.2.3.5.4-j, R-5.2.3.5.5-a
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 20}));
  const Octets nonce = bench.last(kRequest).nonce();
  bench.forget();
  bench.run_for(seconds(20) - milliseconds(1));
  EXPECT_TRUE(bench.all(kRequest).empty());
  bench.run_for(milliseconds(1));
  ASSERT_EQ(bench.all(kRequest).size(), 1U);
  EXPECT_NE(bench.last(kRequest).nonce(), nonce);
}

TEST(GatewayRequest, WithNothingSubscribedIgmpAloneIsAsked) {
  Bench bench;
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10}));
  bench.forget();
  bench.run_for(seconds(10));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_FALSE(bench.sent[0].is_mld_request());
}

TEST(GatewayRequest, IdleCycleFollowsTheLastSubscription) {
  Bench bench;
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = bench.requests(true)[0].nonce(), .qqic = 20}.mld()));
  bench.run_for(seconds(5));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({})));
  bench.forget();
  bench.run_for(seconds(10));
  EXPECT_TRUE(bench.all(kRequest).empty());
  bench.run_for(seconds(5));
  ASSERT_EQ(bench.all(kRequest).size(), 1U);
  EXPECT_FALSE(bench.last(kRequest).is_mld_request());
}

TEST(GatewayRequest, RelayThatDropsTheEFlagIsAskedWithoutIt) {  // E-9601-e, DESIGN: kernel relay
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  for (int cycle = 0; cycle < 2; ++cycle) {
    EXPECT_TRUE(bench.last(kRequest).ecn());
    bench.run_for(seconds(1));
    EXPECT_FALSE(bench.last(kRequest).ecn());
    EXPECT_TRUE(bench.answer_igmp({.qqic = 10}));
    bench.run_for(seconds(10));
  }
  EXPECT_FALSE(bench.last(kRequest).ecn());  // twice is enough
}

TEST(GatewayRequest, LostRequestDoesNotEndTheEFlag) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10}));
  bench.run_for(seconds(10));
  EXPECT_TRUE(bench.last(kRequest).ecn());
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.last(kRequest).ecn());  // this relay has answered to it
  EXPECT_EQ(bench.all(kRequest)[1].nonce(), bench.all(kRequest)[2].nonce());
}

TEST(GatewayRequest, MldFlagIsTriedWhereTheKernelReadsIt) {  // DESIGN: the kernel's relay takes P at 0x80, and no E
  Bench bench;
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  bench.run_for(seconds(8));
  const std::vector<Sent> requests = bench.requests(true);
  ASSERT_GE(requests.size(), 3U);
  EXPECT_EQ(requests[0].flags(), 0x03);
  EXPECT_EQ(requests[1].flags(), 0x01);
  EXPECT_EQ(requests[2].flags(), 0x80);
  EXPECT_EQ(requests[2].nonce(), requests[1].nonce());
  bench.run_for(seconds(60));
  // Both in turn as long as it takes.
  std::set<unsigned> late;
  for (const Sent& request : bench.requests(true)) late.insert(request.flags());
  EXPECT_EQ(late, (std::set<unsigned>{0x01, 0x03, 0x80}));
  while (bench.requests(true).back().flags() != 0x80) bench.run_for(seconds(1));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = bench.requests(true).back().nonce(), .qqic = 10}.mld()));
  bench.forget();
  bench.run_for(seconds(10));
  ASSERT_FALSE(bench.requests(true).empty());
  EXPECT_EQ(bench.requests(true)[0].flags(), 0x80);  // remembered
}

TEST(GatewayRequest, SingleRelayIsNeverGivenUp) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(std::chrono::minutes(10));
  EXPECT_EQ(bench.gateway.relay(), kRelay);
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelaySilent));
  EXPECT_FALSE(bench.told(GatewayEvent::Kind::kRelayLost));
  EXPECT_FALSE(bench.told(GatewayEvent::Kind::kRelayAlive));
  EXPECT_TRUE(bench.answer_igmp());
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayAlive));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
  EXPECT_EQ(bench.all(kUpdate).size(), 1U);
}

TEST(GatewayRequest, DeadRelayGivesWayToTheNext) {  // R-5.2.3.5.3-b
  Bench bench(Bench::with_relays({kRelay, kOtherRelay}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(20));
  EXPECT_EQ(bench.gateway.relay(), kOtherRelay);
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayLost));
  EXPECT_TRUE(bench.answer_igmp({}, kOtherRelay));
  bench.run_for(seconds(100));
  EXPECT_EQ(bench.gateway.relay(), kOtherRelay);
}

TEST(GatewayRequest, DeadRelaysAreAskedInTurnWithoutHaste) {
  Bench bench(Bench::with_relays({kRelay, kOtherRelay}));
  bench.run_for(std::chrono::hours(1));
  std::set<Endpoint> asked;
  for (const Sent& request : bench.sent) asked.insert(request.to);
  EXPECT_EQ(asked.size(), 2U);
  for (const Duration wait : gaps(bench.sent)) EXPECT_GE(wait, seconds(1));
  EXPECT_LT(bench.sent.size(), 150U);
}

TEST(GatewayRequest, UnreachableNeitherHurriesNorEnds) {  // R-5.2.3.9-a, X-3.5-a
  Bench calm;
  Bench noisy;
  for (int i = 0; i < 600; ++i) {
    noisy.gateway.handle_unreachable(noisy.now, kRelay);
    noisy.run_for(milliseconds(100));
    calm.run_for(milliseconds(100));
  }
  EXPECT_EQ(noisy.gateway.counters()[GatewayCounter::kUnreachables], 600U);
  ASSERT_EQ(noisy.sent.size(), calm.sent.size());
  for (std::size_t i = 0; i < calm.sent.size(); ++i) EXPECT_EQ(noisy.sent[i].at, calm.sent[i].at);
}

}  // namespace
}  // namespace amt::test
