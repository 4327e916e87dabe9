#include <gtest/gtest.h>

#include "wire/test_message.hh"

namespace amt::wire {
namespace {

using test::hex;

TEST(Request, AsksForIgmpOrMld) {  // R-5.1.3-a
  const std::vector<std::byte> igmp = hex("03000000 55667788");
  EXPECT_EQ(Request::parse(igmp)->protocol, Protocol::kIgmp);
  EXPECT_EQ(Request::parse(igmp)->nonce, RequestNonce{0x55667788});
  EXPECT_FALSE(Request::parse(igmp)->ecn_capable);
  EXPECT_FALSE(Request::parse(igmp)->mirrored_flags);
  EXPECT_EQ(test::written(*Request::parse(igmp), kRequestOctets), igmp);

  const std::vector<std::byte> mld = hex("03010000 55667788");
  EXPECT_EQ(Request::parse(mld)->protocol, Protocol::kMld);
  EXPECT_FALSE(Request::parse(mld)->mirrored_flags);
  EXPECT_EQ(test::written(*Request::parse(mld), kRequestOctets), mld);
}

TEST(Request, CarriesTheEFlag) {  // E-9601-e
  const std::vector<std::byte> octets = hex("03020000 55667788");
  EXPECT_TRUE(Request::parse(octets)->ecn_capable);
  EXPECT_EQ(Request::parse(octets)->protocol, Protocol::kIgmp);
  EXPECT_EQ(test::written(*Request::parse(octets), kRequestOctets), octets);
  EXPECT_TRUE(Request::parse(hex("03030000 55667788"))->ecn_capable);
  EXPECT_EQ(Request::parse(hex("03030000 55667788"))->protocol, Protocol::kMld);
}

TEST(Request, TakesThePFlagWhereTheLinuxGatewayPutsIt) {
  const std::vector<std::byte> octets = hex("03800000 55667788");
  const Request request = Request::parse(octets).value();
  EXPECT_EQ(request.protocol, Protocol::kMld);
  EXPECT_TRUE(request.mirrored_flags);
  EXPECT_FALSE(request.ecn_capable);
  EXPECT_EQ(test::written(request, kRequestOctets), octets);
  // Where E would stand mirrored, it is a reserved bit.
  EXPECT_FALSE(Request::parse(hex("03c00000 55667788"))->ecn_capable);
}

TEST(Request, EveryFlagOctetIsAccepted) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    std::vector<std::byte> octets = hex("0300ffff 55667788");
    octets[1] = static_cast<std::byte>(flags);
    const Request request = Request::parse(octets).value();
    EXPECT_EQ(request.nonce, RequestNonce{0x55667788});
    EXPECT_EQ(request.protocol, (flags & 0x81) != 0 ? Protocol::kMld : Protocol::kIgmp) << flags;
    EXPECT_EQ(request.ecn_capable, (flags & 2) != 0) << flags;
    EXPECT_EQ(request.mirrored_flags, (flags & 0x81) == 0x80) << flags;
    // Reserved bits are sent as zero.
    const unsigned kept = flags & ((flags & 1) != 0 ? 0x03U : 0x82U);
    EXPECT_EQ(test::written(request, kRequestOctets)[1], static_cast<std::byte>(kept)) << flags;
  }
}

TEST(Request, IsRefusedWhenShortAndTakenWithSurplus) {  // X-5.1-a; VLC sends 9 octets
  test::expect_lengths<Request>(3, [](std::size_t octets) { return octets >= 8; });
}

}  // namespace
}  // namespace amt::wire
