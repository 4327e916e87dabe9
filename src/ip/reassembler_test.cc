#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

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
using test::v6_fragment;
using test::v6_whole;

constexpr Instant kStart{};

Octets random_octets(std::size_t octets, std::uint64_t seed = 7) {
  Octets out(octets);
  SeededRandom(seed).fill(out);
  return out;
}

/// Empty: nothing complete.
Octets add(Reassembler& reassembler, const Octets& fragment, Instant now = kStart) {
  const std::optional<Bytes> whole = reassembler.add(now, DatagramView::parse(fragment).value());
  return whole ? Octets(whole->begin(), whole->end()) : Octets{};
}

TEST(Reassembler, TakesTheFragmentsInEveryOrder) {  // R-5.2.3.3-f
  const Octets payload = random_octets(37);
  const std::array<std::pair<std::size_t, std::size_t>, 5> cuts{{{0, 8}, {8, 16}, {16, 24}, {24, 32}, {32, 37}}};
  for (const bool v4 : {true, false}) {
    const Octets whole = v4 ? v4_whole(9, payload) : v6_whole(payload);
    std::array<std::size_t, 5> order{0, 1, 2, 3, 4};
    do {
      Reassembler reassembler;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto [begin, end] = cuts[order[i]];
        const bool more = end != payload.size();
        const Octets piece = slice(payload, begin, end);
        const Octets got =
            add(reassembler, v4 ? v4_fragment(9, begin, more, piece) : v6_fragment(9, begin, more, piece));
        ASSERT_EQ(got, i + 1 == order.size() ? whole : Octets{});
      }
      ASSERT_EQ(reassembler.discarded(), 0U);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(Reassembler, GivesAValidDatagram) {
  const Octets payload = random_octets(3000);
  Reassembler reassembler;
  EXPECT_TRUE(add(reassembler, v4_fragment(9, 1480, false, slice(payload, 1480, 3000))).empty());
  const Octets v4 = add(reassembler, v4_fragment(9, 0, true, slice(payload, 0, 1480), hex("94040000")));
  const DatagramView v4_view = DatagramView::parse(v4).value();
  EXPECT_FALSE(v4_view.is_fragment());
  EXPECT_TRUE(v4_view.router_alert);  // the first fragment's options
  EXPECT_EQ(v4_view.bytes.size(), v4.size());
  EXPECT_EQ(v4_view.payload.size(), 3000U);

  EXPECT_TRUE(add(reassembler, v6_fragment(9, 0, true, slice(payload, 0, 1400))).empty());
  const Octets v6 = add(reassembler, v6_fragment(9, 1400, false, slice(payload, 1400, 3000)));
  const DatagramView v6_view = DatagramView::parse(v6).value();
  EXPECT_FALSE(v6_view.is_fragment());
  EXPECT_EQ(v6_view.protocol, kProtocolUdp);
  EXPECT_EQ(v6_view.payload.size(), 3000U);
}

TEST(Reassembler, KeepsDatagramsApart) {
  const Octets payload = random_octets(16);
  const Octets first = slice(payload, 0, 8);
  const Octets last = slice(payload, 8, 16);
  Reassembler reassembler;
  Octets other_source = v4_fragment(1, 0, true, first);
  other_source[15] = std::byte{2};
  other_source[11] = static_cast<std::byte>(std::to_integer<unsigned>(other_source[11]) - 1);
  Octets other_protocol = v4_fragment(1, 0, true, first);
  other_protocol[9] = std::byte{16};
  other_protocol[11] = static_cast<std::byte>(std::to_integer<unsigned>(other_protocol[11]) + 1);
  EXPECT_TRUE(add(reassembler, other_source).empty());
  EXPECT_TRUE(add(reassembler, other_protocol).empty());
  EXPECT_TRUE(add(reassembler, v4_fragment(2, 0, true, first)).empty());
  EXPECT_TRUE(add(reassembler, v6_fragment(1, 0, true, first)).empty());
  EXPECT_TRUE(add(reassembler, v4_fragment(1, 8, false, last)).empty());
  EXPECT_EQ(add(reassembler, v4_fragment(1, 0, true, first)), v4_whole(1, payload));
  EXPECT_EQ(add(reassembler, v4_fragment(2, 8, false, last)), v4_whole(2, payload));
  EXPECT_EQ(add(reassembler, v6_fragment(1, 8, false, last)), v6_whole(payload));
}

TEST(Reassembler, Ipv6FragmentsMayDifferInTheirNextHeader) {  // RFC 8200 §4.5: the first one's counts
  const Octets payload = random_octets(16);
  Reassembler reassembler;
  Octets last = v6_fragment(1, 8, false, slice(payload, 8, 16));
  last[48] = std::byte{6};
  EXPECT_TRUE(add(reassembler, last).empty());
  EXPECT_EQ(add(reassembler, v6_fragment(1, 0, true, slice(payload, 0, 8))), v6_whole(payload));
}

TEST(Reassembler, ExactRepeatsAreIgnored) {
  const Octets payload = random_octets(24);
  Reassembler reassembler;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(add(reassembler, v4_fragment(1, 0, true, slice(payload, 0, 8))).empty());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(add(reassembler, v4_fragment(1, 16, false, slice(payload, 16, 24))).empty());
  EXPECT_EQ(add(reassembler, v4_fragment(1, 8, true, slice(payload, 8, 16))), v4_whole(1, payload));
  EXPECT_EQ(reassembler.discarded(), 0U);
}

// X-10-10: RFC 8200
TEST(Reassembler, AnOverlapDiscardsTheWholeDatagramAndItsRest) {  // RFC 5722 §4
  const Octets payload = random_octets(48);
  struct Case {
    std::size_t begin, end;
    bool more;
  };
  // [16, 32) is there. Longer, shorter, from the left, from the right, around, within.
  for (const Case& c : {Case{16, 40, true}, Case{16, 24, true}, Case{8, 24, true}, Case{24, 40, true},
                        Case{8, 40, true}, Case{24, 32, true}, Case{16, 32, false}}) {
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 16, true, slice(payload, 16, 32))).empty());
    EXPECT_TRUE(add(reassembler, v4_fragment(1, c.begin, c.more, slice(payload, c.begin, c.end))).empty());
    EXPECT_EQ(reassembler.discarded(), 1U) << c.begin << ' ' << c.end;
    // Now every piece without overlap: too late.
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 0, true, slice(payload, 0, 16))).empty());
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 16, true, slice(payload, 16, 32))).empty());
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 32, false, slice(payload, 32, 48))).empty());
    EXPECT_EQ(reassembler.discarded(), 1U);
    // Once it is forgotten, the identification is free again; forgetting it does not count twice.
    const Instant later = kStart + Reassembler::kTimeout;
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 0, true, slice(payload, 0, 8)), later).empty());
    EXPECT_FALSE(add(reassembler, v4_fragment(1, 8, false, slice(payload, 8, 16)), later).empty());
    EXPECT_EQ(reassembler.discarded(), 1U);
  }
}

