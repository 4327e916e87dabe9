#include <gtest/gtest.h>

#include "base/random.hh"
#include "base/test_bytes.hh"
#include "ip/checksum.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

using test::hex;
using Octets = std::vector<std::byte>;

/// A random IPv4 header of random length with a right checksum.
Octets random_v4_header(Random& random) {
  Octets header(20 + 4 * random.below(11));
  random.fill(header);
  header[0] = static_cast<std::byte>(0x40 | header.size() / 4);
  header[10] = header[11] = std::byte{0};
  ByteWriter(MutableBytes(header).subspan(10)).u16(internet_checksum(header));
  return header;
}

Octets with_checksum(Octets header) {
  header[10] = header[11] = std::byte{0};
  ByteWriter(MutableBytes(header).subspan(10)).u16(internet_checksum(header));
  return header;
}

TEST(DecrementHopLimit, MendsTheChecksumAsAFullSumWould) {  // X-4.6-d
  SeededRandom random(4);
  for (int round = 0; round < 20000; ++round) {
    const Octets before = random_v4_header(random);
    Octets after = before;
    const unsigned ttl = std::to_integer<unsigned>(before[8]);
    ASSERT_EQ(decrement_hop_limit(after), ttl > 1);
    Octets expected = before;
    if (ttl > 1) expected[8] = static_cast<std::byte>(ttl - 1);
    ASSERT_EQ(after, with_checksum(expected));
  }
}

TEST(DecrementHopLimit, StopsAtOneInBothFamilies) {  // X-10-11
  Octets v4 = hex("45000014 00000000 02110000 c0000201 e8010203");
  v4 = with_checksum(v4);
  EXPECT_TRUE(decrement_hop_limit(v4));
  const Octets v4_at_one = v4;
  EXPECT_FALSE(decrement_hop_limit(v4));
  EXPECT_EQ(v4, v4_at_one);

  Octets v6 = hex("60000000 00001102 20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d");
  EXPECT_TRUE(decrement_hop_limit(v6));
  EXPECT_EQ(v6[7], std::byte{1});
  const Octets v6_at_one = v6;
  EXPECT_FALSE(decrement_hop_limit(v6));
  EXPECT_EQ(v6, v6_at_one);
  v6[7] = std::byte{0};
  EXPECT_FALSE(decrement_hop_limit(v6));
}

TEST(DecrementHopLimit, LeavesWhatIsNoHeaderAlone) {
  Octets piece = hex("45000014 00000000 0211");
  EXPECT_FALSE(decrement_hop_limit(piece));
  EXPECT_FALSE(decrement_hop_limit({}));
  set_ecn(piece, Ecn::kCe);
  EXPECT_EQ(piece, hex("45000014 00000000 0211"));
}

TEST(SetEcn, MendsTheChecksumAsAFullSumWould) {  // E-6040-b
  SeededRandom random(5);
  for (int round = 0; round < 20000; ++round) {
    const Octets before = random_v4_header(random);
    const unsigned ecn = static_cast<unsigned>(random.below(4));
    Octets after = before;
    set_ecn(after, static_cast<Ecn>(ecn));
    Octets expected = before;
    expected[1] = (expected[1] & std::byte{0xfc}) | static_cast<std::byte>(ecn);
    ASSERT_EQ(after, with_checksum(expected));
  }
}

TEST(SetEcn, LeavesDscpAndFlowLabelOfIpv6Alone) {  // E-9601-c
  const Octets before =
      hex("6abcdef0 00003b40 20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d");
  for (const unsigned ecn : {0U, 1U, 2U, 3U}) {
    Octets after = before;
    set_ecn(after, static_cast<Ecn>(ecn));
    EXPECT_EQ(DatagramView::parse(after)->traffic_class, (0xabU & ~3U) | ecn);
    after[1] = before[1];
    EXPECT_EQ(after, before);
  }
}

}  // namespace
}  // namespace amt
