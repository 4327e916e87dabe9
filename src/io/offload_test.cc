#include "io/offload.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/udp_merge.hh"
#include "ip/checksum.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

Octets datagram(Family family, std::size_t payload_octets, std::uint16_t identification = 0, unsigned first = 0) {
  Octets payload(payload_octets);
  for (std::size_t i = 0; i < payload_octets; ++i) payload[i] = static_cast<std::byte>((first + i * 3) & 0xff);
  HeaderFields header;
  const bool v4 = family == Family::kIpv4;
  header.source = *IpAddress::parse(v4 ? "198.51.100.10" : "2001:db8:a::10");
  header.destination = *IpAddress::parse(v4 ? "232.1.2.3" : "ff3e::1:2:3");
  header.identification = identification;
  Octets out(payload_octets + 60);
  out.resize(write_udp_datagram(out, header, 4000, 5000, payload));
  return out;
}

void put_u16(Octets& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::byte>(value >> 8);
  bytes[at + 1] = static_cast<std::byte>(value & 0xff);
}

void set_dont_fragment(Octets& bytes) {
  bytes[6] |= std::byte{0x40};
  put_u16(bytes, 10, 0);
  put_u16(bytes, 10, internet_checksum(Bytes(bytes).first(20)));
}

class OffloadOf : public ::testing::TestWithParam<Family> {
 protected:
  static bool v4() { return GetParam() == Family::kIpv4; }
  static std::size_t udp_at() { return v4() ? 20 : 40; }
  static std::size_t count_mergeable(const std::vector<Octets>& datagrams) {
    return mergeable(std::vector<Bytes>(datagrams.begin(), datagrams.end()));
  }
};

