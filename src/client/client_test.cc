#include "client/client.hh"

#include "client/test_world.hh"

namespace amt::test {
namespace {

constexpr std::string_view kGroup = "232.1.1.1";
constexpr std::string_view kSource = "198.51.100.1";
constexpr std::string_view kFirst = "192.0.2.1";
constexpr std::string_view kSecond = "192.0.2.2";
constexpr std::string_view kAnycastV4 = "192.52.193.1";

class Found : public testing::Test {
 protected:
  Found() { world.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast}; }
  void watch() { world.join(kGroup, include({kSource})); }
  /// So many packets, 10 ms apart.
  void play(std::size_t packets) {
    for (std::size_t i = 0; i < packets; ++i) {
      world.send(kSource, kGroup);
      world.run_for(milliseconds(10));
    }
    world.run_for(milliseconds(50));
  }
  [[nodiscard]] bool is_served_by(std::string_view relay) { return !world.relay(relay).gateways.empty(); }
  /// Every packet once.
  void expect_no_repeats() const {
    const std::set<unsigned> distinct(world.delivered.begin(), world.delivered.end());
    EXPECT_EQ(distinct.size(), world.delivered.size());
  }

  World world;
};

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
    for (const Endpoint& at : named.endpoints) {
      world.options.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, at});
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

// D-3.4-a: the source's reverse name is asked for AMTRELAY records, and the relay in them is used.
TEST_F(Found, TheSourcesOwnRelayIsUsed) {
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  play(10);
  EXPECT_EQ(world.delivered.size(), 10U);
}

TEST_F(Found, LowerPrecedenceIsTriedFirst) {
  world.name_relay(kSource, kFirst, 20);
  world.name_relay(kSource, kSecond, 10);
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kSecond));
  EXPECT_FALSE(is_served_by(kFirst));
}

// RFC 8305 §5: the next is asked while the first has not answered yet.
TEST_F(Found, ADeadFirstRelayCostsAMomentOnly) {
  world.name_relay(kSource, kFirst, 10);
  world.name_relay(kSource, kSecond, 20);
  world.relay(kFirst).answers = false;
  world.start();
  watch();
  world.run_for(milliseconds(600));
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
}

TEST_F(Found, AnycastServesWhereNobodyNamesARelay) {
  world.relay(kAnycastV4);
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kAnycastV4)) << world.log;
}

// D-3.3.5-a: a relay that sets L is not used while another serves.
TEST_F(Found, AFullRelayIsPassedOver) {
  world.name_relay(kSource, kFirst, 10);
  world.name_relay(kSource, kSecond, 20);
  world.relay(kFirst).limit = true;
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kSecond));
  EXPECT_TRUE(world.said("refuses new gateways (L flag)")) << world.log;
}

TEST_F(Found, AnotherRelayTakesOverFromOneThatDies) {
  world.name_relay(kSource, kFirst, 10);
  world.name_relay(kSource, kSecond, 20);
  world.start();
  watch();
  world.run_for(seconds(2));
  play(200);
  ASSERT_TRUE(is_served_by(kFirst));
  const std::size_t before = world.delivered.size();
  world.relay(kFirst).answers = false;
  play(300);
  EXPECT_TRUE(is_served_by(kSecond)) << world.log;
  EXPECT_GT(world.delivered.size(), before + 90) << "served again within 2 s";
  expect_no_repeats();
}

// Make before break: while both relays bring the source, each packet is handed on once.
TEST_F(Found, AMoveBringsNoPacketTwice) {
  world.name_relay(kSource, kFirst, 10);
  world.name_relay(kSource, kSecond, 20);
  world.start();
  watch();
  world.run_for(seconds(2));
  play(100);
  world.relay(kFirst).serves = false;
  // It answers and delivers nothing: D-3.3.4.1-a.
  for (int i = 0; i < 20 && !is_served_by(kSecond); ++i) play(100);
  ASSERT_TRUE(is_served_by(kSecond)) << world.log;
  world.relay(kFirst).serves = true;
  play(400);
  expect_no_repeats();
  EXPECT_FALSE(is_served_by(kFirst)) << "the old relay is left";
}

