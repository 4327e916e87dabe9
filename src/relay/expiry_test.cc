#include <gmock/gmock.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
constexpr std::string_view kGroup = "232.1.2.3";
constexpr std::string_view kSource = "198.51.100.12";
constexpr std::string_view kOther = "198.51.100.13";
const Record kJoin{kAllow, ip(kGroup), {ip(kSource)}};

// R-5.3.3.7-a,d,e: RV * QI + QRI = 260 s.
TEST(Relay, ForgetsAnEndpointThatFallsSilent) {
  World world;
  world.join(kOne, kJoin);
  world.pass(seconds(260) - milliseconds(1));
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
  EXPECT_LE(world.deadline, world.now + milliseconds(1));
  world.pass(milliseconds(1));
  EXPECT_THAT(world.ports(kSource, kGroup), IsEmpty());
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsExpired), 1U);
}

TEST(Relay, CountsTheTimersByItsOptions) {
  RelayOptions options = World::options();
  options.robustness = 3;
  options.query_interval = seconds(5);
  World world(options);
  world.join(kOne, kJoin);
  world.pass(seconds(25) - milliseconds(1));
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  world.pass(milliseconds(1));
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// A million tunnels that fall silent together must not hold up the data path for seconds.
TEST(Relay, ForgetsManyThatFallSilentAtOnceInTurns) {
  constexpr std::uint32_t kTunnels = 2000;
  World world;
  for (std::uint32_t i = 0; i < kTunnels; ++i) world.join({{IpAddress::from_v4(0x0a000000 + i), 40000}}, kJoin);
  world.now += seconds(260);
  std::size_t left = kTunnels;
  for (int turn = 0; turn < 10 && left != 0; ++turn) {
    EXPECT_LE(world.deadline, world.now);
    world.handle_timeout();
    EXPECT_LE(left - world.relay.tunnel_count(), 512U);
    EXPECT_LT(world.relay.tunnel_count(), left);
    left = world.relay.tunnel_count();
  }
  EXPECT_EQ(left, 0U);
  EXPECT_GT(world.deadline, world.now);
}

// R-5.3.3.7-c: a valid Update refreshes; a forged one and a Request do not.
TEST(Relay, IsRefreshedByAcceptedUpdatesOnly) {
  World world;
  Grant grant = world.join(kOne, kJoin);
  world.join(kTwo, kJoin);
  world.pass(seconds(200));
  grant = world.ask(kOne, 0x66778899);
  EXPECT_EQ(world.send(kOne, update(grant, report({kJoin}))), "");
  static_cast<void>(world.ask(kTwo, 0x66778899));
  EXPECT_EQ(world.send(kTwo, update({grant.mac, 1}, report({kJoin}))), "bad_mac");
  world.pass(seconds(60));
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
  world.pass(seconds(200));
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// R-5.3.1-e: a Query answers a Request and is never sent unasked, not even about a membership that runs out.
TEST(Relay, SendsNothingUnasked) {
  World world;
  world.join(kOne, {kIsEx, ip("239.1.1.1"), {}});
  world.join(kTwo, kJoin);
  const std::uint64_t asked = world.count(RelayCounter::kQueriesSent);
  for (int day = 0; day < 24; ++day) {
    world.pass(hours(1));
    EXPECT_TRUE(world.transmits.empty());
  }
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kQueriesSent), asked);
}

// R-5.3.3.7-b, I-a: a group that is not refreshed ages out though the endpoint lives.
TEST(Relay, ForgetsAGroupThatALiveEndpointNoLongerReports) {
  World world;
  const Grant grant = world.join(kOne, kJoin);
  world.pass(seconds(100));
  EXPECT_EQ(world.send(kOne, update(grant, report({{kAllow, ip(kGroup), {ip(kOther)}}}))), "");
  world.pass(seconds(160));
  EXPECT_THAT(world.ports(kSource, kGroup), IsEmpty());
  EXPECT_THAT(world.ports(kOther, kGroup), ElementsAre(51000));
  world.pass(seconds(100));
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// I-c: EXCLUDE runs out into INCLUDE of the sources that are still wanted.
TEST(Relay, EndsExcludeModeWhenItsTimerEnds) {
  World world;
  const Grant grant = world.join(kOne, {kIsEx, ip("239.1.1.1"), {}});
  world.pass(seconds(100));
  EXPECT_EQ(world.send(kOne, update(grant, report({{kAllow, ip("239.1.1.1"), {ip(kSource)}}}))), "");
  world.pass(seconds(160));
  EXPECT_THAT(world.ports(kOther, "239.1.1.1"), IsEmpty());
  EXPECT_THAT(world.ports(kSource, "239.1.1.1"), ElementsAre(51000));
}

TEST(Relay, AppliesAnUpdateAfterTheTimersThatWereDueBeforeIt) {
  World world;
  const Grant grant = world.join(kOne, kJoin);
  // The engine was late: no handle_timeout before this Update.
  world.now += seconds(300);
  EXPECT_EQ(world.send(kOne, update(grant, report({{kAllow, ip(kGroup), {ip(kOther)}}}))), "");
  EXPECT_THAT(world.ports(kSource, kGroup), IsEmpty());
  EXPECT_THAT(world.ports(kOther, kGroup), ElementsAre(51000));
}

constexpr bool kProven = true;

// R-5.3.3.6.4-a,b
TEST(Relay, EndsATunnelAfterARowOfUnreachables) {
  RelayOptions options = World::options();
  options.unreachable_max = 3;
  World world(options);
  const Grant grant = world.join(kOne, kJoin);
  world.join(kTwo, kJoin);
  const auto unreachable = [&](int times) {
    for (int i = 0; i < times; ++i) {
      world.now += seconds(1);
      world.relay.handle_unreachable(world.now, kOne, kProven);
    }
  };
  unreachable(3);
  // An accepted Update ends the row.
  EXPECT_EQ(world.send(kOne, update(grant, report({kJoin}))), "");
  unreachable(3);
  EXPECT_EQ(world.relay.tunnel_count(), 2U);
  unreachable(1);
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51001));
  EXPECT_EQ(world.count(RelayCounter::kTunnelsUnreachable), 1U);
  world.relay.handle_unreachable(world.now, endpoint("203.0.113.1", 1), kProven);
}

