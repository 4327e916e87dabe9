#include "relay/admission.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "membership/handmade_datagrams.hh"

namespace amt {
namespace {

using relay_test::ip;

std::string reason_of(const std::optional<Refusal>& refusal) {
  return refusal ? std::string(to_string(refusal->reason)) + " " + refusal->whose.to_string() : "";
}
/// How many tunnels of `address` are taken until one is refused, and why it was.
std::pair<std::size_t, std::string> fill(Admission& admission, const IpAddress& address) {
  for (std::size_t taken = 0;; ++taken) {
    if (const auto refusal = admission.take_tunnel(address)) return {taken, reason_of(refusal)};
  }
}
/// Of 192.0.2.0/24.
IpAddress in_network(std::uint32_t host) { return IpAddress::from_v4(0xc0000200 + host); }
/// Each of a /24 of its own, and none of 192.0.2.0/24.
IpAddress elsewhere(std::uint32_t number) { return IpAddress::from_v4(0xcb007101 + 256 * number); }
Channel channel(std::uint32_t number) {
  return {ip("198.51.100.1"), IpAddress::from_v4(std::uint32_t{0xe8010000} + number)};
}

// R-5.3.3.8-c, R-6.1-b
TEST(Admission, HoldsEachAddressToItsTunnels) {
  Admission admission({.tunnels_max = 1000, .tunnels_per_address_max = 3}, KeyedHash());
  EXPECT_EQ(fill(admission, ip("192.0.2.1")),
            std::pair(std::size_t{3}, std::string("tunnel_per_address_limit 192.0.2.1/32")));
  EXPECT_EQ(fill(admission, ip("192.0.2.2")).first, 3U);
  admission.release_tunnel(ip("192.0.2.1"));
  EXPECT_EQ(fill(admission, ip("192.0.2.1")).first, 1U);
}

TEST(Admission, GivesLargerSharesToLargerPrefixes) {
  Admission admission({.tunnels_max = 100'000, .tunnels_per_address_max = 3}, KeyedHash());
  EXPECT_EQ(fill(admission, ip("2001:db8::1")),
            std::pair(std::size_t{3}, std::string("tunnel_per_address_limit 2001:db8::/64")));
  // One subscriber, whatever its interface identifier.
  EXPECT_EQ(fill(admission, ip("2001:db8::2")).first, 0U);
  std::size_t in_customer = 3;
  for (const char* const address : {"2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1", "2001:db8:0:4::1"}) {
    in_customer += fill(admission, ip(address)).first;
  }
  EXPECT_EQ(in_customer, 12U);
  EXPECT_EQ(reason_of(admission.take_tunnel(ip("2001:db8:0:5::1"))), "tunnel_per_prefix_limit 2001:db8::/56");
  std::size_t in_site = in_customer;
  for (std::uint32_t customer = 1; customer < 8; ++customer) {
    for (std::uint32_t line = 0; line < 8; ++line) {
      std::array<std::byte, 16> octets = ip("2001:db8::1").mapped_octets();
      octets[6] = static_cast<std::byte>(customer);
      octets[7] = static_cast<std::byte>(line);
      in_site += fill(admission, IpAddress::from_v6(octets)).first;
    }
  }
  EXPECT_EQ(in_site, 48U);
  EXPECT_EQ(reason_of(admission.take_tunnel(ip("2001:db8:0:ff00::1"))), "tunnel_per_prefix_limit 2001:db8::/48");
  EXPECT_EQ(fill(admission, ip("2001:db8:1::1")).first, 3U);
}

// Four /64s of one /48, and the rest of the world.
TEST(Admission, LeavesRoomForANewcomerWhereOneSiteWantsAll) {
  Admission admission({.tunnels_max = 1000}, KeyedHash());
  std::size_t taken = 0;
  for (const char* const address : {"2001:db8:0:1::1", "2001:db8:0:101::1", "2001:db8:0:201::1", "2001:db8:0:301::1"}) {
    taken += fill(admission, ip(address)).first;
  }
  EXPECT_LE(taken, 700U);
  EXPECT_EQ(reason_of(admission.take_tunnel(ip("2001:db8:0:301::1"))), "tunnel_share_limit 2001:db8::/48");
  EXPECT_TRUE(admission.refuses_tunnel(ip("2001:db8:0:401::1")));
  EXPECT_FALSE(admission.is_full());
  for (const char* const newcomer : {"192.0.2.1", "2001:db8:1::1"}) {
    EXPECT_FALSE(admission.refuses_tunnel(ip(newcomer)));
    EXPECT_EQ(reason_of(admission.take_tunnel(ip(newcomer))), "");
  }
}

TEST(Admission, RefusesThoseWhoHoldMostFirst) {
  Admission admission({.tunnels_max = 1000, .tunnels_per_address_max = 256}, KeyedHash());
  std::vector<std::size_t> held;
  for (std::uint32_t i = 0; i < 30; ++i) held.push_back(fill(admission, elsewhere(i)).first);
  EXPECT_EQ(held.front(), 256U);
  EXPECT_TRUE(std::ranges::is_sorted(held, std::greater()));
  EXPECT_LE(held.back(), 2U);
  // Thirty who each take what they get leave something to those who have nothing.
  for (std::uint32_t i = 100; i < 115; ++i) EXPECT_FALSE(admission.take_tunnel(elsewhere(i)));
}

// One host with all addresses of a /24, in turn.
TEST(Admission, LeavesTheRelayToOthersWhereOneNetworkWantsAll) {
  Admission admission({}, KeyedHash());
  std::size_t taken = 0;
  for (std::uint32_t host = 0; host < 256; ++host) taken += fill(admission, in_network(host)).first;
  EXPECT_EQ(taken, 64U * 256);
  EXPECT_EQ(reason_of(admission.take_tunnel(in_network(200))), "tunnel_per_prefix_limit 192.0.2.0/24");
  EXPECT_EQ(fill(admission, ip("192.0.3.1")).first, 256U);

  Admission small({.tunnels_max = 1000}, KeyedHash());
  taken = 0;
  for (std::uint32_t host = 0; host < 256; ++host) taken += fill(small, in_network(host)).first;
  // Three fifths by its share, and one for each address that has none.
  EXPECT_NEAR(static_cast<double>(taken), 860, 20);
  EXPECT_EQ(reason_of(small.take_tunnel(in_network(5))), "tunnel_share_limit 192.0.2.0/24");
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(reason_of(small.take_tunnel(elsewhere(i))), "");
}

// Where each address may have one gateway, or few channels, its network may have all of them.
TEST(Admission, HoldsNoNetworkToASmallLimitOfItsAddresses) {
  Admission admission({.tunnels_per_address_max = 1, .channels_per_address_max = 4}, KeyedHash());
  for (std::uint32_t host = 0; host < 256; ++host) {
    EXPECT_EQ(reason_of(admission.take_tunnel(in_network(host))), "");
    EXPECT_EQ(admission.take_memberships(in_network(host), 9).memberships, 4U);
  }
}

// A relay for one LAN.
TEST(Admission, GivesTheLastTunnelToAHostOfTheOnlyNetworkThereIs) {
  Admission admission({.tunnels_max = 200}, KeyedHash());
  for (std::uint32_t host = 0; host < 200; ++host) EXPECT_EQ(reason_of(admission.take_tunnel(in_network(host))), "");
  EXPECT_TRUE(admission.is_full());
}

TEST(Admission, LeavesChannelsToOthersWhereOneNetworkWantsAll) {
  Admission admission({}, KeyedHash());
  std::uint32_t next = 0;
  const auto join = [&](const IpAddress& address) {
    if (admission.take_memberships(address, 1).memberships == 0) return std::string("no membership");
    const std::string refused = reason_of(admission.take_channel(channel(next++), address));
    if (!refused.empty()) admission.release_memberships(address, 1);
    return refused;
  };
  std::set<std::string> reasons;
  for (std::uint32_t host = 0; host < 256; ++host) {
    std::string refused;
    while (refused.empty()) refused = join(in_network(host));
    reasons.insert(refused);
  }
  EXPECT_TRUE(reasons.contains("channel_share_limit 192.0.2.0/24")) << *reasons.begin();
  EXPECT_LE(admission.totals().channels, 16384U * 7 / 8);
  for (std::uint32_t i = 0; i < 20; ++i) {
    for (int group = 0; group < 60; ++group) EXPECT_EQ(join(elsewhere(i)), "");
  }
}

// A provider's NAT: tens of thousands of memberships, of few channels.
TEST(Admission, GivesALargeNetworkNewChannelsWhileManyAreLeft) {
  Admission admission({}, KeyedHash());
  for (std::uint32_t host = 0; host < 256; ++host) {
    ASSERT_EQ(admission.take_memberships(in_network(host), 200).memberships, 200U);
  }
  EXPECT_EQ(reason_of(admission.take_channel(channel(1), in_network(1))), "");
}

// What a default gives to one address is never the whole; but an operator may.
TEST(Admission, LetsOneAddressHaveAllWhereTheOperatorSaysSo) {
  EXPECT_EQ(AdmissionLimits::tunnels_of_one_address(10), 10U);
  EXPECT_EQ(AdmissionLimits::tunnels_of_one_address(80), 75U);
  EXPECT_EQ(AdmissionLimits::tunnels_of_one_address(100'000), 256U);
  Admission admission({.tunnels_max = 100, .tunnels_per_address_max = 100}, KeyedHash());
  EXPECT_EQ(fill(admission, ip("192.0.2.1")), std::pair(std::size_t{100}, std::string("tunnel_limit 192.0.2.1/32")));
  EXPECT_TRUE(admission.is_full());
  EXPECT_EQ(reason_of(admission.take_tunnel(ip("192.0.2.2"))), "tunnel_limit 192.0.2.2/32");
}

TEST(Admission, GivesAsManyMembershipsAsThereAre) {
  Admission admission({.channels_per_address_max = 10}, KeyedHash());
  EXPECT_EQ(admission.take_memberships(ip("192.0.2.1"), 7).memberships, 7U);
  const Admission::Grant rest = admission.take_memberships(ip("192.0.2.1"), 7);
  EXPECT_EQ(rest.memberships, 3U);
  EXPECT_EQ(reason_of(rest.refusal), "channel_per_address_limit 192.0.2.1/32");
  EXPECT_EQ(admission.take_memberships(ip("192.0.2.2"), 7).memberships, 7U);
  admission.release_memberships(ip("192.0.2.1"), 10);
  EXPECT_EQ(admission.usage_of(ip("192.0.2.1")), Admission::Usage{});
  EXPECT_EQ(admission.totals().memberships, 7U);
}

TEST(Admission, CountsAChannelOnceAndGivesItToAllWhenItIsThere) {
  Admission admission({.channels_max = 2}, KeyedHash());
  EXPECT_EQ(reason_of(admission.take_channel(channel(1), ip("192.0.2.1"))), "");
  EXPECT_EQ(reason_of(admission.take_channel(channel(2), ip("192.0.2.1"))), "");
  EXPECT_EQ(reason_of(admission.take_channel(channel(3), ip("192.0.2.2"))), "channel_limit 192.0.2.2/32");
  EXPECT_EQ(reason_of(admission.take_channel(channel(1), ip("192.0.2.2"))), "");
  EXPECT_EQ(admission.totals().channels, 2U);
  admission.release_channels(std::vector{channel(1)});
  EXPECT_EQ(reason_of(admission.take_channel(channel(3), ip("192.0.2.2"))), "channel_limit 192.0.2.2/32");
  admission.release_channels(std::vector{channel(1)});
  EXPECT_EQ(reason_of(admission.take_channel(channel(3), ip("192.0.2.2"))), "");
  EXPECT_EQ(admission.totals().channel_holders, 2U);
}

TEST(Admission, LeavesChannelsForANewcomerWhereOneAddressWantsAll) {
  Admission admission({.channels_max = 2000, .channels_per_address_max = 1900}, KeyedHash());
  std::uint32_t next = 0;
  const auto join = [&](const IpAddress& address) {
    if (admission.take_memberships(address, 1).memberships == 0) return std::string("no membership");
    return reason_of(admission.take_channel(channel(next++), address));
  };
  std::string refused;
  while (refused.empty()) refused = join(ip("192.0.2.1"));
  EXPECT_EQ(refused, "channel_share_limit 192.0.2.1/32");
  EXPECT_NEAR(static_cast<double>(admission.totals().channels), 1200, 20);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(join(ip("192.0.2.2")), "");

  Admission for_one({.channels_max = 2000, .channels_per_address_max = 2000, .one_may_have_all_channels = true},
                    KeyedHash());
  EXPECT_EQ(for_one.take_memberships(ip("192.0.2.1"), 2000).memberships, 2000U);
  for (next = 0; next < 2000;) EXPECT_FALSE(for_one.take_channel(channel(next++), ip("192.0.2.1")));
}

// One group, thousands of sources: each is one more in the kernel's list.
TEST(Admission, BoundsTheSourcesOfASourceSpecificGroup) {
  Admission admission({}, KeyedHash());
  const auto join = [&](std::uint32_t source, const char* group, const IpAddress& address) {
    const Channel wanted{IpAddress::from_v4(0xc6330000 + source), ip(group)};
    if (admission.take_memberships(address, 1).memberships == 0) return std::string("no membership");
    const std::string refused = reason_of(admission.take_channel(wanted, address));
    if (!refused.empty()) admission.release_memberships(address, 1);
    return refused;
  };
  std::uint32_t next = 0;
  std::string refused;
  while (refused.empty()) refused = join(next++, "232.1.1.1", ip("192.0.2.1"));
  EXPECT_EQ(refused, "group_sources_limit 192.0.2.1/32");
  EXPECT_NEAR(next, 620, 20);
  // Somebody who holds less has room, to the last; and other groups are not concerned.
  std::uint32_t others = 0;
  for (std::uint32_t i = 0; join(next, "232.1.1.1", elsewhere(i)).empty(); ++i) ++others, ++next;
  EXPECT_NEAR(next, 1024, 2);
  EXPECT_GT(others, 300U);
  EXPECT_EQ(join(1, "232.1.1.2", ip("192.0.2.1")), "");
  EXPECT_EQ(join(1, "232.1.1.1", elsewhere(7)), "") << "one that is asked for already";
  // Of other groups the whole is asked for.
  for (std::uint32_t source = 0; source < 2000; ++source) EXPECT_EQ(join(source, "239.1.1.1", ip("192.0.2.2")), "");
  // What is given back is there again.
  admission.release_channels(std::vector<Channel>{{IpAddress::from_v4(0xc6330000), ip("232.1.1.1")}});
  EXPECT_EQ(join(5000, "232.1.1.1", elsewhere(9999)), "");

  AdmissionLimits large;
  large.channels_max = 100'000;
  EXPECT_EQ(large.sources_per_group_max(), 6250U);
}

/// What comes and goes leaves nothing: of entries nor of room.
TEST(Admission, IsAsBeforeWhenAllHaveGone) {
  Admission admission({}, KeyedHash());
  const auto address = [](std::uint32_t n) {
    std::array<std::byte, 16> octets = ip("2001:db8::1").mapped_octets();
    octets[4] = static_cast<std::byte>(n >> 8 & 0xff);
    octets[5] = static_cast<std::byte>(n & 0xff);
    return IpAddress::from_v6(octets);
  };
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    ASSERT_FALSE(admission.take_tunnel(address(i)));
    ASSERT_EQ(admission.take_memberships(address(i), 2).memberships, 2U);
  }
  EXPECT_EQ(admission.totals().subscribers, 20'000U);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    admission.release_memberships(address(i), 2);
    admission.release_tunnel(address(i));
  }
  EXPECT_EQ(admission.totals().subscribers, 0U);
  EXPECT_EQ(admission.totals().tunnels, 0U);
  EXPECT_EQ(admission.totals().memberships, 0U);
}

TEST(Admission, HoldsItsLimitsWhereSeveralThreadsTake) {
  constexpr std::size_t kThreads = 4;
  Admission admission({.tunnels_max = 100, .tunnels_per_address_max = 1000, .channels_max = 50}, KeyedHash());
  std::vector<std::thread> threads;
  std::array<std::size_t, kThreads> tunnels{};
  for (std::uint32_t worker = 0; worker < kThreads; ++worker) {
    threads.emplace_back([&, worker] {
      const IpAddress address = IpAddress::from_v4(0xc0000200 + worker);
      for (std::uint32_t round = 0; round < 2000; ++round) {
        if (!admission.take_tunnel(address)) {
          ++tunnels[worker];
          if (round % 2 == 0) {
            admission.release_tunnel(address);
            --tunnels[worker];
          }
        }
        if (!admission.take_channel(channel(round % 60), address)) {
          admission.release_channels(std::vector{channel(round % 60)});
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t all = 0;
  for (const std::size_t count : tunnels) all += count;
  EXPECT_EQ(admission.totals().tunnels, all);
  EXPECT_EQ(all, 100U);
  EXPECT_EQ(admission.totals().channels, 0U);
}

}  // namespace
}  // namespace amt
