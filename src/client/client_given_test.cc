/// A client whose relays were given: by address, by name.

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

TEST(Given, ADeadFirstRelayCostsAMomentOnly) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst), endpoint(kSecond)});
  world.relay(kFirst).answers = false;
  world.relay(kSecond);
  world.start();
  world.join(kGroup, include({kSource}));
  world.run_for(milliseconds(600));
  EXPECT_EQ(world.relay(kSecond).gateways.size(), 1U);
  EXPECT_EQ(world.chosen, (std::vector{address(kSecond)}));
}

TEST(Given, TheFirstRelayThatAnswersIsUsed) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst), endpoint(kSecond)});
  world.relay(kFirst);
  world.relay(kSecond);
  world.start();
  world.join(kGroup, include({kSource}));
  world.run_for(seconds(2));
  EXPECT_EQ(world.chosen, (std::vector{address(kFirst)}));
  EXPECT_EQ(world.relay(kSecond).requests, 0U) << "nobody asks more relays than need be";
}

TEST(Given, PortAndPurposeBelongToTheFirstTunnel) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst)});
  world.options.port = 4711;
  world.options.port_purpose = "gateway amt0";
  world.start();
  ASSERT_EQ(world.sockets.size(), 1U);
  EXPECT_EQ(world.sockets.begin()->second.port, 4711);
  EXPECT_EQ(world.sockets.begin()->second.purpose, "gateway amt0");
}

TEST(Given, ShutdownTearsDownAndClosesEverySocket) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst)});
  world.relay(kFirst);
  world.start();
  world.join(kGroup, include({kSource}));
  world.run_for(seconds(1));
  ASSERT_EQ(world.relay(kFirst).gateways.size(), 1U);
  world.shut_down();
  world.run_for(seconds(1));
  EXPECT_TRUE(world.sockets.empty());
  EXPECT_EQ(world.deadline, kNoDeadline);
  EXPECT_FALSE(world.client->set_membership(world.now, address(kGroup), include({kSource})));
}

TEST(Given, RefusesWhatNoRelayWouldTake) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst)});
  world.start();
  EXPECT_FALSE(world.client->set_membership(world.now, address("224.0.0.1"), exclude({})));
  EXPECT_FALSE(world.client->set_membership(world.now, address(kGroup), exclude({})));
  EXPECT_FALSE(world.client->set_membership(world.now, address("10.0.0.1"), exclude({})));
  EXPECT_TRUE(world.client->set_membership(world.now, address("233.1.1.1"), exclude({})));
}

class NamedRelays : public testing::Test {
 protected:
  static constexpr std::string_view kName = "relay.example";

  void begin(std::vector<std::string_view> at) {
    NamedRelay named{.name = std::string(kName), .port = kAmtPort};
    for (const std::string_view one : at) {
      named.endpoints.push_back(endpoint(one));
      world.relay(one);
    }
    world.options.gateway = Bench::quiet();
    // A new group that does not come is asked about: so silence is noticed.
    world.options.gateway.missing = seconds(2);
    for (const Endpoint& relay : named.endpoints) {
      world.options.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
    }
    world.options.names.push_back(named);
    world.start();
    world.join(kGroup, include({kSource}));
    world.run_for(seconds(2));
  }
  void move_to(std::string_view at) {
    world.hosts[std::string(kName)] = {address(at)};
    world.relay(at);
    for (auto& [endpoint, relay] : world.relays) relay.answers = endpoint.address == address(at);
  }
  [[nodiscard]] bool is_served_by(std::string_view relay) { return !world.relay(relay).gateways.empty(); }

  World world;
};

TEST_F(NamedRelays, AreLookedUpAgainNowAndThen) {
  begin({kFirst});
  world.hosts[std::string(kName)] = {address(kFirst)};
  world.run_for(RelayNames::kRefresh * 2);
  EXPECT_EQ(world.hosts_asked, 2U);
  EXPECT_FALSE(world.said("is now at"));
}

TEST_F(NamedRelays, AreLookedUpSoonWhenTheRelayIsSilent) {
  begin({kFirst});
  ASSERT_TRUE(is_served_by(kFirst)) << world.log;
  move_to(kSecond);
  // A new group is asked for: the silence is noticed.
  world.join("232.1.1.2", include({kSource}));
  world.run_for(seconds(120));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
  EXPECT_TRUE(world.said("relay relay.example is now at 192.0.2.2:2268"));
  EXPECT_EQ(world.chosen.back(), address(kSecond));
}

TEST_F(NamedRelays, GetASocketOfAnotherFamilyWhenTheyMoveThere) {
  begin({kFirst});
  ASSERT_EQ(world.sockets.size(), 1U);
  move_to("2001:db8::2");
  world.run_for(RelayNames::kRefresh * 2);
  EXPECT_EQ(world.sockets.size(), 2U);
  EXPECT_TRUE(is_served_by("2001:db8::2")) << world.log;
}

TEST_F(NamedRelays, AreRacedAnewWhenSeveralWereGiven) {
  begin({kFirst, kSecond});
  ASSERT_TRUE(is_served_by(kFirst)) << world.log;
  move_to("192.0.2.7");
  for (int i = 0; i < 700 && !is_served_by("192.0.2.7"); ++i) world.run_for(seconds(1));
  EXPECT_TRUE(is_served_by("192.0.2.7")) << world.log;
}

TEST(Given, WhatCannotBeSentIsSaidOnceUntilTheRelayIsHeard) {
  World world;
  world.options.gateway = Bench::with_relays({endpoint(kFirst)});
  world.relay(kFirst);
  world.send_problem = "Network is unreachable";
  world.start();
  world.join(kGroup, include({kSource}));
  world.run_for(seconds(60));
  EXPECT_EQ(world.times_said("cannot be reached from here: Network is unreachable"), 1U) << world.log;
  EXPECT_NE(world.client->reason_of_silence().find("cannot be reached from here: Network is unreachable"),
            std::string::npos);
  world.send_problem.clear();
  world.run_for(seconds(60));
  ASSERT_EQ(world.relay(kFirst).gateways.size(), 1U) << world.log;
  world.send_problem = "Network is unreachable";
  world.join("232.1.1.2", include({kSource}));
  world.run_for(seconds(60));
  EXPECT_EQ(world.times_said("cannot be reached from here: Network is unreachable"), 2U) << world.log;
}

}  // namespace
}  // namespace amt::test
