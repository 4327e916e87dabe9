#include <gtest/gtest.h>

#include <algorithm>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;
using test::joined;

const std::vector<std::byte> kIgmpQuery =
    hex("46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81 00000000 027d0000");

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

TEST(MembershipQuery, IsTheVectorInBothDirections) {  // R-5.1.4-a, R-5.1.4-c
  const std::vector<std::byte> vector =
      hex("0401a1a2 a3a4a5a6 55667788 46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81"
          "00000000 027d0000 c7380000 00000000 00000000 0000c000 0201");
  ASSERT_EQ(vector.size(), 66U);
  const MembershipQuery query = MembershipQuery::parse(vector).value();
  EXPECT_EQ(query.mac, test::mac("a1a2a3a4a5a6"));
  EXPECT_EQ(query.nonce, RequestNonce{0x55667788});
  EXPECT_FALSE(query.limit);
  ASSERT_TRUE(query.gateway);
  EXPECT_EQ(query.gateway->endpoint, Endpoint::parse("192.0.2.1:51000", 0));
  EXPECT_TRUE(same(query.datagram, kIgmpQuery));
  EXPECT_EQ(test::written(query, vector.size()), vector);
}

TEST(MembershipQuery, WithoutGIsHeaderAndDatagram) {  // R-5.1.4-a: the 48 octets that VLC takes
  const std::vector<std::byte> octets = joined({hex("0400a1a2 a3a4a5a6 55667788"), kIgmpQuery});
  ASSERT_EQ(octets.size(), 48U);
  const MembershipQuery query = MembershipQuery::parse(octets).value();
  EXPECT_FALSE(query.gateway);
  EXPECT_TRUE(same(query.datagram, kIgmpQuery));
  EXPECT_EQ(test::written(query, octets.size()), octets);
}

TEST(MembershipQuery, FlagsStandInTheTwoLowBits) {  // R-5.1.4-a, R-5.1.4-e
  for (unsigned flags = 0; flags < 256; ++flags) {
    std::vector<std::byte> octets(48, std::byte{0x11});
    octets[0] = std::byte{0x04};
    octets[1] = static_cast<std::byte>(flags);
    const MembershipQuery query = MembershipQuery::parse(octets).value();
    EXPECT_EQ(query.gateway.has_value(), (flags & 1) != 0) << flags;
    EXPECT_EQ(query.limit, (flags & 2) != 0) << flags;
    EXPECT_EQ(query.datagram.size(), (flags & 1) != 0 ? 18U : 36U) << flags;
    EXPECT_EQ(test::written(query, 48)[1], static_cast<std::byte>(flags & 3)) << flags;
  }
}

TEST(MembershipQuery, GatewayFieldsAreTheLast18Octets) {  // R-5.1.4-b, R-5.2.3.5.4-i
  const std::vector<std::byte> octets = joined({hex("0401a1a2 a3a4a5a6 55667788"), kIgmpQuery, hex("eeeeeeee"),
                                                hex("c738 00000000 00000000 00000000 c0000201")});
  const MembershipQuery query = MembershipQuery::parse(octets).value();
  EXPECT_EQ(query.gateway->endpoint, Endpoint::parse("192.0.2.1:51000", 0));
  EXPECT_EQ(query.datagram.size(), kIgmpQuery.size() + 4);
}

TEST(MembershipQuery, IsRefusedWhenShort) {
  test::expect_lengths<MembershipQuery>(
      4, [](std::size_t octets) { return octets >= 12; }, 0x00);
  test::expect_lengths<MembershipQuery>(
      4, [](std::size_t octets) { return octets >= 12; }, 0xfe);
  test::expect_lengths<MembershipQuery>(
      4, [](std::size_t octets) { return octets >= 30; }, 0x01);
  test::expect_lengths<MembershipQuery>(
      4, [](std::size_t octets) { return octets >= 30; }, 0xff);
}

TEST(GatewayFields, KeepTheirFamily) {  // R-5.1.4-c
  const auto read = [](std::string_view text) {
    const std::vector<std::byte> octets = test::joined({hex("08dc"), hex(text)});
    ByteReader in(octets);
    const GatewayFields fields = GatewayFields::read(in);
    EXPECT_EQ(in.remaining(), 0U);
    std::vector<std::byte> again(kGatewayFieldsOctets);
    ByteWriter out(again);
    fields.write(out);
    EXPECT_EQ(again, octets);
    return fields.endpoint.to_string();
  };
  EXPECT_EQ(read("00000000 00000000 00000000 c0000201"), "192.0.2.1:2268");
  EXPECT_EQ(read("00000000 00000000 00000000 01000000"), "1.0.0.0:2268");
  EXPECT_EQ(read("00000000 00000000 00000000 7f000001"), "127.0.0.1:2268");
  EXPECT_EQ(read("20010db8 00000000 00000000 00000001"), "[2001:db8::1]:2268");
  EXPECT_EQ(read("00000000 00000000 00000000 00000001"), "[::1]:2268");
  EXPECT_EQ(read("00000000 00000000 00000000 00000000"), "[::]:2268");
  EXPECT_EQ(read("00000000 00000000 00000001 c0000201"), "[::1:c000:201]:2268");
  // Not the RFC's form, but copied as it came (R-5.2.3.7.2-a).
  EXPECT_EQ(read("00000000 00000000 0000ffff c0000201"), "192.0.2.1:2268");
  EXPECT_EQ(read("00000000 00000000 0000ffff 00000201"), "0.0.2.1:2268");
}

}  // namespace
}  // namespace amt::wire