TEST(Reassembler, ThereIsOneLastFragmentAndNothingBehindIt) {
  const Octets payload = random_octets(48);
  const Octets middle = v4_fragment(1, 16, false, slice(payload, 16, 24));
  for (const Octets& contradiction :
       {v4_fragment(1, 24, true, slice(payload, 24, 32)), v4_fragment(1, 24, false, slice(payload, 24, 32)),
        v4_fragment(1, 8, false, slice(payload, 8, 16)), v4_fragment(1, 16, true, slice(payload, 16, 24))}) {
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, middle).empty());
    EXPECT_TRUE(add(reassembler, contradiction).empty());
    EXPECT_EQ(reassembler.discarded(), 1U);
    Reassembler other_order;
    EXPECT_TRUE(add(other_order, contradiction).empty());
    EXPECT_TRUE(add(other_order, middle).empty());
    EXPECT_EQ(other_order.discarded(), 1U);
  }
}

TEST(Reassembler, RefusesPiecesThatNoDatagramHas) {
  // Not a multiple of 8 octets; empty; behind the end of every datagram (RFC 8200 §4.5).
  for (const Octets& bad : {v4_fragment(1, 0, true, random_octets(7)), v4_fragment(1, 8, true, {}),
                            v4_fragment(1, 8, false, {}), v4_fragment(1, 65528, false, random_octets(8))}) {
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, bad).empty());
    EXPECT_EQ(reassembler.discarded(), 1U);
  }
}

