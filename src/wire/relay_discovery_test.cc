#include <gtest/gtest.h>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(RelayDiscovery, IsTheVectorInBothDirections) {
  const std::vector<std::byte> vector = hex("01000000 11223344");
  const RelayDiscovery discovery = RelayDiscovery::parse(vector).value();
  EXPECT_EQ(discovery.nonce, DiscoveryNonce{0x11223344});
  EXPECT_EQ(test::written(discovery, kDiscoveryOctets), vector);
}

TEST(RelayDiscovery, IgnoresReservedBitsAndSurplus) {  // X-5.1-a
  const std::vector<std::byte> octets = hex("01ffffff 11223344 99");
  EXPECT_EQ(RelayDiscovery::parse(octets)->nonce, DiscoveryNonce{0x11223344});
  EXPECT_EQ(test::written(*RelayDiscovery::parse(octets), kDiscoveryOctets), hex("01000000 11223344"));
}

TEST(RelayDiscovery, IsRefusedWhenShort) {  // X-5.1-a
  test::expect_lengths<RelayDiscovery>(1, [](std::size_t octets) { return octets >= 8; });
}

}  // namespace
}  // namespace amt::wire
