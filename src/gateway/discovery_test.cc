#include <set>

#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

// E-9601-i, X-10-7: its reserved bits stay zero
TEST(GatewayDiscovery, AsksTheDiscoveryAddressFromTheStart) {  // R-5.2.3.4.2-a, R-5.2.3.4.1-a
  const Bench bench(Bench::with_discovery());
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].to, endpoint("192.52.193.1:2268"));
  EXPECT_EQ(bench.sent[0].octets, joined({hex("01000000"), bench.sent[0].nonce()}));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kDiscovering);
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kDiscovering));
}

TEST(GatewayDiscovery, WaitsForTheFirstSubscriptionWhereItIsToldTo) {  // R-5.2.3.4.1-a, R-5.2.3.6.2-a
  Bench bench(Bench::not_idle(Bench::with_discovery()));
  bench.run_for(seconds(60));
  EXPECT_TRUE(bench.sent.empty());
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].type(), kDiscovery);
}

TEST(GatewayDiscovery, RepeatsTheSameNonceWithExponentialBackOff) {  // R-5.2.3.4.3-a, R-5.2.3.4.5-b, R-5.2.3.4.2-b
  Bench bench(Bench::with_discovery());
  bench.run_for(std::chrono::hours(1));
  const std::vector<Sent> sent = bench.all(kDiscovery);
  ASSERT_GT(sent.size(), 20U);
  for (const Sent& discovery : sent) EXPECT_EQ(discovery.nonce(), sent[0].nonce());
  const std::vector<Duration> waits = gaps(sent);
  EXPECT_EQ(waits[0], seconds(1));
  for (std::size_t k = 0; k < waits.size(); ++k) {
    EXPECT_GE(waits[k], seconds(1));
    EXPECT_LE(waits[k], std::min<Duration>(seconds(1) * (1 << std::min<std::size_t>(k, 7)), seconds(120)));
  }
  EXPECT_GT(*std::max_element(waits.begin(), waits.end()), seconds(60));
}

TEST(GatewayDiscovery, FollowsTheTimeoutsAndCountsThatItIsGiven) {  // R-5.2.2-c
  GatewayOptions options = Bench::with_discovery();
  options.candidates.push_back({RelayCandidate::Kind::kDiscovery, endpoint("192.0.2.77")});
  options.timeout_initial = seconds(2);
  options.timeout_max = seconds(4);
  options.discovery_tries = 3;
  Bench bench(options);
  bench.run_for(seconds(13));
  ASSERT_GE(bench.sent.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(bench.sent[i].to, kAnycast);
  EXPECT_EQ(bench.sent[3].to, endpoint("192.0.2.77"));
  for (const Duration wait : gaps(bench.sent)) {
    EXPECT_GE(wait, seconds(2));
    EXPECT_LE(wait, seconds(4));
  }
}

TEST(GatewayDiscovery, NonceIsNeverZero) {  // R-5.2.3.4.5-a, E-9601-i
  struct ZeroThenSeven final : Random {
    void fill(std::span<std::byte> out) override {
      for (std::byte& octet : out) octet = static_cast<std::byte>(draws < 3 ? 0 : 7);
      ++draws;
    }
    int draws = 0;
  } random;
  Gateway gateway(Bench::with_discovery(), random, Instant());
  for (;;) {
    const GatewayOutput output = gateway.poll_output();
    ASSERT_FALSE(std::holds_alternative<GatewayDeadline>(output));
    if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) {
      EXPECT_EQ(Octets(transmit->datagram.begin(), transmit->datagram.end()), hex("01000000 07070707"));
      return;
    }
  }
}

// X-10-13
TEST(GatewayDiscovery, GoesOnToTheAdvertisedRelay) {  // R-4.2.1.1-a: it need not be the one that answers
  Bench bench(Bench::with_discovery());
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "203.0.113.5"), kAnycast));
  EXPECT_EQ(bench.gateway.relay(), endpoint("203.0.113.5:2268"));
  EXPECT_EQ(bench.last(kRequest).to, endpoint("203.0.113.5:2268"));
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayFound));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kRequesting);
}

TEST(GatewayDiscovery, IgnoresAnAdvertisementThatNobodyWaitsFor) {  // R-5.2.3.4.4-a, R-5.2.3.4.4-d
  Bench bench(Bench::with_discovery());
  const Octets first = advertisement(bench.sent[0].nonce(), "203.0.113.5");
  EXPECT_TRUE(bench.receive(first, kAnycast));
  const auto second = bench.receive(advertisement(bench.sent[0].nonce(), "203.0.113.6"), kAnycast);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), GatewayReject::kNotWaiting);
  EXPECT_EQ(bench.gateway.relay(), endpoint("203.0.113.5:2268"));
  EXPECT_EQ(bench.gateway.rejects()[GatewayReject::kNotWaiting], 1U);
}

TEST(GatewayDiscovery, IgnoresAWrongNonce) {  // R-5.2.3.4.4-b
  Bench bench(Bench::with_discovery());
  Octets nonce = bench.sent[0].nonce();
  nonce[3] ^= std::byte{1};
  const auto result = bench.receive(advertisement(nonce, "203.0.113.5"), kAnycast);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), GatewayReject::kWrongNonce);
}

TEST(GatewayDiscovery, IgnoresAnAnswerFromElsewhere) {  // R-5.2.3.4.4-c
  Bench bench(Bench::with_discovery());
  const Octets answer = advertisement(bench.sent[0].nonce(), "203.0.113.5");
  for (const char* from : {"203.0.113.5:2268", "192.52.193.1:2269", "192.52.193.2:2268"}) {
    const auto result = bench.receive(answer, endpoint(from));
    ASSERT_FALSE(result) << from;
    EXPECT_EQ(result.error(), GatewayReject::kWrongSource) << from;
  }
  EXPECT_TRUE(bench.receive(answer, kAnycast));
}

