#include "ip/ethernet.hh"

#include <gtest/gtest.h>

#include "base/test_bytes.hh"

namespace amt {
namespace {

using test::hex;

std::vector<std::byte> octets(const MacAddress& mac) { return {mac.begin(), mac.end()}; }

TEST(MulticastMac, KeepsTheLow23BitsOfAnIpv4Group) {  // RFC 1112 §6.4
  EXPECT_EQ(octets(multicast_mac(*IpAddress::parse("224.0.0.22"))), hex("01005e000016"));
  EXPECT_EQ(octets(multicast_mac(*IpAddress::parse("239.129.2.3"))), hex("01005e010203"));
  EXPECT_EQ(octets(multicast_mac(*IpAddress::parse("232.255.254.253"))), hex("01005e7ffefd"));
}

TEST(MulticastMac, KeepsTheLow32BitsOfAnIpv6Group) {  // RFC 2464 §7
  EXPECT_EQ(octets(multicast_mac(*IpAddress::parse("ff02::16"))), hex("333300000016"));
  EXPECT_EQ(octets(multicast_mac(*IpAddress::parse("ff3e::8765:4321"))), hex("333387654321"));
}

TEST(EthernetFrame, IsReadAsItWasWritten) {
  const MacAddress to = ByteReader(hex("01005e000001")).array<6>();
  const MacAddress from = ByteReader(hex("02aabbccddee")).array<6>();
  const auto header = ethernet_header(to, from, kEthertypeIpv4);
  EXPECT_EQ(std::vector<std::byte>(header.begin(), header.end()), hex("01005e000001 02aabbccddee 0800"));
  const auto whole = hex("01005e000001 02aabbccddee 0800 112233");
  const std::optional<EthernetFrame> frame = EthernetFrame::parse(whole);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->destination, to);
  EXPECT_EQ(frame->source, from);
  EXPECT_EQ(frame->ethertype, kEthertypeIpv4);
  EXPECT_EQ(std::vector<std::byte>(frame->payload.begin(), frame->payload.end()), hex("112233"));
}

TEST(EthernetFrame, OfAnotherVlanIsNotOurs) {
  EXPECT_FALSE(EthernetFrame::parse(hex("01005e000001 02aabbccddee 8100 0007 0800 11")));
  // A priority without a VLAN.
  const auto priority = hex("01005e000001 02aabbccddee 8100 e000 86dd 11");
  const std::optional<EthernetFrame> frame = EthernetFrame::parse(priority);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->ethertype, kEthertypeIpv6);
  EXPECT_EQ(frame->payload.size(), 1U);
}

TEST(EthernetFrame, MustBeWhole) {
  EXPECT_FALSE(EthernetFrame::parse({}));
  EXPECT_FALSE(EthernetFrame::parse(hex("01005e000001 02aabbccddee 08")));
  EXPECT_FALSE(EthernetFrame::parse(hex("01005e000001 02aabbccddee 8100 0000")));
}

}  // namespace
}  // namespace amt
