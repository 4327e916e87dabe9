#include "sap/sap_packet.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/test_bytes.hh"

namespace amt {
namespace {

using test::hex;
using test::joined;

std::vector<std::byte> octets(std::string_view text) {
  std::vector<std::byte> out(text.size());
  std::ranges::transform(text, out.begin(), [](char c) { return static_cast<std::byte>(c); });
  return out;
}

/// RFC 2974 §6: V=1, no authentication, hash 0x1234, from 192.0.2.1.
const std::vector<std::byte> kHeader = hex("20001234 c0000201");

TEST(SapPacket, ReadsAPayloadWithTypeAndWithout) {
  for (const std::string& type : {std::string(), std::string("application/sdp\0", 16)}) {
    const auto packet = SapPacket::parse(joined({kHeader, octets(type + "v=0\r\n")}));
    ASSERT_TRUE(packet);
    EXPECT_FALSE(packet->is_deletion);
    EXPECT_FALSE(packet->is_signed);
    EXPECT_EQ(packet->message_id_hash, 0x1234);
    EXPECT_EQ(packet->origin.to_string(), "192.0.2.1");
    EXPECT_EQ(packet->payload, "v=0\r\n");
  }
}

TEST(SapPacket, ReadsAnIpv6Origin) {
  const auto packet = SapPacket::parse(joined({hex("30001234 20010db8000000000000000000000001"), octets("v=0\n")}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->origin.to_string(), "2001:db8::1");
}

TEST(SapPacket, PassesOverAuthenticationData) {
  const auto packet = SapPacket::parse(joined({hex("20021234 c0000201 0102030405060708"), octets("v=0\n")}));
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->is_signed);
  EXPECT_EQ(packet->payload, "v=0\n");
}

TEST(SapPacket, TakesADeletionOfTheOriginLineAlone) {
  const auto packet = SapPacket::parse(joined({hex("24001234 c0000201"), octets("o=- 1 1 IN IP4 192.0.2.1\r\n")}));
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->is_deletion);
  EXPECT_EQ(packet->payload, "o=- 1 1 IN IP4 192.0.2.1\r\n");
}

TEST(SapPacket, RefusesWhatItCannotRead) {
  const auto error_of = [](const std::vector<std::byte>& header, std::string_view payload) {
    const auto packet = SapPacket::parse(joined({header, octets(payload)}));
    return packet ? std::nullopt : std::optional(packet.error());
  };
  EXPECT_EQ(error_of(hex("200012"), ""), SapError::kMalformed);
  EXPECT_EQ(error_of(hex("20001234 c00002"), ""), SapError::kMalformed);
  EXPECT_EQ(error_of(hex("30001234 c0000201"), "v=0\n"), SapError::kMalformed) << "no room for an IPv6 address";
  EXPECT_EQ(error_of(hex("20ff1234 c0000201"), "v=0\n"), SapError::kMalformed) << "authentication data longer than all";
  EXPECT_EQ(error_of(hex("00001234 c0000201"), "v=0\n"), SapError::kVersion);
  EXPECT_EQ(error_of(hex("22001234 c0000201"), "v=0\n"), SapError::kEncrypted);
  EXPECT_EQ(error_of(hex("21001234 c0000201"), "v=0\n"), SapError::kCompressed);
  EXPECT_EQ(error_of(kHeader, std::string("text/plain\0v=0\n", 15)), SapError::kPayloadType);
  EXPECT_EQ(error_of(kHeader, "text/plain"), SapError::kPayloadType) << "the type has no end";
  EXPECT_EQ(error_of(kHeader, "v=0\n" + std::string(kSapOctetsMax, 'a')), SapError::kTooLarge);
}

TEST(SapPacket, ReadsWhatItWrites) {
  for (const char* const origin : {"192.0.2.1", "2001:db8::1"}) {
    for (const bool is_deletion : {false, true}) {
      const SapPacket packet{
          .is_deletion = is_deletion, .message_id_hash = 7, .origin = *IpAddress::parse(origin), .payload = "v=0\r\n"};
      const auto again = SapPacket::parse(packet.serialise());
      ASSERT_TRUE(again);
      EXPECT_EQ(again->origin, packet.origin);
      EXPECT_EQ(again->is_deletion, is_deletion);
      EXPECT_EQ(again->message_id_hash, 7);
      EXPECT_EQ(again->payload, packet.payload);
    }
  }
}

TEST(SapPacket, AnnouncesInTheScopeOfTheGroup) {
  const auto announced = [](const char* group) { return announcement_group(*IpAddress::parse(group)).to_string(); };
  EXPECT_EQ(announced("232.1.2.3"), "224.2.127.254");
  EXPECT_EQ(announced("239.255.1.1"), "239.255.255.255");
  EXPECT_EQ(announced("239.193.1.1"), "239.195.255.255");
  EXPECT_EQ(announced("239.1.1.1"), "224.2.127.254");
  EXPECT_EQ(announced("ff3e::8000:1"), "ff0e::2:7ffe");
  EXPECT_EQ(announced("ff15::1"), "ff05::2:7ffe");
  for (const Family family : {Family::kIpv4, Family::kIpv6}) EXPECT_EQ(announcement_groups(family).size(), 4U);
}

TEST(SapPacket, HashesTellPayloadsApartAndAreNeverZero) {
  EXPECT_NE(message_id_hash("v=0\na"), message_id_hash("v=0\nb"));
  EXPECT_EQ(message_id_hash("v=0\na"), message_id_hash("v=0\na"));
  for (int i = 0; i < 100'000; ++i) ASSERT_NE(message_id_hash(std::to_string(i)), 0);
}

}  // namespace
}  // namespace amt