TEST_P(OffloadOf, FinishesAChecksum) {
  const Octets whole = datagram(GetParam(), 101);
  Octets unfinished = whole;
  // As the kernel leaves it: the sum of the pseudo-header, addresses, 17 and the length of 109 octets, in the field.
  put_u16(unfinished, udp_at() + 6, 0);
  const std::size_t addresses_at = v4() ? 12 : 8;
  std::uint32_t sum = 17 + 109;
  for (std::size_t i = addresses_at; i < udp_at(); i += 2) {
    sum += std::to_integer<std::uint32_t>(whole[i]) << 8 | std::to_integer<std::uint32_t>(whole[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  put_u16(unfinished, udp_at() + 6, static_cast<std::uint16_t>(sum));
  VirtioHeader header;
  header.checksum_start = static_cast<std::uint16_t>(udp_at());
  header.checksum_offset = 6;
  EXPECT_TRUE(finish_checksum(unfinished, header));
  EXPECT_EQ(unfinished, whole);
}

TEST_P(OffloadOf, RefusesChecksumsOutsideTheDatagram) {
  Octets bytes = datagram(GetParam(), 10);
  const Octets before = bytes;
  for (const auto& [start, offset] : std::vector<std::pair<unsigned, unsigned>>{
           {0, 6}, {19, 6}, {bytes.size(), 6}, {20, bytes.size() - 21}, {0xffff, 0xffff}, {20, 0xffff}}) {
    VirtioHeader header;
    header.checksum_start = static_cast<std::uint16_t>(start);
    header.checksum_offset = static_cast<std::uint16_t>(offset);
    EXPECT_FALSE(finish_checksum(bytes, header)) << start << ' ' << offset;
  }
  EXPECT_EQ(bytes, before);
}

TEST_P(OffloadOf, CutsWhatWasMerged) {
  std::vector<Octets> parts;
  for (unsigned i = 0; i < 10; ++i) {
    parts.push_back(datagram(GetParam(), i < 9 ? 200 : 77, static_cast<std::uint16_t>(i), i));
  }
  const std::vector<Bytes> spans(parts.begin(), parts.end());
  ASSERT_EQ(mergeable(spans), parts.size());
  const MergedHeader merged = merged_header(spans);
  EXPECT_EQ(merged.segment_octets, 200U);
  Octets whole(merged.octets.begin(), merged.octets.begin() + static_cast<std::ptrdiff_t>(merged.size));
  for (const Bytes part : spans)
    whole.insert(whole.end(), part.begin() + static_cast<std::ptrdiff_t>(merged.size), part.end());
  // Unfinished, as it says; finished it is an ordinary datagram.
  Octets finished = whole;
  VirtioHeader header;
  header.checksum_start = static_cast<std::uint16_t>(merged.udp_at);
  header.checksum_offset = 6;
  ASSERT_TRUE(finish_checksum(finished, header));
  EXPECT_TRUE(transport_checksum_ok(*DatagramView::parse(finished)));

  SegmentArena arena;
  std::vector<CapturedDatagram> cut;
  ASSERT_TRUE(cut_segments(whole, 200, arena, cut));
  ASSERT_EQ(cut.size(), parts.size());
  for (std::size_t i = 0; i < cut.size(); ++i) {
    EXPECT_TRUE(std::equal(cut[i].bytes.begin(), cut[i].bytes.end(), parts[i].begin(), parts[i].end())) << i;
  }
}

TEST_P(OffloadOf, LeavesOutChecksumsThatTheSenderLeftOut) {
  Octets whole = datagram(GetParam(), 100);
  put_u16(whole, udp_at() + 6, 0);
  SegmentArena arena;
  std::vector<CapturedDatagram> cut;
  ASSERT_TRUE(cut_segments(whole, 60, arena, cut));
  ASSERT_EQ(cut.size(), 2U);
  for (const CapturedDatagram& part : cut) {
    EXPECT_EQ(part.bytes[udp_at() + 6], std::byte{0});
    EXPECT_EQ(part.bytes[udp_at() + 7], std::byte{0});
  }
}

TEST_P(OffloadOf, CutsNoOtherThanWholeUdp) {
  SegmentArena arena;
  std::vector<CapturedDatagram> cut;
  const Octets good = datagram(GetParam(), 3000);
  EXPECT_FALSE(cut_segments(good, 0, arena, cut));
  EXPECT_FALSE(cut_segments(good, 2, arena, cut)) << "1500 pieces";
  EXPECT_FALSE(cut_segments(Bytes(good).first(good.size() - 1), 1000, arena, cut)) << "truncated";
  EXPECT_FALSE(cut_segments({}, 1000, arena, cut));
  EXPECT_FALSE(cut_segments(datagram(GetParam(), 0), 1000, arena, cut)) << "nothing to cut";
  Octets tcp = good;
  tcp[v4() ? 9 : 6] = std::byte{6};
  if (v4()) {
    put_u16(tcp, 10, 0);
    put_u16(tcp, 10, internet_checksum(Bytes(tcp).first(20)));
  }
  EXPECT_FALSE(cut_segments(tcp, 1000, arena, cut));
  EXPECT_TRUE(cut.empty());
  EXPECT_TRUE(cut_segments(good, 1000, arena, cut));
  EXPECT_EQ(cut.size(), 3U);
}

TEST_P(OffloadOf, MergesUpToTheBounds) {
  std::vector<Octets> many;
  for (unsigned i = 0; i < 100; ++i) many.push_back(datagram(GetParam(), 500, static_cast<std::uint16_t>(i)));
  EXPECT_EQ(count_mergeable(many), kMergeMax);
  many.clear();
  for (unsigned i = 0; i < 64; ++i) many.push_back(datagram(GetParam(), 1400, static_cast<std::uint16_t>(i)));
  EXPECT_EQ(count_mergeable(many), 46U) << "46 * 1400 + headers fit into 65535, 47 do not";
  EXPECT_EQ(mergeable({}), 0U);
}

TEST_P(OffloadOf, MergesOnlyWhatCuttingGivesBack) {
  const Octets first = datagram(GetParam(), 100, 1);
  EXPECT_EQ(count_mergeable({first, datagram(GetParam(), 100, 2)}), 2U);
  EXPECT_EQ(count_mergeable({first, datagram(GetParam(), 99, 2), datagram(GetParam(), 99, 3)}), 2U);
  EXPECT_EQ(count_mergeable({first, datagram(GetParam(), 101, 2)}), 1U);
  // Each octet of the headers but lengths, checksums and identification; and a checksum of zero.
  const Octets second = datagram(GetParam(), 100, 2);
  for (std::size_t at = 0; at < udp_at() + 8; ++at) {
    const bool free = v4() ? at == 10 || at == 11 || at == 26 || at == 27 : at == 46 || at == 47;
    Octets other = second;
    other[at] ^= std::byte{0x10};
    EXPECT_EQ(count_mergeable({first, other}), free ? 2U : 1U) << at;
  }
  Octets unchecked = second;
  put_u16(unchecked, udp_at() + 6, 0);
  EXPECT_EQ(count_mergeable({first, unchecked}), 1U);
  EXPECT_EQ(count_mergeable({unchecked, first}), 1U);
}

INSTANTIATE_TEST_SUITE_P(Families, OffloadOf, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) { return each.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

TEST(Offload, MindsTheIdentificationOnlyWhereItMeansSomething) {  // RFC 6864 §4.1
  std::vector<Octets> same = {datagram(Family::kIpv4, 100, 7), datagram(Family::kIpv4, 100, 7)};
  EXPECT_EQ(mergeable(std::vector<Bytes>(same.begin(), same.end())), 1U);
  for (Octets& each : same) set_dont_fragment(each);
  EXPECT_EQ(mergeable(std::vector<Bytes>(same.begin(), same.end())), 2U);
  std::vector<Octets> wrapping = {datagram(Family::kIpv4, 100, 0xffff), datagram(Family::kIpv4, 100, 0)};
  EXPECT_EQ(mergeable(std::vector<Bytes>(wrapping.begin(), wrapping.end())), 2U);
}

TEST(SegmentArena, HandsOutMemoryUntilItIsFullAndAgainAfterClear) {
  SegmentArena arena;
  std::byte* const first = arena.take(1).data();
  std::size_t pieces = 0;
  for (; !arena.full() && pieces < 10'000; ++pieces) {
    const MutableBytes piece = arena.take(60'000);
    EXPECT_EQ(piece.size(), 60'000U);
    piece.front() = piece.back() = std::byte{1};
  }
  EXPECT_LE(pieces * 60'000, SegmentArena::kOctetsMax);
  EXPECT_GT(pieces, 500U);
  arena.clear();
  EXPECT_FALSE(arena.full());
  EXPECT_EQ(arena.take(1).data(), first);
}

}  // namespace
}  // namespace amt
