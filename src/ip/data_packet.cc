#include "ip/data_packet.hh"

namespace amt {

DataPacket data_packet(const DatagramView& datagram) {
  DataPacket packet{.datagram = datagram.bytes, .source = datagram.source, .destination = datagram.destination};
  if (datagram.protocol != kProtocolUdp || datagram.is_fragment() || datagram.payload.size() < kUdpHeaderOctets) {
    return packet;
  }
  // RFC 768: the length counts the header. It may end before the IP payload does. The octets after it are no data.
  const std::size_t length = u16_at(datagram.payload, kUdpLengthAt);
  if (length < kUdpHeaderOctets || length > datagram.payload.size()) return packet;
  packet.is_udp = true;
  packet.source_port = static_cast<std::uint16_t>(u16_at(datagram.payload, 0));
  packet.destination_port = static_cast<std::uint16_t>(u16_at(datagram.payload, 2));
  packet.payload = datagram.payload.subspan(kUdpHeaderOctets, length - kUdpHeaderOctets);
  return packet;
}

}  // namespace amt
