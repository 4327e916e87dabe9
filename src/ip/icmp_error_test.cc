#include "ip/icmp_error.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/test_bytes.hh"
#include "ip/checksum.hh"

namespace amt {
namespace {

using test::hex;
using test::joined;
using Octets = std::vector<std::byte>;

/// 192.0.2.1 to 232.1.2.3, DF=1, protocol and flags as given; the header checksum is computed.
Octets v4(std::uint8_t protocol, const Octets& payload, std::uint16_t flags = 0x4000, const char* source = "c0000201") {
  Octets octets = joined({hex("45000000 00070000 10000000"), hex(source), hex("e8010203"), payload});
  octets[2] = static_cast<std::byte>(octets.size() >> 8);
  octets[3] = static_cast<std::byte>(octets.size() & 0xff);
  octets[6] = static_cast<std::byte>(flags >> 8);
  octets[7] = static_cast<std::byte>(flags & 0xff);
  octets[9] = std::byte{protocol};
  const std::uint16_t checksum = internet_checksum(Bytes(octets).first(kIpv4HeaderOctets));
  octets[10] = static_cast<std::byte>(checksum >> 8);
  octets[11] = static_cast<std::byte>(checksum & 0xff);
  return octets;
}

/// 2001:db8::1 to ff3e::8000:1.
Octets v6(std::uint8_t next_header, const Octets& payload, const char* source = "20010db8 00000000 00000000 00000001") {
  Octets octets = joined({hex("60000000 00000040"), hex(source), hex("ff3e0000 00000000 00000000 80000001"), payload});
  octets[4] = static_cast<std::byte>(payload.size() >> 8);
  octets[5] = static_cast<std::byte>(payload.size() & 0xff);
  octets[6] = std::byte{next_header};
  return octets;
}

Octets counting(std::size_t octets) {
  Octets out(octets);
  for (std::size_t i = 0; i < octets; ++i) out[i] = static_cast<std::byte>(i);
  return out;
}

DatagramView view(const Octets& octets) { return DatagramView::parse(octets).value(); }
bool may_answer(const Octets& octets) { return may_answer_with_icmp_error(view(octets)); }

// RFC 1191 §4: type 3, code 4, 16 unused bits, the Next-Hop MTU. R-5.3.3.6.2.1-a
TEST(IcmpError, SaysFragmentationNeededWithTheNextHopMtu) {
  const Octets datagram = v4(17, hex("0fa01388 000c0000 61626364"));
  const Octets message = write_too_big(view(datagram), 1470);
  // By hand: 0304 + 05be + (the quoted header sums to 0xffff) + 0fa0 + 1388 + 000c + 6162 + 6364 = 0xf0bc.
  EXPECT_EQ(message, joined({hex("03040f43 000005be"), datagram}));
  EXPECT_EQ(internet_checksum(message), 0);
}

// RFC 4443 §3.2: type 2, code 0, a 32-bit MTU. R-5.3.3.6.2.2-a, X-4.6-b
TEST(IcmpError, SaysPacketTooBigAlsoBelow1280) {
  const Octets datagram = v6(17, hex("0fa01388 000c1234 61626364"));
  EXPECT_EQ(write_too_big(view(datagram), 1230), joined({hex("02000000 000004ce"), datagram}));
}

TEST(IcmpError, QuotesAsMuchAsTheRfcsLeaveRoomFor) {  // RFC 1812 §4.3.2.3, RFC 4443 §3.2
  const Octets big4 = v4(17, counting(1480));
  const Octets message4 = write_too_big(view(big4), 576);
  ASSERT_EQ(kIpv4HeaderOctets + message4.size(), 576U);
  EXPECT_TRUE(std::ranges::equal(Bytes(message4).subspan(8), Bytes(big4).first(548)));
  EXPECT_EQ(internet_checksum(message4), 0);

  const Octets big6 = v6(17, counting(1460));
  const Octets message6 = write_too_big(view(big6), 1230);
  ASSERT_EQ(kIpv6HeaderOctets + message6.size(), 1280U);
  EXPECT_TRUE(std::ranges::equal(Bytes(message6).subspan(8), Bytes(big6).first(1232)));
}

TEST(IcmpError, SaysTheLargestMtuThatTheFieldHolds) {
  EXPECT_EQ(write_too_big(view(v4(17, counting(8))), 70000)[6], std::byte{0xff});
  EXPECT_EQ(write_too_big(view(v6(17, counting(8))), 70000)[5], std::byte{0x01});
}

TEST(IcmpError, AnswersNoIcmpError) {  // X-4.6-c, RFC 1122 §3.2.2, RFC 4443 §2.4 e
  for (const int type : {3, 4, 5, 11, 12}) EXPECT_FALSE(may_answer(v4(1, {static_cast<std::byte>(type)}))) << type;
  for (const int type : {0, 8, 13}) EXPECT_TRUE(may_answer(v4(1, {static_cast<std::byte>(type)}))) << type;
  for (const int type : {1, 2, 3, 4, 127, 137}) {
    EXPECT_FALSE(may_answer(v6(58, {static_cast<std::byte>(type)}))) << type;
  }
  for (const int type : {128, 129}) EXPECT_TRUE(may_answer(v6(58, {static_cast<std::byte>(type)}))) << type;
  EXPECT_FALSE(may_answer(v4(1, {})));
  // The other family's number means something else.
  EXPECT_TRUE(may_answer(v4(58, {std::byte{1}})));
}

TEST(IcmpError, AnswersTheFirstFragmentAlone) {  // X-4.6-c
  EXPECT_TRUE(may_answer(v4(17, counting(16), 0x2000)));
  EXPECT_FALSE(may_answer(v4(17, counting(16), 0x2002)));
  EXPECT_TRUE(may_answer(v6(44, joined({hex("11000001 00000007"), counting(16)}))));
  EXPECT_FALSE(may_answer(v6(44, joined({hex("11000011 00000007"), counting(16)}))));
}

TEST(IcmpError, AnswersNoSourceThatIsNotOneHost) {  // RFC 1122 §3.2.2
  for (const char* source : {"00000000", "00000001", "7f000001", "e0000005", "f0000001", "ffffffff", "a9fe0001"}) {
    EXPECT_FALSE(may_answer(v4(17, counting(16), 0x4000, source))) << source;
  }
  for (const char* source : {"00000000 00000000 00000000 00000000", "00000000 00000000 00000000 00000001",
                             "ff3e0000 00000000 00000000 00000001", "fe800000 00000000 00000000 00000001"}) {
    EXPECT_FALSE(may_answer(v6(17, counting(16), source))) << source;
  }
}

}  // namespace
}  // namespace amt
