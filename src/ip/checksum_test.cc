#include "ip/checksum.hh"

#include <gtest/gtest.h>

#include "base/random.hh"
#include "base/test_bytes.hh"

namespace amt {
namespace {

using test::hex;

/// RFC 1071 §1, word by word.
std::uint16_t naive_checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << 8;
    if (i + 1 < bytes.size()) sum += std::to_integer<std::uint32_t>(bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

TEST(InternetChecksum, IsThatOfRfc1071) {
  // RFC 1071 §3: the sum of these octets is ddf2.
  EXPECT_EQ(internet_checksum(hex("0001f203f4f5f6f7")), 0xffff - 0xddf2);
  EXPECT_EQ(internet_checksum({}), 0xffff);
  EXPECT_EQ(internet_checksum(hex("12")), 0xffff - 0x1200);
}

TEST(InternetChecksum, IsRightAtEveryLengthAndAlignment) {
  SeededRandom random(1);
  std::vector<std::byte> octets(2100);
  random.fill(octets);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t length = 0; length <= 300; ++length) {
      const Bytes piece = Bytes(octets).subspan(from, length);
      ASSERT_EQ(internet_checksum(piece), naive_checksum(piece)) << from << ' ' << length;
    }
    const Bytes piece = Bytes(octets).subspan(from);
    ASSERT_EQ(internet_checksum(piece), naive_checksum(piece));
  }
}

TEST(InternetChecksum, CarriesThroughOnesAlone) {
  for (std::size_t length = 1; length <= 200; ++length) {
    const std::vector<std::byte> ones(length, std::byte{0xff});
    ASSERT_EQ(internet_checksum(ones), naive_checksum(ones)) << length;
  }
  const std::vector<std::byte> many(65535, std::byte{0xff});
  EXPECT_EQ(internet_checksum(many), naive_checksum(many));
}

TEST(InternetChecksum, AddsPiecesAndWords) {
  SeededRandom random(2);
  std::vector<std::byte> octets(1316);
  random.fill(octets);
  InternetChecksum pieces;
  pieces.add(Bytes(octets).first(6));
  pieces.add_u16(ByteReader(Bytes(octets).subspan(6)).u16());
  pieces.add(Bytes(octets).subspan(8, 700));
  pieces.add(Bytes(octets).subspan(708));
  EXPECT_EQ(pieces.value(), naive_checksum(octets));
}

TEST(InternetChecksum, PseudoHeadersOfBothFamilies) {
  const IpAddress v4_source = *IpAddress::parse("192.0.2.1");
  const IpAddress v4_group = *IpAddress::parse("232.1.2.3");
  InternetChecksum v4;
  v4.add_pseudo_header(v4_source, v4_group, 17, 0x1234);
  EXPECT_EQ(v4.value(), naive_checksum(hex("c0000201 e8010203 0011 1234")));  // RFC 768

  const IpAddress v6_source = *IpAddress::parse("2001:db8::1");
  const IpAddress v6_group = *IpAddress::parse("ff3e::8000:d");
  InternetChecksum v6;
  v6.add_pseudo_header(v6_source, v6_group, 58, 0x00012345);
  EXPECT_EQ(v6.value(), naive_checksum(hex("20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d"
                                           "00012345 0000003a")));  // RFC 8200 §8.1
}

TEST(UpdatedChecksum, IsTheExampleOfRfc1624) {
  // RFC 1624 §4: HC = dd2f, m = 5555, m' = 3285 gives 0000; the older equation of RFC 1141 gave ffff.
  EXPECT_EQ(updated_checksum(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(UpdatedChecksum, AgreesWithAFullSum) {
  SeededRandom random(3);
  std::vector<std::byte> octets(20);
  for (int round = 0; round < 20000; ++round) {
    random.fill(octets);
    octets[0] = std::byte{0x45};  // never all zero, as an IPv4 header
    const std::uint16_t before = internet_checksum(octets);
    const std::size_t at = 2 * random.below(9) + 2;
    const std::uint16_t old_word = ByteReader(Bytes(octets).subspan(at)).u16();
    const std::uint16_t new_word = static_cast<std::uint16_t>(random.u32() >> 16);
    ByteWriter(MutableBytes(octets).subspan(at)).u16(new_word);
    ASSERT_EQ(updated_checksum(before, old_word, new_word), internet_checksum(octets));
  }
}

}  // namespace
}  // namespace amt
