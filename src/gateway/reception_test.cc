#include "gateway/reception.hh"

#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

const IpAddress kGroup = address("239.1.2.3");
const IpAddress kA = address("198.51.100.1");
const IpAddress kB = address("198.51.100.2");

TEST(Reception, WhatIsAddedIsUnheardUntilItComes) {
  Reception reception;
  EXPECT_TRUE(reception.set(kGroup, include({"198.51.100.1"})));
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_FALSE(reception.is_anything_unheard());
  EXPECT_TRUE(reception.set(kGroup, include({"198.51.100.1", "198.51.100.2"})));
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_TRUE(reception.is_anything_unheard());
  EXPECT_TRUE(reception.accept(kB, kGroup));
  EXPECT_FALSE(reception.is_anything_unheard());
}

TEST(Reception, WantingLessExpectsNothing) {
  Reception reception;
  EXPECT_TRUE(reception.set(kGroup, exclude({})));
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_FALSE(reception.set(kGroup, exclude({"198.51.100.1"})));
  EXPECT_FALSE(reception.accept(kA, kGroup));
  EXPECT_FALSE(reception.set(kGroup, include({"198.51.100.2"})));
  EXPECT_TRUE(reception.set(kGroup, include({"198.51.100.1"})));  // was excluded
  EXPECT_TRUE(reception.is_anything_unheard());
  EXPECT_FALSE(reception.set(kGroup, include({})));
  EXPECT_FALSE(reception.is_anything_unheard());
}

TEST(Reception, WhatWasWantedAlreadyDoesNotShowThatAWiderFilterArrived) {
  Reception reception;
  EXPECT_TRUE(reception.set(kGroup, include({"198.51.100.1"})));
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_TRUE(reception.set(kGroup, exclude({})));
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_TRUE(reception.is_anything_unheard());
  EXPECT_TRUE(reception.accept(kB, kGroup));
  EXPECT_FALSE(reception.is_anything_unheard());
  EXPECT_FALSE(reception.set(kGroup, exclude({"198.51.100.1"})));
  EXPECT_TRUE(reception.set(kGroup, exclude({})));
  EXPECT_TRUE(reception.accept(kB, kGroup));
  EXPECT_TRUE(reception.is_anything_unheard());
  EXPECT_TRUE(reception.accept(kA, kGroup));
  EXPECT_FALSE(reception.is_anything_unheard());
}

TEST(Reception, AnySourceWillDoForAnExcludeFilter) {
  Reception reception;
  EXPECT_TRUE(reception.set(kGroup, exclude({"198.51.100.1"})));
  EXPECT_FALSE(reception.accept(kA, kGroup));
  EXPECT_TRUE(reception.is_anything_unheard());
  EXPECT_TRUE(reception.accept(kB, kGroup));
  EXPECT_FALSE(reception.is_anything_unheard());
  reception.expect_all();
  EXPECT_TRUE(reception.is_anything_unheard());
  reception.stop_expecting();
  EXPECT_FALSE(reception.is_anything_unheard());
}

/// A gateway that has a Query already, so that a join is one Update and its repeat.
class Joining : public ::testing::Test {
 protected:
  Joining() : bench(options()) {
    EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
    EXPECT_TRUE(bench.answer_igmp());
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.3")));
      bench.run_for(milliseconds(100));
    }
    bench.forget();
  }
  static GatewayOptions options() {
    GatewayOptions options = Bench::with_relays({kRelay});
    options.missing = seconds(2);
    // Pauses of what flows are another matter.
    options.silence = std::chrono::hours(1);
    return options;
  }

  Bench bench;
};

TEST_F(Joining, JoinThatGotLostIsMendedInSeconds) {  // R-5.2.3.5.4-k
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  bench.run_for(seconds(2));
  ASSERT_EQ(bench.all(kRequest).size(), 1U);
  const std::size_t updates = bench.all(kUpdate).size();
  EXPECT_TRUE(bench.answer_igmp());
  EXPECT_EQ(bench.all(kUpdate).size(), updates + 1);  // current state: both groups
  bench.forget();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.4")));
    bench.run_for(milliseconds(500));
  }
  EXPECT_TRUE(bench.all(kRequest).empty());
}

