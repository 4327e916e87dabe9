#include "ip/data_packet.hh"

#include <gtest/gtest.h>

#include <vector>

#include "ip/udp.hh"

namespace amt {
namespace {

constexpr std::size_t kUdpAt = kIpv4HeaderOctets;

class Packet : public testing::Test {
 protected:
  Packet() : octets(kUdpAt + kUdpHeaderOctets + payload.size()) {
    HeaderFields header;
    header.source = *IpAddress::parse("198.51.100.1");
    header.destination = *IpAddress::parse("232.1.1.1");
    write_udp_datagram(octets, header, 4000, 5000, payload);
  }
  [[nodiscard]] DataPacket read() const { return data_packet(*DatagramView::parse(octets)); }

  std::vector<std::byte> payload = std::vector<std::byte>(10, std::byte{7});
  std::vector<std::byte> octets;
};

TEST_F(Packet, HasThePortsAndThePayloadOfUdp) {
  const DataPacket packet = read();
  EXPECT_TRUE(packet.is_udp);
  EXPECT_EQ(packet.source.to_string(), "198.51.100.1");
  EXPECT_EQ(packet.destination.to_string(), "232.1.1.1");
  EXPECT_EQ(packet.source_port, 4000);
  EXPECT_EQ(packet.destination_port, 5000);
  EXPECT_EQ(packet.payload.data(), octets.data() + kUdpAt + kUdpHeaderOctets);
  EXPECT_EQ(packet.payload.size(), payload.size());
  EXPECT_EQ(packet.datagram.size(), octets.size());
}

// RFC 768: the length may end before the IP payload does.
TEST_F(Packet, EndsWhereUdpSaysSo) {
  put_u16_at(octets, kUdpAt + kUdpLengthAt, kUdpHeaderOctets + 4);
  EXPECT_TRUE(read().is_udp);
  EXPECT_EQ(read().payload.size(), 4U);
}

TEST_F(Packet, WithAnImpossibleUdpLengthHasNoPorts) {
  for (const std::size_t length : {std::size_t{0}, kUdpHeaderOctets - 1, kUdpHeaderOctets + payload.size() + 1}) {
    put_u16_at(octets, kUdpAt + kUdpLengthAt, static_cast<std::uint16_t>(length));
    EXPECT_FALSE(read().is_udp) << length;
    EXPECT_TRUE(read().payload.empty());
  }
}

TEST_F(Packet, OfAFragmentHasNoPorts) {
  DatagramView fragment = *DatagramView::parse(octets);
  fragment.more_fragments = true;
  EXPECT_FALSE(data_packet(fragment).is_udp);
  fragment.more_fragments = false;
  fragment.fragment_offset = 8;
  EXPECT_FALSE(data_packet(fragment).is_udp);
}

TEST_F(Packet, OfAnotherProtocolHasNoPorts) {
  DatagramView datagram = *DatagramView::parse(octets);
  datagram.protocol = kProtocolIcmp;
  EXPECT_FALSE(data_packet(datagram).is_udp);
}

}  // namespace
}  // namespace amt
