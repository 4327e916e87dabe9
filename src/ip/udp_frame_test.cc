#include "ip/udp_frame.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

UdpFlow flow(bool v4, std::uint16_t to_port = 40000) {
  return {.neighbour = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{7}},
          .interface = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{9}},
          .from = {*IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1"), 2268},
          .to = {*IpAddress::parse(v4 ? "198.51.100.7" : "2001:db8:7::9"), to_port},
          .hop_limit = 61};
}

Octets frame_of(const UdpFlow& flow, const Octets& payload, Ecn ecn) {
  const UdpFrameHeader header(flow);
  Octets frame(UdpFrameHeader::kOctetsMax + payload.size(), std::byte{0xee});
  header.write(frame, payload.size(), payload_sum(payload), ecn);
  std::ranges::copy(payload, frame.begin() + static_cast<std::ptrdiff_t>(header.octets()));
  frame.resize(header.octets() + payload.size());
  return frame;
}

class UdpFrame : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Families, UdpFrame, testing::Values(true, false),
                         [](const auto& one) { return one.param ? "Ipv4" : "Ipv6"; });

// R-5.3.3.6.3.1-a, R-5.3.3.6.3.2-a: never a fragment.
TEST_P(UdpFrame, IsADatagramThatParsesWithRightChecksums) {
  SeededRandom random(7);
  for (const std::size_t octets :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1345}, std::size_t{1346}, std::size_t{1472}}) {
    for (const Ecn ecn : {Ecn::kNotEct, Ecn::kEct1, Ecn::kEct0, Ecn::kCe}) {
      Octets payload(octets);
      random.fill(payload);
      const Octets octets_on_wire = frame_of(flow(GetParam()), payload, ecn);
      const auto ethernet = EthernetFrame::parse(octets_on_wire);
      ASSERT_TRUE(ethernet);
      EXPECT_EQ(ethernet->destination, flow(true).neighbour);
      EXPECT_EQ(ethernet->source, flow(true).interface);
      EXPECT_EQ(ethernet->ethertype, GetParam() ? kEthertypeIpv4 : kEthertypeIpv6);
      const auto datagram = DatagramView::parse(ethernet->payload);
      ASSERT_TRUE(datagram);
      EXPECT_EQ(datagram->source, flow(GetParam()).from.address);
      EXPECT_EQ(datagram->destination, flow(GetParam()).to.address);
      EXPECT_EQ(datagram->hop_limit, 61);
      EXPECT_EQ(datagram->ecn(), ecn);
      EXPECT_TRUE(transport_checksum_ok(*datagram));
      const auto udp = UdpView::parse(*datagram);
      ASSERT_TRUE(udp);
      EXPECT_EQ(udp->source_port, 2268);
      EXPECT_EQ(udp->destination_port, 40000);
      EXPECT_TRUE(std::ranges::equal(udp->payload, payload));
      if (GetParam()) {
        EXPECT_TRUE(datagram->dont_fragment && !datagram->is_fragment());
        EXPECT_EQ(datagram->identification, 0U);
      }
    }
  }
}

// RFC 768: a checksum of zero says that there is none (C-6936-4.2).
TEST_P(UdpFrame, NeverHasAChecksumOfZero) {
  bool met = false;
  for (unsigned value = 0; value <= UINT16_MAX; ++value) {
    const Octets payload = {static_cast<std::byte>(value >> 8), static_cast<std::byte>(value & 0xff)};
    const Octets frame = frame_of(flow(GetParam()), payload, Ecn::kNotEct);
    const std::size_t at = frame.size() - payload.size() - 2;
    EXPECT_FALSE(frame[at] == std::byte{0} && frame[at + 1] == std::byte{0}) << value;
    met |= frame[at] == std::byte{0xff} && frame[at + 1] == std::byte{0xff};
  }
  EXPECT_TRUE(met);
}

// RFC 6437 §3: uniformly spread, the same for each datagram of a flow, so that paths may be chosen by it.
TEST(UdpFrameFlowLabel, IsOfTheFlow) {
  const auto label = [](std::uint16_t port) {
    const Octets frame = frame_of(flow(false, port), Octets(100), Ecn::kNotEct);
    const Bytes ip = Bytes(frame).subspan(kEthernetHeaderOctets);
    return std::to_integer<unsigned>(ip[1] & std::byte{15}) << 16 | std::to_integer<unsigned>(ip[2]) << 8 |
           std::to_integer<unsigned>(ip[3]);
  };
  EXPECT_EQ(label(1), label(1));
  std::vector<unsigned> labels;
  for (std::uint16_t port = 1; port <= 1000; ++port) labels.push_back(label(port));
  std::ranges::sort(labels);
  EXPECT_NE(labels.front(), 0U);
  EXPECT_GT(std::unique(labels.begin(), labels.end()) - labels.begin(), 990);
  EXPECT_GT(labels.back(), 0xf0000U);
}

}  // namespace
}  // namespace amt
