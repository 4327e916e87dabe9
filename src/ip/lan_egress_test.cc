#include "ip/lan_egress.hh"

#include <gtest/gtest.h>

#include "ip/checksum.hh"
#include "ip/fragment.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

Octets datagram(const char* source, const char* group, std::uint8_t hop_limit, std::size_t payload_octets = 100) {
  Octets payload(payload_octets);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i * 7 & 0xff);
  Octets whole(payload_octets + 100);
  whole.resize(write_udp_datagram(whole,
                                  {.source = *IpAddress::parse(source),
                                   .destination = *IpAddress::parse(group),
                                   .protocol = kProtocolUdp,
                                   .hop_limit = hop_limit},
                                  4000, 5000, payload));
  return whole;
}

Octets joined(const SplitDatagram& split) {
  Octets whole(split.head.begin(), split.head.end());
  whole.insert(whole.end(), split.tail.begin(), split.tail.end());
  return whole;
}

TEST(LanEgress, LowersTheHopLimitByOneAndChangesNothingElse) {  // P-f: the gateway is the router here
  for (Octets one : {datagram("198.51.100.1", "232.1.2.3", 9), datagram("2001:db8::1", "ff3e::8000:1", 9)}) {
    const Octets before = one;
    const Bytes bytes = one;
    LanEgress egress{true};
    const std::span<const SplitDatagram> prepared = egress.prepare({&bytes, 1}, 1500);
    ASSERT_EQ(prepared.size(), 1U);
    const Octets after = joined(prepared[0]);
    Octets expected = before;
    ASSERT_TRUE(decrement_hop_limit(expected));
    EXPECT_EQ(after, expected);
    EXPECT_EQ(DatagramView::parse(after)->hop_limit, 8);
    // Others may get the same datagram.
    EXPECT_EQ(one, before);
  }
}

TEST(LanEgress, HandsOnUnchangedWhereItIsNoRouter) {  // a bridge port, as the kernel's driver
  for (const Octets& last : {datagram("198.51.100.1", "232.1.2.3", 1), datagram("2001:db8::1", "ff3e::8000:1", 1)}) {
    const Bytes bytes = last;
    LanEgress egress{false};
    const std::span<const SplitDatagram> prepared = egress.prepare({&bytes, 1}, 1500);
    ASSERT_EQ(prepared.size(), 1U);
    EXPECT_EQ(joined(prepared[0]), last);
    EXPECT_EQ(egress.drops().hop_limit, 0U);
  }
}

TEST(LanEgress, StopsWhatHasNoHopLeft) {
  for (const std::uint8_t hop_limit : {std::uint8_t{0}, std::uint8_t{1}}) {
    const Octets v4 = datagram("198.51.100.1", "232.1.2.3", hop_limit);
    const Octets v6 = datagram("2001:db8::1", "ff3e::8000:1", hop_limit);
    const std::array<Bytes, 2> both = {v4, v6};
    LanEgress egress{true};
    EXPECT_TRUE(egress.prepare(both, 1500).empty());
    EXPECT_EQ(egress.drops().hop_limit, 2U);
  }
}

TEST(LanEgress, KeepsLinkScopeAndUnicastOffTheLan) {  // I-o
  LanEgress egress{true};
  std::uint64_t expected = 0;
  for (const char* group : {"224.0.0.251", "224.0.0.1", "192.0.2.1", "ff02::fb", "ff12::1", "2001:db8::9"}) {
    const bool v4 = IpAddress::parse(group)->is_v4();
    const Octets one = datagram(v4 ? "198.51.100.1" : "2001:db8::1", group, 9);
    const Bytes bytes = one;
    EXPECT_TRUE(egress.prepare({&bytes, 1}, 1500).empty()) << group;
    EXPECT_EQ(egress.drops().link_scope, ++expected) << group;
  }
  const Octets truncated(10, std::byte{0x45});
  const Bytes bytes = truncated;
  EXPECT_TRUE(egress.prepare({&bytes, 1}, 1500).empty());
  EXPECT_TRUE(egress.prepare({}, 1500).empty());
}

TEST(LanEgress, CutsWhatMayBeCut) {  // X-4.6-a
  const Octets large = datagram("198.51.100.1", "232.1.2.3", 9, 4000);
  const Octets small = datagram("198.51.100.1", "232.1.2.3", 9, 10);
  const std::array<Bytes, 3> all = {small, large, small};
  LanEgress egress{true};
  const std::span<const SplitDatagram> prepared = egress.prepare(all, 1500);
  ASSERT_EQ(prepared.size(), 5U);
  Reassembler reassembler;
  std::optional<Octets> whole;
  for (const SplitDatagram& piece : prepared.subspan(1, 3)) {
    EXPECT_LE(piece.size(), 1500U);
    const Octets octets = joined(piece);
    const Result<DatagramView, IpError> view = DatagramView::parse(octets);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->hop_limit, 8);
    if (const std::optional<Bytes> done = reassembler.add(Instant{}, *view)) whole.emplace(done->begin(), done->end());
  }
  Octets expected = large;
  ASSERT_TRUE(decrement_hop_limit(expected));
  EXPECT_EQ(whole, expected);
  EXPECT_EQ(joined(prepared[4]), joined(prepared[0]));
}

TEST(LanEgress, CountsWhatIsTooLargeAndMayNotBeCut) {
  Octets dont_fragment = datagram("198.51.100.1", "232.1.2.3", 9, 2000);
  dont_fragment[6] = std::byte{0x40};
  dont_fragment[10] = dont_fragment[11] = std::byte{0};
  ByteWriter(MutableBytes(dont_fragment).subspan(10)).u16(internet_checksum(Bytes(dont_fragment).first(20)));
  const Octets v6 = datagram("2001:db8::1", "ff3e::8000:1", 9, 2000);
  const Octets fits = datagram("2001:db8::1", "ff3e::8000:1", 9, 1452);
  ASSERT_EQ(fits.size(), 1500U);
  const std::array<Bytes, 3> all = {dont_fragment, v6, fits};
  LanEgress egress{true};
  EXPECT_EQ(egress.prepare(all, 1500).size(), 1U);
  EXPECT_EQ(egress.drops().too_big, 2U);
}

}  // namespace
}  // namespace amt
