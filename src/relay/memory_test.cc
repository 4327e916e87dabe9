#include <gtest/gtest.h>

#include <array>
#include <iostream>

#include "relay/allocation_counter.hh"
#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

/// The promise is 512. This is what there is, and a little.
constexpr std::size_t kOctetsPerTunnelMax = 450;

/// Octets that `tunnels` tunnels of one group each take, spread over `channels` channels, beyond what a relay without
/// room for any takes; at the end and at the worst moment of growing, for each tunnel.
struct OctetsPerTunnel {
  std::size_t held;
  std::size_t peak;
};
OctetsPerTunnel octets_per_tunnel(std::uint32_t tunnels, std::uint32_t channels, Family family) {
  RelayOptions options = World::options();
  options.limits.tunnels_max = 1;
  options.limits.tunnels_per_address_max = tunnels;
  const std::size_t fixed = [&] {
    const AllocationCounter memory;
    const World none(options);
    return memory.octets();
  }();
  options.limits.tunnels_max = tunnels;
  const AllocationCounter memory;
  World world(options);
  const auto numbered = [family](std::string_view v6_prefix, std::uint32_t v4_first, std::uint32_t number) {
    if (family == Family::kIpv4) return IpAddress::from_v4(v4_first + number);
    std::array<std::byte, 16> octets = ip(v6_prefix).mapped_octets();
    // In the first half: each gateway is its own subscriber.
    octets[6] = static_cast<std::byte>(number >> 8 & 0xff);
    octets[7] = static_cast<std::byte>(number & 0xff);
    return IpAddress::from_v6(octets);
  };
  const IpAddress source = ip(family == Family::kIpv4 ? "198.51.100.12" : "2001:db8:ff::12");
  for (std::uint32_t i = 0; i < tunnels; ++i) {
    const TunnelEndpoint from{{numbered("2001:db8::1", 0x0a000000, i), 2268}};
    const IpAddress group = numbered("ff3e::8000:1", 0xe8010000, i % channels);
    world.join(from, {kAllow, group, {source}}, 0x55667788, family == Family::kIpv4 ? 0 : 1);
  }
  EXPECT_EQ(world.relay.tunnel_count(), tunnels);
  return {(memory.octets() - fixed) / tunnels, (memory.peak() - fixed) / tunnels};
}

// Far below 512 octets per tunnel with one group, all tables and the allocator's own octets included; also where each
// tunnel has a channel of its own. Numbers on both sides of where tables grow.
TEST(RelayMemory, StaysUnderItsBoundPerTunnel) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const std::uint32_t tunnels : {6'000U, 7'500U, 9'000U}) {
      for (const std::uint32_t channels : {1U, 100U, tunnels}) {
        const OctetsPerTunnel octets = octets_per_tunnel(tunnels, channels, family);
        std::cout << (family == Family::kIpv4 ? "IPv4, " : "IPv6, ") << tunnels << " tunnels on " << channels
                  << " channels: " << octets.held << " octets per tunnel, while growing " << octets.peak << "\n";
        EXPECT_LE(octets.held, kOctetsPerTunnelMax);
        EXPECT_LE(octets.peak, kOctetsPerTunnelMax);
      }
    }
  }
}

// Coming and going leaves nothing behind but the tables' room.
TEST(RelayMemory, DoesNotGrowWithChurn) {
  World world;
  const TunnelEndpoint from = endpoint("192.0.2.1", 51000);
  const auto come_and_go = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const Grant grant = world.join(from, {kAllow, ip("232.1.2.3"), {ip("198.51.100.12")}});
      ASSERT_EQ(world.send(from, teardown(grant, from)), "");
    }
  };
  come_and_go(10);
  const AllocationCounter memory;
  come_and_go(1000);
  EXPECT_EQ(memory.octets(), 0U);
}

// One host takes what it may: channels of its own over many tunnels, and all their memory is bounded; when it has gone,
// what is left is the room of tables.
TEST(RelayMemory, IsBoundedForOneAddressAndGivenBack) {
  constexpr std::size_t kHeldMax = 4U << 20;
  constexpr std::size_t kKeptMax = 1U << 20;
  World world;
  const AllocationCounter memory;
  std::vector<std::pair<TunnelEndpoint, Grant>> tunnels;
  for (std::uint16_t port = 1; port <= 64; ++port) {
    const TunnelEndpoint from = endpoint("192.0.2.1", port);
    const Grant grant = world.ask(from);
    for (std::uint32_t first = 0; first < 128; first += 32) {
      std::vector<Record> records;
      for (std::uint32_t i = first; i < first + 32; ++i) {
        const IpAddress group = IpAddress::from_v4(0xe8010000 + 128 * port + i);
        records.push_back({kAllow, group, {ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.3")}});
      }
      static_cast<void>(world.send(from, update(grant, report(records))));
    }
    tunnels.emplace_back(from, grant);
  }
  EXPECT_EQ(world.shared->admission.usage_of(ip("192.0.2.1")).memberships, AdmissionLimits{}.channels_per_address_max);
  const std::size_t held = memory.octets();
  for (const auto& [from, grant] : tunnels) static_cast<void>(world.send(from, teardown(grant, from)));
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  tunnels = {};
  std::cout << "held " << held << " octets, kept " << memory.octets() << "\n";
  EXPECT_LE(held, kHeldMax);
  EXPECT_LE(memory.octets(), kKeptMax);
}

}  // namespace
}  // namespace amt
