#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

const TunnelEndpoint kGateway4 = endpoint("198.51.100.7", 40000);
const TunnelEndpoint kGateway6 = endpoint("2001:db8:1::7", 40000);

// R-5.3.3.2-b,c,d, R-5.1.2-b
// R-5.3.2-b
TEST(Relay, AnswersDiscoveryFromTheAnycastAddressWithTheUnicastOne) {
  World world;
  ASSERT_EQ(world.send(kGateway4, hex("01000000 11223344"), local("192.52.193.1")), "");
  ASSERT_EQ(world.transmits.size(), 1U);
  EXPECT_EQ(to_hex(world.transmits[0].datagram), "0200000011223344c0000264");
  EXPECT_EQ(world.transmits[0].to, kGateway4);
  EXPECT_EQ(world.transmits[0].from, local("192.52.193.1"));

  ASSERT_EQ(world.send(kGateway6, hex("01000000 11223344"), local("2001:3::1")), "");
  ASSERT_EQ(world.transmits.size(), 1U);
  EXPECT_EQ(to_hex(world.transmits[0].datagram), "020000001122334420010db8000000000000000000000100");
  EXPECT_EQ(world.transmits[0].from, local("2001:3::1"));
  EXPECT_EQ(world.count(RelayCounter::kAdvertisementsSent), 2U);
}

TEST(Relay, IgnoresADiscoveryOfAFamilyThatItDoesNotServe) {
  RelayOptions options = World::options();
  options.advertise_v6.reset();
  World world(options);
  EXPECT_EQ(world.send(kGateway6, discovery(1)), "no_address_of_family");
  EXPECT_TRUE(world.transmits.empty());
}

// Section 2: reserved bits are ignored on receipt. X-5.1-a: too short is rejected, surplus is ignored.
TEST(Relay, TakesADiscoveryWithReservedBitsAndSurplusButNotAShortOne) {
  World world;
  EXPECT_EQ(world.send(kGateway4, hex("01ffffff 11223344")), "");
  EXPECT_EQ(world.send(kGateway4, hex("01000000 11223344 ab")), "");
  EXPECT_EQ(world.send(kGateway4, hex("01000000 112233")), "bad_length");
  EXPECT_TRUE(world.transmits.empty());
}

// R-5.1-b, R-5.3.3.1-a
TEST(Relay, IgnoresWhatIsNoMessageForARelay) {
  World world;
  EXPECT_EQ(world.send(kGateway4, {}), "empty");
  EXPECT_EQ(world.send(kGateway4, hex("11000000 11223344")), "bad_version");
  EXPECT_EQ(world.send(kGateway4, hex("00000000 11223344")), "unknown_type");
  EXPECT_EQ(world.send(kGateway4, hex("08000000 11223344")), "unknown_type");
  EXPECT_EQ(world.send(kGateway4, hex("02000000 11223344 c0000264")), "wrong_role");
  EXPECT_EQ(world.send(kGateway4, hex("0400a1a2 a3a4a5a6 55667788")), "wrong_role");
  EXPECT_EQ(world.send(kGateway4, hex("0600")), "wrong_role");
  EXPECT_EQ(world.count(RelayReject::kWrongRole), 3U);
  EXPECT_EQ(world.count(RelayReject::kUnknownType), 2U);
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// X-4.1-a
TEST(Relay, LimitsDiscoveriesOfOneSourceAndNotOfAnother) {
  RelayOptions options = World::options();
  options.answers.advertisements_per_address_max = 40;
  World world(options);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(world.send(kGateway4, discovery(7)), "") << i;
  EXPECT_EQ(world.send(kGateway4, discovery(7)), "discovery_rate_limit");
  EXPECT_EQ(world.send(kGateway6, discovery(7)), "");
  world.pass(seconds(1));
  EXPECT_EQ(world.send(kGateway4, discovery(7)), "");
  EXPECT_EQ(world.count(RelayReject::kDiscoveryRateLimit), 1U);
}

TEST(Relay, NamesEachCounterOnce) {
  std::vector<std::string> names;
  World world;
  world.relay.counters().for_each([&](std::string_view name, std::uint64_t) { names.emplace_back(name); });
  world.relay.rejects().for_each([&](std::string_view name, std::uint64_t) { names.emplace_back(name); });
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  EXPECT_TRUE(std::ranges::binary_search(names, "reject_bad_mac"));
  EXPECT_EQ(to_string(RelayReject::kBadMac), "bad_mac");
}

}  // namespace
}  // namespace amt