TEST(Reassembler, NoDatagramIsLongerThanItsLengthFieldCanSay) {
  for (const std::size_t total : {std::size_t{65515}, std::size_t{65516}}) {
    const Octets payload = random_octets(total);
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 0, true, slice(payload, 0, 32000))).empty());
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 32000, true, slice(payload, 32000, 64000))).empty());
    const Octets whole = add(reassembler, v4_fragment(1, 64000, false, slice(payload, 64000, total)));
    EXPECT_EQ(whole.empty(), total > 65515);
    EXPECT_EQ(reassembler.discarded(), total > 65515 ? 1U : 0U);
  }
  // IPv6 counts from behind its fixed header; 8 octets of destination options are part of the length.
  for (const std::size_t total : {std::size_t{65527}, std::size_t{65528}}) {
    const Octets payload = random_octets(total);
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, v6_fragment(1, 0, true, slice(payload, 0, 32000))).empty());
    EXPECT_TRUE(add(reassembler, v6_fragment(1, 32000, true, slice(payload, 32000, 64000))).empty());
    EXPECT_EQ(add(reassembler, v6_fragment(1, 64000, false, slice(payload, 64000, total))).empty(), total > 65527);
  }
}

TEST(Reassembler, PatienceEnds) {
  const Octets payload = random_octets(16);
  Reassembler reassembler;
  const Octets first = v4_fragment(1, 0, true, slice(payload, 0, 8));
  const Octets last = v4_fragment(1, 8, false, slice(payload, 8, 16));
  EXPECT_TRUE(add(reassembler, first).empty());
  EXPECT_FALSE(add(reassembler, last, kStart + Reassembler::kTimeout - Duration(1)).empty());
  EXPECT_TRUE(add(reassembler, first).empty());
  EXPECT_TRUE(add(reassembler, last, kStart + Reassembler::kTimeout).empty());
  EXPECT_EQ(reassembler.discarded(), 1U);
}

TEST(Reassembler, TheOldestGivesWay) {
  const Octets payload = random_octets(16);
  const auto first = [&](std::uint16_t id) { return v4_fragment(id, 0, true, slice(payload, 0, 8)); };
  const auto last = [&](std::uint16_t id) { return v4_fragment(id, 8, false, slice(payload, 8, 16)); };
  Reassembler reassembler(4);
  for (std::uint16_t id = 1; id <= 5; ++id) EXPECT_TRUE(add(reassembler, first(id)).empty());
  EXPECT_EQ(reassembler.discarded(), 1U);
  for (std::uint16_t id = 2; id <= 5; ++id) EXPECT_FALSE(add(reassembler, last(id)).empty()) << id;
  EXPECT_TRUE(add(reassembler, last(1)).empty());
}

TEST(Reassembler, ManySmallPiecesAreAnAttack) {
  Reassembler reassembler;
  const Octets piece = random_octets(8);
  for (std::size_t i = 0; i < 2000; ++i) {
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 16 * i, true, piece)).empty());
    EXPECT_EQ(reassembler.discarded(), i < 1366 ? 0U : 1U) << i;
  }
}

TEST(Reassembler, MergesEcn) {  // E-9601-h
  const Octets payload = random_octets(16);
  const auto merged = [&](unsigned a, unsigned b) -> int {
    Reassembler reassembler;
    EXPECT_TRUE(add(reassembler, v4_fragment(1, 0, true, slice(payload, 0, 8), {}, a)).empty());
    const Octets whole = add(reassembler, v4_fragment(1, 8, false, slice(payload, 8, 16), {}, b));
    return whole.empty() ? -1 : DatagramView::parse(whole)->traffic_class;
  };
  const std::array<std::array<int, 4>, 4> expected{{{0, -1, -1, -1}, {-1, 1, 1, 3}, {-1, 1, 2, 3}, {-1, 3, 3, 3}}};
  for (unsigned a = 0; a < 4; ++a) {
    for (unsigned b = 0; b < 4; ++b) EXPECT_EQ(merged(a, b), expected[a][b]) << a << ' ' << b;
  }
  EXPECT_EQ(merged(0xb8 | 2, 0xb8 | 3), 0xb8 | 3);  // DSCP apart (E-9601-c)
}

TEST(Reassembler, AWholeDatagramComesBackAsItIs) {
  Reassembler reassembler;
  const Octets whole = v4_whole(1, random_octets(16));
  EXPECT_EQ(add(reassembler, whole), whole);
}

}  // namespace
}  // namespace amt
