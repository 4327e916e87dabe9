#include <gtest/gtest.h>

#include <algorithm>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

// X-10-5
TEST(MulticastData, IsTwoOctetsAndTheDatagram) {  // RFC 7450 §5.1.6
  const std::vector<std::byte> octets = hex("0600 45000014");
  const MulticastData data = MulticastData::parse(octets).value();
  EXPECT_TRUE(std::equal(data.datagram.begin(), data.datagram.end(), octets.begin() + 2, octets.end()));
  EXPECT_TRUE(std::equal(kDataHeader.begin(), kDataHeader.end(), octets.begin()));
}

TEST(MulticastData, IgnoresReservedBits) { EXPECT_EQ(MulticastData::parse(hex("06ff 45"))->datagram.size(), 1U); }

TEST(MulticastData, IsRefusedWhenShort) {
  test::expect_lengths<MulticastData>(6, [](std::size_t octets) { return octets >= 2; });
}

}  // namespace
}  // namespace amt::wire
