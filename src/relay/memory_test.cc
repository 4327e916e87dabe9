#include <gtest/gtest.h>

#include <iostream>

#include "relay/allocation_counter.hh"
#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

/// Not a power of two, at which tables have just grown: between two, which is the common case.
constexpr std::uint32_t kTunnels = 6'000;
constexpr std::size_t kOctetsPerTunnelMax = 512;

/// Octets that `kTunnels` tunnels of one group each take, spread over `channels` channels, beyond what a relay without
/// room for any takes.
std::size_t octets_per_tunnel(std::uint32_t channels) {
  RelayOptions options = World::options();
  options.tunnels_max = 1;
  AllocationCounter memory;
  const std::size_t fixed = [&] {
    const World none(options);
    return memory.octets();
  }();
  options.tunnels_max = kTunnels;
  World world(options);
  for (std::uint32_t i = 0; i < kTunnels; ++i) {
    const TunnelEndpoint from{{IpAddress::from_v4(0x0a000000 + i), 2268}};
    world.join(from, {kAllow, IpAddress::from_v4(0xe8010000 + i % channels), {ip("198.51.100.12")}});
  }
  EXPECT_EQ(world.relay.tunnel_count(), kTunnels);
  return (memory.octets() - fixed) / kTunnels;
}

// At most 512 octets per tunnel with one group, all tables and the allocator's own octets included.
TEST(RelayMemory, StaysUnderItsBoundPerTunnel) {
  for (const std::uint32_t channels : {1U, 100U}) {
    const std::size_t octets = octets_per_tunnel(channels);
    std::cout << kTunnels << " tunnels on " << channels << " channels: " << octets << " octets per tunnel\n";
    EXPECT_LE(octets, kOctetsPerTunnelMax);
  }
}

// Nobody's neighbour: each tunnel has a channel of its own, which then costs its entry in the tables of channels, too.
TEST(RelayMemory, StaysBoundedWhenEveryTunnelHasItsOwnChannel) {
  const std::size_t octets = octets_per_tunnel(kTunnels);
  std::cout << kTunnels << " tunnels and as many channels: " << octets << " octets per tunnel\n";
  EXPECT_LE(octets, 2 * kOctetsPerTunnelMax);
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

}  // namespace
}  // namespace amt
