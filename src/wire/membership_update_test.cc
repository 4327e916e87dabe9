#include <gtest/gtest.h>

#include <algorithm>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(MembershipUpdate, IsTheVectorInBothDirections) {
  const std::vector<std::byte> vector =
      hex("0500a1a2 a3a4a5a6 55667788 46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8"
          "00000001 05000001 e8010203 c633640c");
  ASSERT_EQ(vector.size(), 56U);
  const MembershipUpdate update = MembershipUpdate::parse(vector).value();
  EXPECT_EQ(update.mac, test::mac("a1a2a3a4a5a6"));
  EXPECT_EQ(update.nonce, RequestNonce{0x55667788});
  EXPECT_TRUE(std::equal(update.datagram.begin(), update.datagram.end(), vector.begin() + 12, vector.end()));
  EXPECT_EQ(test::written(update, vector.size()), vector);
}

TEST(MembershipUpdate, IgnoresReservedBits) {
  EXPECT_EQ(MembershipUpdate::parse(hex("05ffa1a2 a3a4a5a6 55667788"))->nonce, RequestNonce{0x55667788});
}

TEST(MembershipUpdate, IsRefusedWhenShort) {
  test::expect_lengths<MembershipUpdate>(5, [](std::size_t octets) { return octets >= 12; });
}

}  // namespace
}  // namespace amt::wire
