#include "egress/narrow_paths.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

const Endpoint kGateway4 = *Endpoint::parse("192.0.2.1:50000", 0);
const Endpoint kGateway6 = *Endpoint::parse("[2001:db8::1]:50000", 0);
constexpr Instant kNow{};

std::optional<std::size_t> inner_max(const NarrowPaths& paths, const Endpoint& gateway, Instant now = kNow) {
  const std::optional<NarrowPaths::Room> room = paths.room(now, gateway);
  if (!room) return std::nullopt;
  return room->inner_octets_max;
}

// R-5.3.3.6.1-a,b
TEST(NarrowPaths, AreForgottenInTime) {
  NarrowPaths paths;
  EXPECT_EQ(inner_max(paths, kGateway4), std::nullopt);
  paths.learn_path(kNow, kGateway4, 1400);
  paths.learn_link(kNow, kGateway6.address, 1400);
  EXPECT_EQ(inner_max(paths, kGateway4), 1400U - 30U);
  EXPECT_EQ(inner_max(paths, kGateway6), 1400U - 50U);
  EXPECT_EQ(paths.room(kNow, kGateway4)->octets_to_ask, 0U);
  EXPECT_EQ(paths.room(kNow + NarrowPaths::kLifetime - NarrowPaths::kAskBefore, kGateway4)->octets_to_ask, 1401U);
  EXPECT_EQ(inner_max(paths, kGateway4, kNow + NarrowPaths::kLifetime), std::nullopt);
  paths.forget_old(kNow + NarrowPaths::kLifetime);
  EXPECT_EQ(inner_max(paths, kGateway6), std::nullopt);
}

TEST(NarrowPaths, AreThoseOfOneEndpointNotOfItsAddress) {
  NarrowPaths paths;
  paths.learn_path(kNow, kGateway4, 1400);
  EXPECT_EQ(inner_max(paths, {kGateway4.address, 50001}), std::nullopt);
  // The link is the same for all.
  paths.learn_link(kNow, kGateway4.address, 1450);
  EXPECT_EQ(inner_max(paths, {kGateway4.address, 50001}), 1420U);
  EXPECT_EQ(inner_max(paths, kGateway4), 1370U);
}

TEST(NarrowPaths, MakeRoomForNewOnesByForgettingTheOldest) {
  NarrowPaths paths;
  const auto gateway = [](std::size_t number) {
    return Endpoint{IpAddress::parse(number >> 16 == 0 ? "192.0.2.1" : "192.0.2.2").value(),
                    static_cast<std::uint16_t>(number)};
  };
  for (std::size_t i = 1; i <= NarrowPaths::kPathsMax + 1; ++i) paths.learn_path(kNow, gateway(i), 1400);
  EXPECT_EQ(inner_max(paths, gateway(1)), std::nullopt);
  EXPECT_EQ(inner_max(paths, gateway(2)), 1370U);
  EXPECT_EQ(inner_max(paths, gateway(NarrowPaths::kPathsMax + 1)), 1370U);
}

// R-5.3.3.6.1-c. RFC 8200 §5, RFC 8201 §4: a Packet Too Big below 1280 lowers no IPv6 path.
TEST(NarrowPaths, AreNeverBelowTheMinimum) {
  NarrowPaths paths;
  paths.learn_path(kNow, kGateway4, 68);
  paths.learn_path(kNow, kGateway6, 68);
  EXPECT_EQ(inner_max(paths, kGateway4), 552U - 30U);
  EXPECT_EQ(inner_max(paths, kGateway6), 1280U - 50U);
}

// R-5.3.3.6.1-c
TEST(NarrowPaths, AreNeverBelowAConfiguredMinimum) {
  NarrowPaths paths({.min_octets = 1330});
  EXPECT_EQ(paths.octets_to_ask(kNow, kGateway4, 1000), 1331U);
  paths.learn_path(kNow, kGateway4, 1000);
  paths.learn_path(kNow, kGateway6, 1400);
  EXPECT_EQ(inner_max(paths, kGateway4), 1300U);
  EXPECT_EQ(inner_max(paths, kGateway6), 1350U);
  // It says nothing of the relay's own link.
  paths.learn_link(kNow, kGateway4.address, 1000);
  EXPECT_EQ(inner_max(paths, kGateway4), 970U);
  // A minimum below IPv6's own changes nothing there.
  NarrowPaths low({.min_octets = 600});
  low.learn_path(kNow, kGateway6, 100);
  EXPECT_EQ(inner_max(low, kGateway6), 1230U);
}

// R-5.3.3.6.1-b
TEST(NarrowPaths, AreAllAlikeWithAFixedMtuWhateverIcmpSays) {
  NarrowPaths paths({.fixed_octets = 1400});
  EXPECT_EQ(inner_max(paths, kGateway4), 1370U);
  EXPECT_EQ(inner_max(paths, kGateway6), 1350U);
  EXPECT_EQ(paths.octets_to_ask(kNow, kGateway4, 1300), std::nullopt);
  paths.learn_path(kNow, kGateway4, 1300);
  EXPECT_EQ(inner_max(paths, kGateway4), 1370U);
  // What the relay's own link does not take cannot be sent.
  paths.learn_link(kNow, kGateway4.address, 1300);
  EXPECT_EQ(inner_max(paths, kGateway4), 1270U);
}

// R-5.3.3.6.1-c: "the PMTU for all tunnels MUST default to the Link MTU (first hop)"
TEST(NarrowPaths, AreThoseOfTheLinkWhenIcmpIsNotListenedTo) {
  NarrowPaths paths({.dynamic = false});
  EXPECT_EQ(paths.octets_to_ask(kNow, kGateway4, 1300), std::nullopt);
  paths.learn_path(kNow, kGateway4, 1300);
  EXPECT_EQ(inner_max(paths, kGateway4), std::nullopt);
  paths.learn_link(kNow, kGateway4.address, 1500);
  EXPECT_EQ(inner_max(paths, kGateway4), 1470U);
}

// RFC 8201 §4
TEST(NarrowPaths, AreNotWidenedByALaterMessage) {
  NarrowPaths paths;
  paths.learn_path(kNow, kGateway4, 1300);
  EXPECT_EQ(paths.octets_to_ask(kNow, kGateway4, 1300), std::nullopt);
  EXPECT_EQ(paths.octets_to_ask(kNow, kGateway4, 1299), 1300U);
  paths.learn_path(kNow, kGateway4, 1400);
  EXPECT_EQ(inner_max(paths, kGateway4), 1270U);
  paths.learn_path(kNow + NarrowPaths::kLifetime, kGateway4, 1400);
  EXPECT_EQ(inner_max(paths, kGateway4, kNow + NarrowPaths::kLifetime), 1370U);
}

// R-5.3.3.6.2.1-a: which limit a source hears of
TEST(NarrowPaths, AreToldToSourcesOnlyAsFarAsTheRelayItselfKnows) {
  NarrowPaths paths;
  paths.learn_path(kNow, kGateway4, 1300);
  EXPECT_EQ(paths.room(kNow, kGateway4)->inner_octets_max, 1270U);
  EXPECT_GT(paths.room(kNow, kGateway4)->told_octets_max, 65'535U);
  paths.learn_link(kNow, kGateway4.address, 1500);
  EXPECT_EQ(paths.room(kNow, kGateway4)->told_octets_max, 1470U);
  NarrowPaths telling({.tell_sources = true});
  telling.learn_path(kNow, kGateway4, 1300);
  EXPECT_EQ(telling.room(kNow, kGateway4)->told_octets_max, 1270U);
}

}  // namespace
}  // namespace amt
