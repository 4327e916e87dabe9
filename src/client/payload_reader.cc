#include "client/payload_reader.hh"

namespace amt {

std::optional<Payload> PayloadReader::read(Instant now, const DataPacket& packet) {
  if (packet.is_udp) {
    return accept({packet.payload, {packet.source, packet.source_port}, {packet.destination, packet.destination_port}});
  }
  const Result<DatagramView, IpError> datagram = DatagramView::parse(packet.datagram);
  if (!datagram || !datagram->is_fragment()) {
    count(UdpError::kNotUdp);
    return std::nullopt;
  }
  // Ports are in the first fragment only: rebuild first, look at ports then (X-3.2-a).
  const std::optional<Bytes> whole = reassembler_.add(now, *datagram);
  if (!whole) return std::nullopt;
  rebuilt_.emplace_back(whole->begin(), whole->end());
  return read_rebuilt(rebuilt_.back());
}

std::optional<Payload> PayloadReader::read_rebuilt(Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) {
    ++drops_.malformed;
    return std::nullopt;
  }
  const Result<UdpView, UdpError> udp = UdpView::parse(*datagram);
  if (!udp) {
    count(udp.error());
    return std::nullopt;
  }
  return accept({udp->payload, {datagram->source, udp->source_port}, {datagram->destination, udp->destination_port}});
}

std::optional<Payload> PayloadReader::accept(const Payload& payload) {
  if (!port_ || payload.destination.port == *port_) return payload;
  ++drops_.other_port;
  return std::nullopt;
}

void PayloadReader::count(UdpError error) {
  switch (error) {
    case UdpError::kNotUdp:
      ++drops_.not_udp;
      break;
    case UdpError::kTruncated:
      ++drops_.malformed;
      break;
    case UdpError::kBadChecksum:
      ++drops_.bad_checksum;
      break;
  }
}

PayloadDrops PayloadReader::drops() const {
  PayloadDrops drops = drops_;
  drops.reassembly = reassembler_.discarded();
  return drops;
}

}  // namespace amt
