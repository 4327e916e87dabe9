#include <gtest/gtest.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.2", 51000);
const Record kJoin{kAllow, ip("232.1.2.3"), {ip("198.51.100.12")}};

RelayOptions with_policy(GatewayFieldsPolicy policy) {
  RelayOptions options = World::options();
  options.gateway_fields = policy;
  return options;
}

class GatewayFieldsTest : public ::testing::Test {
 protected:
  /// Does the Query that answers carry G, and are the octets there if and only if it does (R-5.1.4-a)?
  bool asks_with_g(const TunnelEndpoint& from, std::uint32_t nonce, unsigned flags = 0) {
    EXPECT_EQ(world_.send(from, request(nonce, flags)), "");
    const ControlDatagram& query = world_.transmits.at(0).datagram;
    const bool g = (query[1] & std::byte{1}) != std::byte{0};
    EXPECT_EQ(query.size(), 12U + ((flags & 0x81) != 0 ? 76U : 36U) + (g ? 18U : 0U));
    grant_ = {Octets(query.begin() + 2, query.begin() + 8), nonce};
    return g;
  }
  void answer(const TunnelEndpoint& from) { EXPECT_EQ(world_.send(from, update(grant_, report({kJoin}))), ""); }

  World world_{with_policy(GatewayFieldsPolicy::kAuto)};
  Grant grant_;
};

// R-5.3.3.3-c, X-10-2
TEST_F(GatewayFieldsTest, AreGivenToAGatewayThatDoesAsTheRfcSays) {
  for (std::uint32_t cycle = 0; cycle < 5; ++cycle) {
    const std::uint32_t nonce = 0x70000000 + cycle;
    EXPECT_TRUE(asks_with_g(kOne, nonce));
    EXPECT_TRUE(asks_with_g(kOne, nonce, 0x01)) << "one nonce for both protocols";
    answer(kOne);
    world_.pass(seconds(5));
  }
}

TEST_F(GatewayFieldsTest, AreGivenToAGatewayThatAsksNowAndThenButWantsNothing) {
  for (std::uint32_t cycle = 0; cycle < 5; ++cycle) {
    EXPECT_TRUE(asks_with_g(kOne, 0x70000000 + cycle));
    world_.pass(seconds(125));
  }
}

// VLC 4
TEST_F(GatewayFieldsTest, AreKeptFromAGatewayThatRepeatsTheNonceOfItsDiscovery) {
  ASSERT_EQ(world_.send(kOne, discovery(0x70001234), local("192.52.193.1")), "");
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234));
  EXPECT_TRUE(asks_with_g(kTwo, 0x70001234)) << "another gateway, by chance";
  EXPECT_TRUE(asks_with_g(kOne, 0x70001235));
}

// The Linux kernel's gateway asks for both with one nonce; what it dropped comes again at once, without the fields.
TEST_F(GatewayFieldsTest, AreLeftOutOfAQueryThatIsRepeatedToTheLinuxKernel) {
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  const Octets mac = grant_.mac;
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234, 0x80));
  ASSERT_EQ(world_.transmits.size(), 2U);
  const ControlDatagram& again = world_.transmits.at(1).datagram;
  EXPECT_EQ(again.size(), 48U);
  EXPECT_EQ(again[1], std::byte{0});
  EXPECT_EQ(again[12] >> 4, std::byte{4}) << "IGMP";
  EXPECT_EQ(Octets(again.begin() + 2, again.begin() + 8), mac);
  EXPECT_EQ(world_.transmits.at(1).to, kOne);
  // Once, and for that Request alone.
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234, 0x80));
  EXPECT_EQ(world_.transmits.size(), 1U);
  EXPECT_TRUE(asks_with_g(kTwo, 0x70001234));
  EXPECT_FALSE(asks_with_g(kTwo, 0x70005678, 0x80));
  EXPECT_EQ(world_.transmits.size(), 1U) << "another nonce: not the Request that was answered with G";
}

