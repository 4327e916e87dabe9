#include "relay/response_mac.hh"

#include <gtest/gtest.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

RelaySecret counting_secret() {
  RelaySecret secret{};
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>(i);
  return secret;
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
  SeededRandom random(1);
  const Instant now{};
  const MacSecrets secrets(RelayOptions{}, random, now);
  const Endpoint endpoint{ip("192.0.2.1"), 51000};
  for (const bool ecn : {false, true}) {
    EXPECT_EQ(secrets.verify(now, endpoint, {7}, secrets.compute({endpoint, {7}, ecn})), ecn);
  }
  EXPECT_EQ(secrets.verify(now, endpoint, {8}, secrets.compute({endpoint, {7}, false})), std::nullopt);
}

// Without a change there is no secret before: its octets of zero must open nothing.
TEST(MacSecrets, HaveNoSecretBeforeTheFirstChange) {
  SeededRandom random(1);
  const Endpoint endpoint{ip("192.0.2.1"), 51000};
  const MacSecrets secrets(RelayOptions{}, random, Instant{});
  EXPECT_EQ(secrets.verify(Instant{}, endpoint, {7}, response_mac(RelaySecret{}, {endpoint, {7}, false})),
            std::nullopt);
}

}  // namespace
}  // namespace amt