TEST_F(Found, AChangeOfTheOwnAddressLooksAnew) {
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(2));
  world.client->handle_network_change(world.now);
  world.drain();
  world.run_for(seconds(3));
  EXPECT_FALSE(world.said("the network changed")) << "the relay is reached as before";
  world.own_v4 = address("10.0.9.1");
  world.client->handle_network_change(world.now);
  world.drain();
  world.run_for(seconds(3));
  EXPECT_TRUE(world.said("the network changed")) << world.log;
}

TEST_F(Found, AChangeOfTheWayToATunnelsRelayAloneIsNoticed) {
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(2));
  ASSERT_TRUE(is_served_by(kFirst));
  world.own_to[address(kFirst)] = address("10.0.7.1");
  world.client->handle_network_change(world.now);
  world.drain();
  world.run_for(seconds(3));
  EXPECT_TRUE(world.said("the network changed")) << world.log;
}

TEST_F(Found, ARecordWithAnAddressThatNoRelayCanHaveIsSaid) {
  world.name_relay(kSource, "127.0.0.1");
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(world.said("AMTRELAY of ")) << world.log;
  EXPECT_TRUE(world.said(": refused")) << world.log;
}

TEST_F(Found, AnswersMayComeBeforeTheNextPoll) {
  world.answers_at_once = true;
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  play(10);
  EXPECT_EQ(world.delivered.size(), 10U);
}

TEST_F(Found, WithoutSocketsThereIsAReasonAndNoHaste) {
  world.sockets_fail = true;
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(10));
  EXPECT_NE(world.client->reason_of_silence().find("no more sockets"), std::string::npos)
      << world.client->reason_of_silence();
}

TEST_F(Found, TunnelsAndSocketsEndWhenNothingIsWanted) {
  world.name_relay(kSource, kFirst);
  world.start();
  watch();
  world.run_for(seconds(2));
  world.leave(kGroup);
  world.run_for(seconds(20));
  EXPECT_FALSE(is_served_by(kFirst));
  EXPECT_TRUE(world.sockets.empty());
}

class Native : public Found {
 protected:
  Native() {
    world.options.native = true;
    world.name_relay(kSource, kFirst);
  }
  void bring_natively() {
    Octets message = World::numbered(udp_data(kSource, kGroup), ++world.packet_number);
    const Bytes datagram = Bytes(message).subspan(2);
    world.client->handle_native(world.now, std::span(&datagram, 1));
    world.drain();
  }
};

// D-3.1.1-a (1): the local network comes first.
TEST_F(Native, NoRelayIsAskedWhileTheLocalNetworkBringsIt) {
  world.start();
  watch();
  ASSERT_EQ(world.natively, (std::vector<std::string>{"232.1.1.1 INCLUDE{198.51.100.1}"}));
  for (int i = 0; i < 300; ++i) {
    bring_natively();
    world.run_for(milliseconds(10));
  }
  EXPECT_EQ(world.relay(kFirst).requests, 0U);
  EXPECT_EQ(world.delivered.size(), 300U);
  EXPECT_EQ(world.client->native_packets(), 300U);
}

TEST_F(Native, TheTunnelBringsWhatTheLocalNetworkDoesNot) {
  world.start();
  watch();
  world.run_for(seconds(2));
  EXPECT_TRUE(is_served_by(kFirst)) << world.log;
  play(10);
  EXPECT_EQ(world.delivered.size(), 10U);
}

class Payloads : public testing::Test {
 protected:
  Payloads() {
    world.options.gateway = Bench::with_relays({endpoint(kFirst)});
    world.options.payloads = true;
    world.relay(kFirst);
  }
  void begin(std::optional<std::uint16_t> port) {
    world.options.payload_port = port;
    world.start();
    world.join(kGroup, include({kSource}));
    world.run_for(seconds(1));
    world.send(kSource, kGroup);
    world.run_for(seconds(1));
  }

  World world;
};

TEST_F(Payloads, ComeFromTheWantedPort) {
  begin(5001);
  ASSERT_EQ(world.payload_sources.size(), 1U);
  EXPECT_EQ(world.payload_sources[0], endpoint("198.51.100.1:5000"));
}

TEST_F(Payloads, OfAnotherPortAreCounted) {
  begin(5002);
  EXPECT_TRUE(world.payload_sources.empty());
  EXPECT_EQ(world.client->payload_drops().other_port, 1U);
}

}  // namespace
}  // namespace amt::test
