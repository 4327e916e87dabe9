#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

/// A gateway with an accepted IGMP Query and nothing subscribed.
class Connected : public ::testing::Test {
 protected:
  Connected() {
    EXPECT_TRUE(bench.answer_igmp());
    nonce = bench.last(kRequest).nonce();
    bench.forget();
  }
  [[nodiscard]] Octets update(std::string_view inner) const {
    return joined({hex("0500a1a2 a3a4a5a6"), nonce, hex(inner)});
  }

  Bench bench;
  Octets nonce;
};

TEST_F(Connected, JoinIsTheVector) {  // R-5.1.5-a, R-5.2.1-b, R-5.2.1-d, R-5.2.3.6.2-b, H-b
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].to, endpoint("192.0.2.9:2268"));
  EXPECT_EQ(bench.sent[0].octets, update("46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8 00000001"
                                         "05000001 e8010203 c633640c"));
}

TEST_F(Connected, ChangeIsRepeatedByRobustness) {  // R-5.2.1-e, H-c
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(30));
  const std::vector<Sent> updates = bench.all(kUpdate);
  ASSERT_EQ(updates.size(), 2U);
  EXPECT_EQ(updates[1].octets, updates[0].octets);
  EXPECT_LE(updates[1].at - updates[0].at, seconds(1));
}

TEST_F(Connected, LeaveIsReportedAtOnce) {  // R-5.2.1-e, H-b
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(3));
  bench.forget();
  EXPECT_TRUE(bench.set("232.1.2.3", include({})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].octets.at(12 + 24 + 8), std::byte{6});  // BLOCK
}

TEST_F(Connected, AnySourceGroupIsAnExcludeRecord) {  // R-5.2.1-a: ASM as well as SSM
  EXPECT_TRUE(bench.set("239.1.2.3", exclude({})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].from(12 + 24 + 8), hex("04000000 ef010203"));  // TO_EX
}

TEST_F(Connected, WhatMustNotBeReportedIsRefused) {  // S-b, S-c, H-f
  EXPECT_FALSE(bench.set("232.1.2.3", exclude({})));
  EXPECT_FALSE(bench.set("224.0.0.251", exclude({})));
  EXPECT_FALSE(bench.set("ff02::fb", exclude({})));
  EXPECT_TRUE(bench.sent.empty());
}

TEST_F(Connected, ManyRecordsAreSplitOverUpdates) {  // H-e
  for (int i = 0; i < 200; ++i) {
    const std::string group = "232.1.2." + std::to_string(i);
    EXPECT_TRUE(bench.gateway.set_membership(bench.now, address(group), include({"198.51.100.12"})));
  }
  bench.run_for(seconds(10));
  bench.forget();
  bench.run_for(seconds(125));
  EXPECT_TRUE(bench.answer_igmp());
  ASSERT_EQ(bench.all(kUpdate).size(), 3U);  // 200 records of 12 octets in datagrams of at most 1220
  for (const Sent& sent : bench.all(kUpdate)) EXPECT_LE(sent.octets.size(), 1280U - 48);
}

TEST_F(Connected, UpdatesGoOnUnderTheLastQueryWhileItIsRefreshed) {  // R-5.2.3.6.2-b
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(125));
  bench.forget();
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  ASSERT_EQ(bench.all(kUpdate).size(), 1U);
  EXPECT_EQ(bench.last(kUpdate).nonce(), nonce);
}

TEST(GatewayUpdate, MldJoinIsTheVector) {  // R-5.2.1-c, R-4.2.1.2-a
  Bench bench;
  EXPECT_TRUE(bench.set("ff3e::8000:c", include({"2001:db8::a"})));
  const Octets nonce = bench.requests(true)[0].nonce();
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce}.mld()));
  bench.run_for(seconds(5));
  bench.forget();
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(bench.sent[0].octets,
            joined({hex("0500a1a2 a3a4a5a6"), nonce,
                    hex("60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016"
                        "3a000502 00000100 8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8"
                        "00000000 00000000 0000000a")}));
}

TEST(GatewayUpdate, NothingIsSentBeforeTheFirstQuery) {  // R-5.2.3.6.1-b, R-5.2.3.6.2-a
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("232.1.2.4", include({})));
  bench.run_for(milliseconds(500));
  EXPECT_TRUE(bench.all(kUpdate).empty());
  EXPECT_TRUE(bench.answer_igmp());
  bench.run_for(seconds(10));
  ASSERT_EQ(bench.all(kUpdate).size(), 2U);  // the end state, and its repeat
  EXPECT_EQ(bench.all(kUpdate)[0].from(12 + 24 + 6), hex("0001 01000001 e8010203 c633640c"));  // IS_IN
}

TEST(GatewayUpdate, LostFirstUpdateIsMadeGoodWithinASecond) {  // R-5.2.1-e: what was joined is a change, too
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.robustness = 3}));
  bench.run_for(seconds(100));
  const std::vector<Sent> updates = bench.all(kUpdate);
  ASSERT_EQ(updates.size(), 3U);  // robustness
  for (const Duration gap : gaps(updates)) EXPECT_LE(gap, seconds(1));
  EXPECT_EQ(updates[2].octets, updates[0].octets);
}

TEST(GatewayUpdate, CurrentStateFollowsEachQueryAtOnce) {  // R-5.2.1-f, H-d
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  for (int cycle = 0; cycle < 3; ++cycle) {
    bench.run_for(seconds(2));  // repeats are over
    bench.forget();
    bench.run_for(seconds(19));
    EXPECT_TRUE(bench.answer_igmp({.qqic = 20}));
    EXPECT_EQ(bench.all(kUpdate).size(), 1U);
    EXPECT_EQ(bench.last(kUpdate).nonce(), bench.last(kRequest).nonce());
  }
}

TEST(GatewayUpdate, NoneWithoutSubscriptions) {  // R-5.2.3.5.1-b
  Bench bench;
  for (int cycle = 0; cycle < 3; ++cycle) {
    EXPECT_TRUE(bench.answer_igmp({.qqic = 5}));
    bench.run_for(seconds(5));
  }
  EXPECT_TRUE(bench.all(kUpdate).empty());
}

TEST(GatewayUpdate, RobustnessOfTheQueryCounts) {  // H-g, R-5.2.1-e
  Bench bench;
  EXPECT_TRUE(bench.answer_igmp({.robustness = 4}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(10));
  EXPECT_EQ(bench.all(kUpdate).size(), 4U);
}

TEST(GatewayUpdate, RobustnessZeroIsTheDefault) {  // H-g, RFC 3376 §4.1.6
  Bench bench;
  EXPECT_TRUE(bench.answer_igmp({.robustness = 0}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(10));
  EXPECT_EQ(bench.all(kUpdate).size(), 2U);
}

TEST(GatewayUpdate, MembershipsAreListed) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  std::vector<std::string> listed;
  bench.gateway.for_each_membership(
      [&](const IpAddress& group, const SourceFilter&) { listed.push_back(group.to_string()); });
  EXPECT_EQ(listed, (std::vector<std::string>{"232.1.2.3", "ff3e::8000:d"}));
}

}  // namespace
}  // namespace amt::test
