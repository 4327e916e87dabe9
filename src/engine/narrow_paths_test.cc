#include "engine/narrow_paths.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

const IpAddress kGateway4 = *IpAddress::parse("192.0.2.1");
const IpAddress kGateway6 = *IpAddress::parse("2001:db8::1");
constexpr bool kIcmp = true;
constexpr bool kKernel = false;
constexpr Instant kNow{};

// R-5.3.3.6.1-a,b
TEST(NarrowPaths, AreForgottenInTime) {
  NarrowPaths paths;
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), std::nullopt);
  paths.learn(kNow, kGateway4, 1400, kIcmp);
  paths.learn(kNow, kGateway6, 1400, kKernel);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1400U - 30U);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway6), 1400U - 50U);
  EXPECT_EQ(paths.inner_octets_max(kNow + NarrowPaths::kLifetime, kGateway4), std::nullopt);
}

// R-5.3.3.6.1-c: a forged ICMP does not cut the stream into crumbs. RFC 8200 §5, RFC 8201 §4: a Packet Too Big below
// 1280 lowers no IPv6 path. Inner IPv6 is never fragmented (R-5.3.3.6.2.2-a), so believing it would end the stream.
TEST(NarrowPaths, AreNeverBelievedBelowTheMinimum) {
  NarrowPaths paths;
  paths.learn(kNow, kGateway4, 68, kIcmp);
  paths.learn(kNow, kGateway6, 68, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 552U - 30U);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway6), 1280U - 50U);
}

// R-5.3.3.6.1-c
TEST(NarrowPaths, AreNeverBelievedBelowAConfiguredMinimum) {
  NarrowPaths paths({.min_octets = 1330});
  paths.learn(kNow, kGateway4, 1000, kIcmp);
  paths.learn(kNow, kGateway6, 1400, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1300U);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway6), 1350U);
  // It says nothing of the relay's own link.
  paths.learn(kNow, kGateway4, 1000, kKernel);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 970U);
  // A minimum below IPv6's own changes nothing there.
  NarrowPaths low({.min_octets = 600});
  low.learn(kNow, kGateway6, 100, kIcmp);
  EXPECT_EQ(low.inner_octets_max(kNow, kGateway6), 1230U);
}

// R-5.3.3.6.1-b
TEST(NarrowPaths, AreAllAlikeWithAFixedMtuWhateverIcmpSays) {
  NarrowPaths paths({.fixed_octets = 1400});
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1370U);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway6), 1350U);
  paths.learn(kNow, kGateway4, 1300, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1370U);
  // What the relay's own link does not take cannot be sent.
  paths.learn(kNow, kGateway4, 1300, kKernel);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1270U);
}

// R-5.3.3.6.1-c: "the PMTU for all tunnels MUST default to the Link MTU (first hop)"
TEST(NarrowPaths, AreThoseOfTheLinkWhenIcmpIsNotBelieved) {
  NarrowPaths paths({.dynamic = false});
  paths.learn(kNow, kGateway4, 1300, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), std::nullopt);
  paths.learn(kNow, kGateway4, 1500, kKernel);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1470U);
}

// RFC 8201 §4
TEST(NarrowPaths, AreNotWidenedByALaterMessage) {
  NarrowPaths paths;
  paths.learn(kNow, kGateway4, 1300, kIcmp);
  paths.learn(kNow, kGateway4, 1400, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow, kGateway4), 1270U);
  paths.learn(kNow + NarrowPaths::kLifetime, kGateway4, 1400, kIcmp);
  EXPECT_EQ(paths.inner_octets_max(kNow + NarrowPaths::kLifetime, kGateway4), 1370U);
}

}  // namespace
}  // namespace amt
