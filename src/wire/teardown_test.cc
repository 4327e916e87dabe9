#include <gtest/gtest.h>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(Teardown, IsTheVectorInBothDirections) {  // R-5.1.4-c
  const std::vector<std::byte> vector = hex("0700a1a2 a3a4a5a6 55667788 c7380000 00000000 00000000 0000c000 0201");
  ASSERT_EQ(vector.size(), kTeardownOctets);
  const Teardown teardown = Teardown::parse(vector).value();
  EXPECT_EQ(teardown.mac, test::mac("a1a2a3a4a5a6"));
  EXPECT_EQ(teardown.nonce, RequestNonce{0x55667788});
  EXPECT_EQ(teardown.gateway.endpoint, Endpoint::parse("192.0.2.1:51000", 0));
  EXPECT_EQ(test::written(teardown, kTeardownOctets), vector);
}

TEST(Teardown, NamesAnIpv6Endpoint) {
  const std::vector<std::byte> octets = hex("0700a1a2 a3a4a5a6 55667788 c738 20010db8 00000000 00000000 00000001");
  EXPECT_EQ(Teardown::parse(octets)->gateway.endpoint, Endpoint::parse("[2001:db8::1]:51000", 0));
  EXPECT_EQ(test::written(*Teardown::parse(octets), kTeardownOctets), octets);
}

TEST(Teardown, IgnoresReservedBitsAndSurplus) {  // X-5.1-a
  const std::vector<std::byte> octets =
      hex("07ffa1a2 a3a4a5a6 55667788 c7380000 00000000 00000000 0000c000 0201 ffffffffff");
  EXPECT_EQ(Teardown::parse(octets)->gateway.endpoint, Endpoint::parse("192.0.2.1:51000", 0));
}

TEST(Teardown, IsRefusedWhenShort) {  // X-5.1-a
  test::expect_lengths<Teardown>(7, [](std::size_t octets) { return octets >= 30; });
}

}  // namespace
}  // namespace amt::wire
