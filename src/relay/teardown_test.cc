#include <gmock/gmock.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
constexpr std::string_view kGroup = "232.1.2.3";
constexpr std::string_view kSource = "198.51.100.12";
const Record kJoin{kAllow, ip(kGroup), {ip(kSource)}};

// Section 2, vector "Teardown for the same endpoint"; R-5.3.5-c, R-5.3.3.5-b,c,d,e, R-5.1.4-c.
// R-5.1.7-a, X-10-1: the MAC is that of the fields, whoever sends it from where
TEST(Relay, EndsATunnelByATeardownFromAnywhere) {
  World world;
  const Grant grant = world.join(kOne, kJoin);
  ASSERT_EQ(world.send(kOne, update(grant, report({{kIsEx, ip("ff0e::99"), {}}}))), "");
  world.join(kTwo, {kAllow, ip("232.1.2.4"), {ip(kSource)}});
  Octets message = hex("0700a1a2 a3a4a5a6 55667788 c7380000 00000000 00000000 0000c000 0201");
  std::ranges::copy(grant.mac, message.begin() + 2);
  ASSERT_EQ(world.send(endpoint("2001:db8:9::9", 9), message), "");
  EXPECT_TRUE(world.transmits.empty());
  EXPECT_THAT(world.ports(kSource, kGroup), IsEmpty());
  EXPECT_THAT(world.upstream, UnorderedElementsAre("232.1.2.3 INCLUDE{}", "ff0e::99 INCLUDE{}"));
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  EXPECT_THAT(world.ports(kSource, "232.1.2.4"), ElementsAre(51001));
  EXPECT_EQ(world.count(RelayCounter::kTeardownsAccepted), 1U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsTornDown), 1U);
  // A repeat (R-5.2.3.7.2-c) finds nothing.
  EXPECT_EQ(world.send(kTwo, message), "unknown_tunnel");
}

// R-5.3.3.5-a
// R-5.3.5-a, X-10-1
TEST(Relay, IgnoresATeardownWhoseMacIsNotOfItsFields) {
  World world;
  const Grant grant = world.join(kOne, kJoin);
  const Grant two = world.join(kTwo, kJoin, 0x55667789);
  EXPECT_EQ(world.send(kOne, teardown({hex("a1a2a3a4a5a6"), grant.nonce}, kOne)), "bad_mac");
  EXPECT_EQ(world.send(kOne, teardown({grant.mac, grant.nonce + 7}, kOne)), "bad_mac");
  EXPECT_EQ(world.send(kTwo, teardown(two, kOne)), "bad_mac");
  EXPECT_EQ(world.send(kOne, teardown(grant, endpoint("192.0.2.2", 51000))), "bad_mac");
  EXPECT_EQ(world.send(kOne, hex("0700a1a2 a3a4a5a6 55667788 c738")), "bad_length");
  EXPECT_EQ(world.count(RelayReject::kBadMac), 4U);
}

// X-4.4-b: an address that some gateway writes IPv4-mapped is that IPv4 address.
TEST(Relay, TakesAMappedAddressInATeardownForTheIpv4OneThatItIs) {
  World world;
  const Grant grant = world.join(kOne, kJoin);
  Octets mapped = teardown(grant, kOne);
  mapped[24] = mapped[25] = std::byte{0xff};
  EXPECT_EQ(world.send(kOne, mapped), "");
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

TEST(Relay, EndsTheTunnelOfAnIpv6Gateway) {
  for (const std::string_view address : {"2001:db8:1::7", "::1"}) {
    World world;
    const TunnelEndpoint from = endpoint(address, 6);
    const Grant grant = world.join(from, kJoin);
    EXPECT_EQ(world.send(kOne, teardown(grant, from)), "");
    EXPECT_EQ(world.relay.tunnel_count(), 0U);
  }
}

// The pair is good, but there is nothing: no answer, no harm.
TEST(Relay, CountsATeardownOfAnEndpointWithoutTunnel) {
  World world;
  const Grant grant = world.ask(kOne);
  EXPECT_EQ(world.send(kOne, teardown(grant, kOne)), "unknown_tunnel");
  EXPECT_TRUE(world.transmits.empty());
}

// R-5.3.4-a
TEST(Relay, LeavesEverythingUpstreamAtShutdown) {
  World world;
  world.join(kOne, kJoin);
  const Grant grant = world.join(kTwo, {kIsEx, ip("239.1.1.1"), {}});
  world.relay.shutdown(world.now);
  world.pass(seconds(0));
  std::vector<std::string> left;
  while (const auto change = world.relay.poll_upstream()) left.push_back(change->group.to_string());
  EXPECT_THAT(left, UnorderedElementsAre("232.1.2.3", "239.1.1.1"));
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsShutDown), 2U);
  EXPECT_EQ(world.send(kTwo, request(0x55667788)), "shut_down");
  EXPECT_EQ(world.send(kTwo, update(grant, report({kJoin}))), "shut_down");
}

}  // namespace
}  // namespace amt
