#include "client/payload_reader.hh"

namespace amt {

std::optional<Payload> PayloadReader::read(Instant now, Bytes datagram) {
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  if (!view) {
    ++drops_.malformed;
    return std::nullopt;
  }
  if (!view->is_fragment()) return read_whole(*view);
  // Ports are in the first fragment only: rebuild first, look at ports then (X-3.2-a).
  const std::optional<Bytes> whole = reassembler_.add(now, *view);
  if (!whole) return std::nullopt;
  rebuilt_.emplace_back(whole->begin(), whole->end());
  const Result<DatagramView, IpError> rebuilt = DatagramView::parse(rebuilt_.back());
  if (!rebuilt) {
    ++drops_.malformed;
    return std::nullopt;
  }
  return read_whole(*rebuilt);
}

std::optional<Payload> PayloadReader::read_whole(const DatagramView& datagram) {
  const Result<UdpView, UdpError> udp = UdpView::parse(datagram);
  if (!udp) {
    switch (udp.error()) {
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
    return std::nullopt;
  }
  if (port_ && udp->destination_port != *port_) {
    ++drops_.other_port;
    return std::nullopt;
  }
  return Payload{udp->payload, {datagram.source, udp->source_port}, {datagram.destination, udp->destination_port}};
}

PayloadDrops PayloadReader::drops() const {
  PayloadDrops drops = drops_;
  drops.reassembly = reassembler_.discarded();
  return drops;
}

}  // namespace amt