// Two answers to one Request count as two.
TEST(GatewayFields, AreNotLeftOutOfARepeatedQueryBeyondTheLimitOfAnEndpoint) {
  RelayOptions options = World::options();
  options.gateway_fields = GatewayFieldsPolicy::kAuto;
  options.answers.queries_per_address_max = 2;
  World world(options);
  EXPECT_EQ(world.send(kOne, request(0x70001234)), "");
  EXPECT_EQ(world.send(kOne, request(0x70001234, 0x80)), to_string(RelayReject::kRequestRateLimit));
  EXPECT_EQ(world.transmits.size(), 1U);
  EXPECT_EQ(world.count(RelayReject::kRequestRateLimit), 1U);
  EXPECT_EQ(world.count(RelayCounter::kQueriesSent), 2U);
}

// The Linux kernel's gateway: IGMP Request without a mark, MLD Request with P at 0x80.
TEST_F(GatewayFieldsTest, AreKeptFromTheLinuxKernelOnceItHasShownItself) {
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234, 0x80));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234));
  answer(kOne);
  world_.pass(seconds(125));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001235));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001235, 0x80));
}

// js4ms counts from 1.
TEST_F(GatewayFieldsTest, AreKeptFromAGatewayThatCountsItsNonces) {
  EXPECT_FALSE(asks_with_g(kOne, 1));
  EXPECT_FALSE(asks_with_g(kOne, 65535));
  EXPECT_TRUE(asks_with_g(kOne, 65536));
}

TEST_F(GatewayFieldsTest, AreKeptFromAGatewayThatAsksAgainInsteadOfAnswering) {
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  world_.pass(seconds(1));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234));
  answer(kOne);
  world_.pass(seconds(30));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001235)) << "remembered";
  EXPECT_TRUE(asks_with_g(kTwo, 0x70001234));
}

// A lost Query must not cost a gateway its Teardown for longer than a cycle.
TEST_F(GatewayFieldsTest, AreTriedAgainInTheNextCycleOfAGatewayThatAskedAgain) {
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234));
  answer(kOne);
  world_.pass(seconds(125));
  EXPECT_TRUE(asks_with_g(kOne, 0x70001235));
}

TEST_F(GatewayFieldsTest, AreTriedOnTheLinuxKernelAgainAfterAnHour) {
  EXPECT_FALSE(asks_with_g(kOne, 0x70001234, 0x80));
  world_.pass(hours(1) - seconds(1));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001235));
  world_.pass(seconds(1));
  EXPECT_TRUE(asks_with_g(kOne, 0x70001236));
}

TEST_F(GatewayFieldsTest, AreNotKeptForOneLostQueryFromAGatewayThatHasShownItCanReadThem) {
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  answer(kOne);
  world_.pass(seconds(125));
  EXPECT_TRUE(asks_with_g(kOne, 0x70001235));
  world_.pass(seconds(1));
  EXPECT_TRUE(asks_with_g(kOne, 0x70001235));
  world_.pass(seconds(1));
  EXPECT_TRUE(asks_with_g(kOne, 0x70001235));
  world_.pass(seconds(1));
  EXPECT_FALSE(asks_with_g(kOne, 0x70001235)) << "by now it is another gateway";
}

TEST_F(GatewayFieldsTest, SurviveAFloodOfContacts) {
  SeededRandom random(1);
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234));
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(world_.send({{IpAddress::from_v4(random.u32()), 1}}, request(0x70000000)), "");
  }
  EXPECT_TRUE(asks_with_g(kOne, 0x70001234)) << "forgotten, not wrong";
}

TEST(GatewayFields, AreAlwaysOrNeverGivenWhenToldSo) {
  for (const auto policy : {GatewayFieldsPolicy::kAlways, GatewayFieldsPolicy::kNever}) {
    World world(with_policy(policy));
    const auto want = policy == GatewayFieldsPolicy::kAlways ? std::byte{1} : std::byte{0};
    ASSERT_EQ(world.send(kOne, discovery(5)), "");
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(world.send(kOne, request(5, 0x80)), "");
      EXPECT_EQ(world.transmits.at(0).datagram[1], want);
    }
  }
}

}  // namespace
}  // namespace amt
