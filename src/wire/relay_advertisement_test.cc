#include <gtest/gtest.h>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(RelayAdvertisement, CarriesAnIpv4Relay) {  // R-5.1.2-a
  const std::vector<std::byte> octets = hex("02000000 11223344 c0000202");
  const RelayAdvertisement advertisement = RelayAdvertisement::parse(octets).value();
  EXPECT_EQ(advertisement.nonce, DiscoveryNonce{0x11223344});
  EXPECT_EQ(advertisement.relay, IpAddress::parse("192.0.2.2"));
  EXPECT_EQ(test::written(advertisement, 12), octets);
}

TEST(RelayAdvertisement, CarriesAnIpv6Relay) {  // R-5.1.2-a
  const std::vector<std::byte> octets = hex("02000000 11223344 20010db8 00000000 00000000 00000002");
  const RelayAdvertisement advertisement = RelayAdvertisement::parse(octets).value();
  EXPECT_EQ(advertisement.relay, IpAddress::parse("2001:db8::2"));
  EXPECT_EQ(test::written(advertisement, 24), octets);
}

TEST(RelayAdvertisement, IgnoresReservedBits) {
  const std::vector<std::byte> octets = hex("02ffffff 11223344 c0000202");
  EXPECT_EQ(RelayAdvertisement::parse(octets)->relay, IpAddress::parse("192.0.2.2"));
}

TEST(RelayAdvertisement, HasOneOfTwoLengths) {  // R-5.1.2-a, X-5.1-b
  test::expect_lengths<RelayAdvertisement>(2, [](std::size_t octets) { return octets == 12 || octets == 24; });
}

}  // namespace
}  // namespace amt::wire