// R-5.3.3.6.4-a: "a sequence of ICMP ... messages ... in response to transmission of a sequence"
TEST(Relay, EndsNoTunnelForABurstOfUnreachables) {
  World world;
  world.join(kOne, kJoin);
  for (int i = 0; i < 1000; ++i) world.relay.handle_unreachable(world.now, kOne, kProven);
  world.now += milliseconds(2999);
  world.relay.handle_unreachable(world.now, kOne, kProven);
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  world.now += milliseconds(1);
  world.relay.handle_unreachable(world.now, kOne, kProven);
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// R-5.3.3.6.4-a: anyone can forge an ICMP error
TEST(Relay, EndsNoTunnelForUnreachablesThatNothingProves) {
  World world;
  world.join(kOne, kJoin);
  for (int i = 0; i < 1000; ++i) {
    world.now += milliseconds(100);
    world.relay.handle_unreachable(world.now, kOne, !kProven);
  }
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  world.relay.handle_unreachable(world.now, kOne, kProven);
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// R-5.3.6-a,b, R-5.3.3.4-f, X-4.4-c
TEST(Relay, AcceptsTheSecretBeforeForTwoQueryIntervals) {
  World world;
  world.pass(hours(2) - seconds(1));
  const Grant one = world.ask(kOne);
  const Grant two = world.ask(kTwo);
  world.pass(seconds(1));
  EXPECT_EQ(world.count(RelayCounter::kSecretsChanged), 1U);
  EXPECT_NE(world.ask(kOne).mac, one.mac);
  world.pass(seconds(250) - milliseconds(1));
  EXPECT_EQ(world.send(kOne, update(one, report({kJoin}))), "");
  world.pass(milliseconds(1));
  EXPECT_EQ(world.send(kTwo, update(two, report({kJoin}))), "bad_mac");
}

TEST(Relay, TakesATeardownUnderTheSecretBefore) {
  World world;
  world.join(kOne, kJoin);
  world.pass(hours(2) - seconds(100));
  const Grant first = world.join(kOne, kJoin);
  world.pass(seconds(100));
  const Grant second = world.join(kOne, kJoin, 0x66778899);
  EXPECT_NE(first.mac, second.mac);
  EXPECT_EQ(world.send(kTwo, teardown(first, kOne)), "");
}

// VLC never sends a second Request: the last accepted pair stays good for its own endpoint.
TEST(Relay, TakesTheLastPairOfATunnelForEver) {
  World world;
  const Grant grant = world.join(kOne, kJoin, 0x55667788, 0x02);
  for (int i = 0; i < 300; ++i) {
    world.pass(seconds(125));
    ASSERT_EQ(world.send(kOne, update(grant, report({kJoin}))), "") << i;
  }
  EXPECT_GE(world.count(RelayCounter::kSecretsChanged), 5U);
  world.relay.for_each_tunnel(
      [](const RelayTunnel& tunnel, const RouterState&, Instant) { EXPECT_TRUE(tunnel.ecn_capable); });
  EXPECT_EQ(world.send(kTwo, update(grant, report({kJoin}))), "bad_mac");
  EXPECT_EQ(world.send(kOne, update({grant.mac, grant.nonce + 1}, report({kJoin}))), "bad_mac");
  EXPECT_EQ(world.send(kTwo, teardown({grant.mac, grant.nonce + 1}, kOne)), "bad_mac");
  EXPECT_EQ(world.send(kTwo, teardown(grant, kOne)), "");
  EXPECT_EQ(world.send(kOne, update(grant, report({kJoin}))), "bad_mac");
}

TEST(Relay, NeverChangesASecretThatAFleetShares) {
  RelayOptions options = World::options();
  options.keys.emplace_back().secret.octets()[0] = std::byte{1};
  World one(options);
  World two(options);
  two.pass(hours(100));
  EXPECT_EQ(one.ask(kOne).mac, two.ask(kOne).mac);
  EXPECT_EQ(two.count(RelayCounter::kSecretsChanged), 0U);
  EXPECT_EQ(two.deadline, kNoDeadline);
}

}  // namespace
}  // namespace amt
