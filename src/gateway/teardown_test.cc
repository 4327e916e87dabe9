#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

const Endpoint kMovedTo = endpoint("192.0.2.1:51001");

/// One subscription, reported under a Query that told `kSeenAs`; the next Request is out.
class Reported : public ::testing::Test {
 protected:
  Reported() {
    EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
    EXPECT_TRUE(bench.answer_igmp({.qqic = 10, .seen_as = kSeenAs}));
    first_nonce = bench.last(kUpdate).nonce();
    bench.run_for(seconds(10));
    AMT_ASSERT(bench.last(kRequest).nonce() != first_nonce);
  }
  [[nodiscard]] Octets teardown_of_first() const {
    return joined({hex("0700 a1a2a3a4a5a6"), first_nonce, hex("c738 00000000 00000000 00000000 c0000201")});
  }

  Bench bench;
  Octets first_nonce;
};

TEST_F(Reported, ChangedPortTearsTheOldEndpointDown) {  // R-5.2.3.5.4-l, R-5.2.3.7.2-a,b, R-5.2.3.7-a
  EXPECT_TRUE(bench.answer_igmp({.mac = "b1b2b3b4b5b6", .seen_as = kMovedTo}));
  ASSERT_EQ(bench.all(kTeardown).size(), 1U);
  EXPECT_EQ(bench.last(kTeardown).to, kRelay);
  EXPECT_EQ(bench.last(kTeardown).octets, teardown_of_first());
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kEndpointChanged));
}

TEST_F(Reported, AfterTheTeardownTheNewQueryIsAnsweredAsUsual) {  // R-4.2.1.3-a
  bench.forget();
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.answer_igmp({.mac = "b1b2b3b4b5b6", .seen_as = kMovedTo}));
  ASSERT_EQ(bench.all(kUpdate).size(), 1U);
  EXPECT_EQ(bench.last(kUpdate).mac(), hex("b1b2b3b4b5b6"));
}

TEST_F(Reported, ChangedAddressCountsAsWell) {  // R-5.2.3.5.4-l
  EXPECT_TRUE(bench.answer_igmp({.seen_as = endpoint("192.0.2.2:51000")}));
  EXPECT_EQ(bench.all(kTeardown).size(), 1U);
}

TEST_F(Reported, TeardownIsRepeatedByRobustness) {  // R-5.2.3.7.2-c
  EXPECT_TRUE(bench.answer_igmp({.robustness = 2, .seen_as = kMovedTo}));
  bench.run_for(seconds(9));
  const std::vector<Sent> teardowns = bench.all(kTeardown);
  ASSERT_EQ(teardowns.size(), 2U);
  EXPECT_EQ(teardowns[1].octets, teardown_of_first());
  EXPECT_EQ(teardowns[1].at - teardowns[0].at, seconds(1));
}

TEST_F(Reported, EndpointThatCameBackIsNotTornDownAgain) {
  EXPECT_TRUE(bench.answer_igmp({.robustness = 7, .qqic = 1, .seen_as = kMovedTo}));
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = kSeenAs}));
  bench.forget();
  bench.run_for(seconds(20));
  for (const Sent& teardown : bench.all(kTeardown)) EXPECT_NE(teardown.octets, teardown_of_first());
}

TEST_F(Reported, SameEndpointTearsNothingDown) {  // R-5.2.3.5.4-l
  EXPECT_TRUE(bench.answer_igmp({.seen_as = kSeenAs}));
  EXPECT_TRUE(bench.all(kTeardown).empty());
}

TEST_F(Reported, LimitAndAChangedEndpointMeanAnotherRelay) {  // R-5.2.3.5.4-n: only while the endpoint is unchanged
  EXPECT_TRUE(bench.answer_igmp({.limit = true, .seen_as = kMovedTo}));
  EXPECT_EQ(bench.all(kTeardown).size(), 1U);
  EXPECT_EQ(bench.gateway.relay(), std::nullopt);
}

TEST_F(Reported, ShutdownTearsDown) {  // R-5.2.3.8-a
  EXPECT_TRUE(bench.answer_igmp({.mac = "b1b2b3b4b5b6", .seen_as = kSeenAs}));
  const Octets nonce = bench.last(kUpdate).nonce();
  bench.forget();
  bench.shut_down();
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].octets,
            joined({hex("0700 b1b2b3b4b5b6"), nonce, hex("c738 00000000 00000000 00000000 c0000201")}));
}

TEST_F(Reported, ShutdownWhileAQueryIsAwaitedUsesTheLastUpdate) {  // R-5.2.3.7.2-a
  bench.forget();
  bench.shut_down();
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].octets, teardown_of_first());
}

TEST_F(Reported, NothingIsSentAfterShutdown) {  // R-5.2.3.8-a
  const Octets nonce = bench.last(kRequest).nonce();
  bench.shut_down();
  bench.forget();
  EXPECT_EQ(bench.deadline(), kNoDeadline);
  bench.run_for(std::chrono::hours(1));
  EXPECT_FALSE(bench.receive(QueryText{.nonce = nonce, .seen_as = kMovedTo}.igmp()));
  EXPECT_FALSE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  bench.shut_down();
  EXPECT_TRUE(bench.sent.empty());
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kIdle);
}

TEST(GatewayTeardown, WithoutGThereIsNone) {  // R-5.2.3.7-a, R-5.2.3.8-a
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("239.1.1.1", exclude({})));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  const Octets nonce = bench.last(kRequest).nonce();
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce}.igmp()));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce}.mld()));
  bench.run_for(seconds(3));
  bench.forget();
  bench.shut_down();
  EXPECT_TRUE(bench.all(kTeardown).empty());
  const std::vector<Sent> updates = bench.all(kUpdate);
  ASSERT_EQ(updates.size(), 2U);
  // One Update a protocol that leaves everything: two records of IGMP (BLOCK and TO_IN), one of MLD (BLOCK).
  EXPECT_EQ(updates[0].octets.at(12), std::byte{0x46});
  EXPECT_EQ(updates[0].octets.at(12 + 24 + 7), std::byte{2});
  EXPECT_EQ(updates[1].octets.at(12), std::byte{0x60});
  EXPECT_EQ(updates[1].octets.at(12 + 48 + 7), std::byte{1});
}

TEST(GatewayTeardown, ShutdownWithoutSubscriptionsIsSilent) {  // R-5.2.3.8-a
  Bench bench;
  EXPECT_TRUE(bench.answer_igmp({.seen_as = kSeenAs}));
  bench.forget();
  bench.shut_down();
  EXPECT_TRUE(bench.sent.empty());
}

TEST(GatewayTeardown, NothingReportedNothingTornDown) {
  Bench bench;
  EXPECT_TRUE(bench.answer_igmp({.qqic = 5, .seen_as = kSeenAs}));
  bench.run_for(seconds(5));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = kMovedTo}));
  EXPECT_TRUE(bench.all(kTeardown).empty());
}

TEST(GatewayTeardown, NatThatNeverSettlesCausesNoStorm) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  std::uint16_t port = 50000;
  for (int i = 0; i < 1000; ++i) {
    for (const Sent& request : std::vector<Sent>(bench.all(kRequest))) {
      QueryText query{.nonce = request.nonce(), .seen_as = Endpoint{address("192.0.2.1"), port++}};
      static_cast<void>(bench.receive(request.is_mld_request() ? query.mld() : query.igmp()));
    }
    if (i % 10 == 9) {
      EXPECT_LT(bench.sent.size(), 12U);
      bench.forget();
    }
    bench.run_for(milliseconds(100));
  }
}

}  // namespace
}  // namespace amt::test
