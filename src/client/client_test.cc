#include "client/client.hh"

#include "client/test_world.hh"

namespace amt::test {
namespace {

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
