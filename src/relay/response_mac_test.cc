#include "relay/response_mac.hh"

#include <gtest/gtest.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

RelaySecret counting_secret() {
  RelaySecret secret;
  for (std::size_t i = 0; i < RelaySecret::kOctets; ++i) secret.octets()[i] = static_cast<std::byte>(i);
  return secret;
}

MacSecrets secrets_from(std::uint64_t seed, Instant since) {
  SeededRandom random(seed);
  return {RelayOptions{}, RelayShared(RelayOptions{}, random, since)};
}

// Computed by an implementation of SipHash-2-4 in another language, itself checked with the vector of the SipHash paper
// (key 00..0f, input 00..0e: e545be4961ca29a1). X-4.4-a,b: an IPv4 address goes in IPv4-compatible.
// R-4.2.2.1-b: the nonce as it stands in the message, most significant octet first
TEST(ResponseMac, IsSipHashOverAddressPortNonceAndE) {
  const MacSubject igmp{{ip("192.0.2.1"), 51000}, {0x55667788}, false};
  EXPECT_EQ(to_hex(response_mac(counting_secret(), igmp).octets), "526a85d2d757");
  const MacSubject with_e{{ip("192.0.2.1"), 51000}, {0x55667788}, true};
  EXPECT_EQ(to_hex(response_mac(counting_secret(), with_e).octets), "bb8520085b03");
  const MacSubject six{{ip("2001:db8::7"), 2268}, {0x01020304}, false};
  EXPECT_EQ(to_hex(response_mac(counting_secret(), six).octets), "141b86ffb59b");
}

TEST(MacSecrets, TellTheEFlagThatAMacWasMadeWith) {
  const Instant now{};
  const MacSecrets secrets = secrets_from(1, now);
  const Endpoint endpoint{ip("192.0.2.1"), 51000};
  for (const bool ecn : {false, true}) {
    EXPECT_EQ(secrets.verify(now, endpoint, {7}, secrets.compute({endpoint, {7}, ecn})), ecn);
  }
  EXPECT_EQ(secrets.verify(now, endpoint, {8}, secrets.compute({endpoint, {7}, false})), std::nullopt);
}

// Without a change there is no secret before: its octets of zero must open nothing.
TEST(MacSecrets, HaveNoSecretBeforeTheFirstChange) {
  const Endpoint endpoint{ip("192.0.2.1"), 51000};
  const MacSecrets secrets = secrets_from(1, Instant{});
  EXPECT_EQ(secrets.verify(Instant{}, endpoint, {7}, response_mac(RelaySecret{}, {endpoint, {7}, false})),
            std::nullopt);
}

// Workers of one relay look at the clock when they have something to do, never at the same moment.
TEST(MacSecrets, AreTheSameForAllWhoShareTheSeedWheneverEachLooks) {
  const Instant since{hours(1)};
  const Duration lifetime = RelayOptions{}.secret_lifetime;
  const Endpoint endpoint{ip("192.0.2.1"), 51000};
  MacSecrets busy = secrets_from(1, since);
  MacSecrets idle = secrets_from(1, since);
  MacSecrets stranger = secrets_from(2, since);
  for (int period = 1; period <= 4; ++period) {
    EXPECT_TRUE(busy.advance(since + period * lifetime));
    EXPECT_FALSE(busy.advance(since + period * lifetime + seconds(1)));
  }
  EXPECT_TRUE(idle.advance(since + 4 * lifetime + seconds(200)));
  EXPECT_EQ(idle.next_change(), busy.next_change());
  const Instant now = since + 4 * lifetime + seconds(200);
  EXPECT_EQ(idle.verify(now, endpoint, {7}, busy.compute({endpoint, {7}, true})), true);
  EXPECT_EQ(stranger.verify(now, endpoint, {7}, busy.compute({endpoint, {7}, true})), std::nullopt);

  // The secret before counts for two query intervals from the change, not from when somebody noticed (R-5.3.3.4-f).
  MacSecrets before = secrets_from(1, since);
  before.advance(since + 3 * lifetime);
  const wire::ResponseMac old = before.compute({endpoint, {7}, false});
  EXPECT_EQ(idle.verify(since + 4 * lifetime + seconds(249), endpoint, {7}, old), false);
  EXPECT_EQ(idle.verify(since + 4 * lifetime + seconds(250), endpoint, {7}, old), std::nullopt);
  EXPECT_EQ(secrets_from(1, since).verify(now, endpoint, {7}, old), std::nullopt);
}

}  // namespace
}  // namespace amt
