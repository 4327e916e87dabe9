#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hh"
#include "ip/fragment.hh"
#include "ip/test_fragments.hh"

namespace amt {
namespace {

using test::hex;
using test::Octets;
using test::slice;
using test::v4_fragment;
using test::v4_whole;

Octets random_octets(std::size_t octets) {
  Octets out(octets);
  SeededRandom(8).fill(out);
  return out;
}

std::vector<Octets> cut(const Octets& datagram, std::size_t mtu) {
  return fragment_ipv4(DatagramView::parse(datagram).value(), mtu);
}

TEST(FragmentIpv4, CutsAtUnitsOf8Octets) {  // X-4.6-a, R-5.3.3.6.2.1-b
  const Octets payload = random_octets(100);
  // 20 octets of header leave 47, of which 40 are used.
  const std::vector<Octets> expected{v4_fragment(0xbeef, 0, true, slice(payload, 0, 40)),
                                     v4_fragment(0xbeef, 40, true, slice(payload, 40, 80)),
                                     v4_fragment(0xbeef, 80, false, slice(payload, 80, 100))};
  EXPECT_EQ(cut(v4_whole(0xbeef, payload), 67), expected);
}

TEST(FragmentIpv4, LeavesWhatFitsWhole) {
  const Octets whole = v4_whole(1, random_octets(100));
  EXPECT_EQ(cut(whole, 120), std::vector<Octets>{whole});
  EXPECT_EQ(cut(whole, 119).size(), 2U);
}

TEST(FragmentIpv4, AFragmentIsCutOnWithItsOffsetAndFlag) {  // X-4.6-a
  const Octets payload = random_octets(64);
  const std::vector<Octets> expected{v4_fragment(7, 800, true, slice(payload, 0, 32)),
                                     v4_fragment(7, 832, true, slice(payload, 32, 64))};
  EXPECT_EQ(cut(v4_fragment(7, 800, true, payload), 52), expected);
  EXPECT_FALSE(DatagramView::parse(cut(v4_fragment(7, 800, false, payload), 52).back())->more_fragments);
}

TEST(FragmentIpv4, OnlyCopiedOptionsGoWithLaterPieces) {  // X-4.6-a, RFC 791 §3.1
  const Octets payload = random_octets(64);
  // No operation, record route (7, not copied), Router Alert (148, copied), stream ID (136, copied), end of list.
  const Octets options = hex("01070304 94040000 8804abcd 00000000");
  ASSERT_EQ(options.size(), 16U);
  const std::vector<Octets> fragments = cut(v4_whole(7, payload, options), 68);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(fragments[0], v4_fragment(7, 0, true, slice(payload, 0, 32), options));
  EXPECT_EQ(fragments[1], v4_fragment(7, 32, false, slice(payload, 32, 64), hex("94040000 8804abcd")));
}

TEST(FragmentIpv4, LaterOptionsArePadded) {
  const Octets payload = random_octets(64);
  const std::vector<Octets> fragments = cut(v4_whole(7, payload, hex("8303ff 01 88030000")), 60);
  ASSERT_EQ(fragments.size(), 2U);
  EXPECT_EQ(slice(fragments[1], 20, 28), hex("8303ff 880300 0000"));
}

TEST(FragmentIpv4, RefusesWhatMustNotBeCut) {
  Octets dont_fragment = v4_whole(1, random_octets(100));
  dont_fragment[6] = std::byte{0x40};
  ASSERT_GE(std::to_integer<unsigned>(dont_fragment[10]), 0x40U);
  dont_fragment[10] ^= std::byte{0x40};
  EXPECT_TRUE(cut(dont_fragment, 60).empty());                       // R-5.3.3.6.2.1-a
  EXPECT_TRUE(cut(test::v6_whole(random_octets(100)), 60).empty());  // R-5.3.3.6.2.2-a
  EXPECT_TRUE(cut(v4_whole(1, random_octets(100)), 27).empty());     // no room
  EXPECT_TRUE(cut(v4_whole(1, random_octets(100)), 0).empty());
  EXPECT_TRUE(cut(v4_fragment(1, 65528, false, random_octets(100)), 60).empty());  // offset beyond its field
  EXPECT_EQ(cut(v4_whole(1, random_octets(100)), 28).size(), 13U);
}

TEST(FragmentIpv4, WhatIsCutIsReassembled) {
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{8}, std::size_t{1480}, std::size_t{5000}, std::size_t{65515}}) {
    const Octets whole = v4_whole(3, random_octets(length));
    for (const std::size_t mtu : {std::size_t{68}, std::size_t{576}, std::size_t{1470}, std::size_t{9000}}) {
      Reassembler reassembler;
      std::optional<Bytes> got;
      const std::vector<Octets> fragments = cut(whole, mtu);
      for (const Octets& fragment : fragments) {
        ASSERT_LE(fragment.size(), mtu);
        ASSERT_FALSE(got);
        got = reassembler.add(Instant{}, DatagramView::parse(fragment).value());
      }
      ASSERT_TRUE(got) << length << ' ' << mtu;
      ASSERT_TRUE(std::equal(got->begin(), got->end(), whole.begin(), whole.end())) << length << ' ' << mtu;
    }
  }
}

}  // namespace
}  // namespace amt