TEST(GatewayDiscovery, TakesNeitherLengthButTwelveNorTwentyFour) {  // R-5.1.2-a, X-5.1-b
  Bench bench(Bench::with_discovery());
  Octets answer = advertisement(bench.sent[0].nonce(), "203.0.113.5");
  answer.push_back(std::byte{0});
  const auto result = bench.receive(answer, kAnycast);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), GatewayReject::kBadLength);
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "2001:db8::5"), kAnycast));
  EXPECT_EQ(bench.gateway.relay(), endpoint("[2001:db8::5]:2268"));
}

TEST(GatewayDiscovery, RefusesAddressesThatCannotBeARelay) {  // X-3.3-a
  for (const char* relay : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"}) {
    Bench bench(Bench::with_discovery());
    const auto result = bench.receive(advertisement(bench.sent[0].nonce(), relay), kAnycast);
    ASSERT_FALSE(result) << relay;
    EXPECT_EQ(result.error(), GatewayReject::kBadRelayAddress) << relay;
    EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kDiscovering) << relay;
  }
}

TEST(GatewayDiscovery, LoopbackMayNameLoopback) {  // X-3.3-a
  GatewayOptions options;
  options.candidates = {{RelayCandidate::Kind::kDiscovery, endpoint("127.0.0.1")}};
  Bench bench(options);
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "127.0.0.2"), endpoint("127.0.0.1")));
}

TEST(GatewayDiscovery, GoesOnToTheNextCandidateAndRoundWithoutHaste) {
  GatewayOptions options = Bench::with_discovery();
  options.candidates.push_back({RelayCandidate::Kind::kDiscovery, endpoint("192.0.2.77")});
  Bench bench(options);
  bench.run_for(std::chrono::minutes(10));
  std::set<Endpoint> asked;
  std::set<Octets> nonces;
  for (const Sent& discovery : bench.sent) {
    asked.insert(discovery.to);
    nonces.insert(discovery.nonce());
  }
  EXPECT_EQ(asked.size(), 2U);
  EXPECT_GT(nonces.size(), 2U);  // R-5.2.3.4.5-b: a new one per discovery
  for (const Duration wait : gaps(bench.sent)) EXPECT_GE(wait, seconds(1));
  EXPECT_LT(bench.sent.size(), 100U);
}

TEST(GatewayDiscovery, RelayInUseIsAskedByRequestsAlone) {  // D-3.3.6-a, D-3.3.3-a
  Bench bench(Bench::with_discovery());
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "192.0.2.9"), kAnycast));
  for (int cycle = 0; cycle < 20; ++cycle) {
    EXPECT_TRUE(bench.answer_igmp({.qqic = 10}));
    bench.run_for(seconds(10));
  }
  EXPECT_EQ(bench.all(kRequest).size(), 21U);
  EXPECT_EQ(bench.all(kDiscovery).size(), 1U);
}

TEST(GatewayDiscovery, SubscriptionEndsALongWait) {
  Bench bench(Bench::with_discovery());
  bench.run_for(std::chrono::minutes(5));
  const Instant last = bench.sent.back().at;
  bench.forget();
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(1));
  ASSERT_FALSE(bench.sent.empty());
  EXPECT_GE(bench.sent[0].at - last, seconds(1));
}

TEST(GatewayDiscovery, TearsTheOldRelayDownWhenAnotherIsFound) {  // R-5.2.3.4.4-e, R-5.2.3.5.3-b
  Bench bench(Bench::with_discovery());
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "192.0.2.9"), kAnycast));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10, .seen_as = kSeenAs}));
  const Octets nonce = bench.last(kUpdate).nonce();
  bench.forget();
  bench.run_for(seconds(60));  // the relay is gone: Requests stay unanswered
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayLost));
  ASSERT_FALSE(bench.all(kDiscovery).empty());
  EXPECT_TRUE(bench.all(kTeardown).empty());
  EXPECT_TRUE(bench.receive(advertisement(bench.last(kDiscovery).nonce(), "192.0.2.10"), kAnycast));
  ASSERT_EQ(bench.all(kTeardown).size(), 1U);
  EXPECT_EQ(bench.last(kTeardown).to, kRelay);
  EXPECT_EQ(bench.last(kTeardown).octets,
            joined({hex("0700 a1a2a3a4a5a6"), nonce, hex("c738 00000000 00000000 00000000 c0000201")}));
  EXPECT_EQ(bench.last(kRequest).to, kOtherRelay);
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kRelayChanges], 1U);
}

TEST(GatewayDiscovery, FindingTheSameRelayAgainTearsNothingDown) {  // R-5.2.3.4.4-e
  Bench bench(Bench::with_discovery());
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.receive(advertisement(bench.sent[0].nonce(), "192.0.2.9"), kAnycast));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10, .seen_as = kSeenAs}));
  bench.run_for(seconds(60));
  bench.forget();
  bench.run_for(seconds(60));
  EXPECT_TRUE(bench.receive(advertisement(bench.last(kDiscovery).nonce(), "192.0.2.9"), kAnycast));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = kSeenAs}));
  EXPECT_TRUE(bench.all(kTeardown).empty());
  EXPECT_FALSE(bench.all(kUpdate).empty());
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kRelayChanges], 0U);
}

}  // namespace
}  // namespace amt::test