TEST_F(Joining, SilentSourceIsAskedAboutFourTimes) {
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  for (int i = 0; i < 100; ++i) {
    bench.run_for(seconds(1));
    if (!bench.sent.empty() && bench.sent.back().type() == kRequest) {
      EXPECT_TRUE(bench.answer_igmp());
    }
  }
  EXPECT_THAT(gaps(bench.all(kRequest)), ::testing::ElementsAre(seconds(4), seconds(8), seconds(16)));
}

TEST_F(Joining, NewEndpointIsAskedAboutUntilEveryGroupIsHeardThere) {  // R-5.2.3.5.4-k, R-5.2.3.5.4-l
  const Endpoint old_endpoint = *Endpoint::parse("192.0.2.1:51000", 0);
  const Endpoint new_endpoint = *Endpoint::parse("192.0.2.1:52000", 0);
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  bench.run_for(seconds(2));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = old_endpoint}));
  EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.4")));
  EXPECT_TRUE(bench.set("232.1.2.5", include({"198.51.100.12"})));
  bench.run_for(seconds(2));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = new_endpoint}));
  EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.5")));
  bench.forget();
  // The report of all groups got lost; what was joined since comes, and what had come before does not.
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.5")));
    bench.run_for(milliseconds(500));
  }
  EXPECT_EQ(bench.all(kRequest).size(), 1U);
}

TEST_F(Joining, OnePacketIsNotYetAFlow) {
  Bench other(options());
  EXPECT_TRUE(other.set("232.1.2.4", include({"198.51.100.12"})));
  EXPECT_TRUE(other.answer_igmp());
  EXPECT_TRUE(other.data(udp_data("198.51.100.12", "232.1.2.4")));
  other.forget();
  other.run_for(seconds(2));
  EXPECT_EQ(other.all(kRequest).size(), 1U);
}

TEST_F(Joining, ZappingAsksNoMoreOftenThanEveryTwoSeconds) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(bench.set("232.1.9." + std::to_string(i), include({"198.51.100.12"})));
    bench.run_for(milliseconds(700));
    if (!bench.sent.empty() && bench.sent.back().type() == kRequest) {
      EXPECT_TRUE(bench.answer_igmp());
    }
  }
  for (const Duration gap : gaps(bench.all(kRequest))) EXPECT_GE(gap, seconds(2));
}

TEST_F(Joining, LeaveThatGotLostIsRepeatedEverMoreRarely) {
  EXPECT_TRUE(bench.set("232.1.2.3", include({})));
  bench.run_for(milliseconds(999));
  bench.forget();
  // What is still under way proves nothing.
  EXPECT_FALSE(bench.data(udp_data("198.51.100.12", "232.1.2.3")));
  bench.run_for(milliseconds(1));
  EXPECT_TRUE(bench.sent.empty());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(bench.data(udp_data("198.51.100.12", "232.1.2.3")));
    bench.run_for(milliseconds(100));
  }
  const std::vector<Sent> updates = bench.all(kUpdate);
  ASSERT_EQ(updates.size(), 6U);
  for (const Sent& update : updates) {
    // IGMPv3 report behind 24 octets of IP header: one record, TO_IN, no sources, the group.
    EXPECT_EQ(update.from(12 + 24 + 6), hex("0001 03000000 e8010203"));
  }
  EXPECT_GE(gaps(updates).back(), seconds(32));
}

TEST_F(Joining, BlockedSourceThatGoesOnIsBlockedAgain) {
  EXPECT_TRUE(bench.set("239.1.2.4", exclude({})));
  EXPECT_TRUE(bench.set("239.1.2.4", exclude({"198.51.100.12"})));
  bench.run_for(seconds(1));
  bench.forget();
  EXPECT_FALSE(bench.data(udp_data("198.51.100.12", "239.1.2.4")));
  bench.run_for(milliseconds(1));
  ASSERT_EQ(bench.all(kUpdate).size(), 1U);
  EXPECT_EQ(bench.last(kUpdate).from(12 + 24 + 6), hex("0001 04000001 ef010204 c633640c"));  // TO_EX
}

}  // namespace
}  // namespace amt::test
