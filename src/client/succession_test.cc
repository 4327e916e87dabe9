/// A client that was given one address which answers Relay Discovery: relays come and go behind it.

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

class Succession : public testing::Test {
 protected:
  Succession() {
    world.options.gateway = Bench::with_discovery();
    lead_to(kFirst);
    world.start();
    world.join(kGroup, include({kSource}));
    world.run_for(seconds(2));
  }
  void lead_to(std::string_view relay) {
    world.relay(relay);
    world.relay(kAnycastV4).advertised = address(relay);
  }
  /// A packet each 100 ms.
  void play(Duration duration) {
    for (Duration played{}; played < duration; played += milliseconds(100)) {
      world.send(kSource, kGroup);
      ++sent;
      world.run_for(milliseconds(100));
    }
  }
  [[nodiscard]] bool is_served_by(std::string_view relay) { return !world.relay(relay).gateways.empty(); }
  void expect_each_packet_once() const {
    const std::set<unsigned> distinct(world.delivered.begin(), world.delivered.end());
    EXPECT_EQ(distinct.size(), world.delivered.size()) << "no packet twice";
    EXPECT_EQ(distinct.size(), sent) << "no packet lost";
  }

  World world;
  std::size_t sent = 0;
};

// RFC 8777 §3.3.5, make before break.
TEST_F(Succession, MovesFromARelayThatSetsTheLimitFlag) {
  play(seconds(2));
  ASSERT_TRUE(is_served_by(kFirst));
  world.relay(kFirst).limit = true;
  lead_to(kSecond);
  play(seconds(130));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
  EXPECT_FALSE(is_served_by(kFirst)) << "the first is left";
  expect_each_packet_once();
  EXPECT_EQ(world.sockets.size(), 1U);
  // And on from there.
  world.relay(kSecond).limit = true;
  world.relay(kFirst).limit = false;
  lead_to(kFirst);
  play(seconds(130));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  expect_each_packet_once();
}

TEST_F(Succession, StaysWhereNoOtherRelayIs) {
  play(seconds(2));
  world.relay(kFirst).limit = true;
  play(seconds(300));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  expect_each_packet_once();
  EXPECT_EQ(world.sockets.size(), 1U);
  EXPECT_LE(world.relay(kFirst).requests, 8U);
}

TEST_F(Succession, ServesAgainWithinTwoSecondsAfterARelayDied) {
  play(seconds(2));
  world.relay(kFirst).answers = false;
  lead_to(kSecond);
  const std::size_t before = world.delivered.size();
  play(seconds(3));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
  EXPECT_GT(world.delivered.size(), before + 10);
  play(seconds(40));
  EXPECT_EQ(world.sockets.size(), 1U);
}

TEST_F(Succession, GoesOnAskingWhileTheAddressLeadsNowhere) {
  play(seconds(2));
  world.relay(kFirst).answers = false;
  world.relay(kAnycastV4).answers = false;
  play(seconds(20));
  world.relay(kAnycastV4).answers = true;
  lead_to(kSecond);
  play(seconds(16));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
}

TEST_F(Succession, GoesOnWithARelayThatComesBack) {
  play(seconds(2));
  world.relay(kFirst).answers = false;
  world.relay(kAnycastV4).answers = false;
  play(seconds(5));
  world.relay(kFirst).answers = true;
  play(seconds(60));
  const std::size_t before = world.delivered.size();
  play(seconds(2));
  EXPECT_EQ(world.delivered.size(), before + 20);
  EXPECT_EQ(world.sockets.size(), 1U);
}

TEST_F(Succession, IsNoMatterOfASourceThatPauses) {
  play(seconds(2));
  lead_to(kSecond);
  world.run_for(seconds(30));
  play(seconds(2));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  expect_each_packet_once();
}

TEST_F(Succession, LeavesBothRelaysWhenNothingIsWantedAnyMore) {
  play(seconds(2));
  world.relay(kFirst).limit = true;
  lead_to(kSecond);
  for (int i = 0; i < 1300 && !is_served_by(kSecond); ++i) play(milliseconds(100));
  ASSERT_TRUE(is_served_by(kFirst) && is_served_by(kSecond)) << world.log;
  world.leave(kGroup);
  world.run_for(seconds(60));
  EXPECT_FALSE(is_served_by(kFirst) || is_served_by(kSecond)) << world.log;
  world.join(kGroup, include({kSource}));
  world.run_for(seconds(5));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
}

}  // namespace
}  // namespace amt::test
