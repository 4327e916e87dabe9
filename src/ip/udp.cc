#include "ip/udp.hh"

#include <algorithm>

#include "base/assert.hh"
#include "ip/checksum.hh"

namespace amt {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::size_t kIcmpHeaderOctets = 4;
constexpr std::size_t kIgmpOctets = 8;
constexpr std::size_t kTcpHeaderOctets = 20;

std::uint16_t pseudo_header_checksum(const DatagramView& datagram, Bytes segment) {
  InternetChecksum checksum;
  checksum.add_pseudo_header(datagram.source, datagram.destination, datagram.protocol,
                             static_cast<std::uint32_t>(segment.size()));
  checksum.add(segment);
  return checksum.value();
}

}  // namespace

std::string_view to_string(UdpError error) {
  switch (error) {
    case UdpError::kNotUdp:
      return "not UDP";
    case UdpError::kTruncated:
      return "truncated UDP datagram";
    case UdpError::kBadChecksum:
      return "bad UDP checksum";
  }
  return "unknown";
}

Result<UdpView, UdpError> UdpView::parse(const DatagramView& datagram) {
  if (datagram.protocol != kProtocolUdp || datagram.is_fragment()) return Unexpected<UdpError>(UdpError::kNotUdp);
  ByteReader in(datagram.payload);
  if (!in.has(kUdpHeaderOctets)) return Unexpected<UdpError>(UdpError::kTruncated);
  UdpView udp;
  udp.source_port = in.u16();
  udp.destination_port = in.u16();
  // RFC 768: the length counts the header. It may end before the IP payload does. The octets after it are no data.
  const std::size_t length = in.u16();
  const std::uint16_t checksum = in.u16();
  if (length < kUdpHeaderOctets || length > datagram.payload.size()) {
    return Unexpected<UdpError>(UdpError::kTruncated);
  }
  if (checksum != 0 && pseudo_header_checksum(datagram, datagram.payload.first(length)) != 0) {
    return Unexpected<UdpError>(UdpError::kBadChecksum);
  }
  udp.payload = in.bytes(length - kUdpHeaderOctets);
  return udp;
}

bool transport_checksum_ok(const DatagramView& datagram) {
  if (datagram.is_fragment()) return true;
  const bool v4 = datagram.family() == Family::kIpv4;
  const Bytes segment = datagram.payload;
  switch (datagram.protocol) {
    case kProtocolUdp:
      return UdpView::parse(datagram).has_value();
    case kProtocolTcp:
      return segment.size() >= kTcpHeaderOctets && pseudo_header_checksum(datagram, segment) == 0;
    case kProtocolIcmpv6:
      return v4 || (segment.size() >= kIcmpHeaderOctets && pseudo_header_checksum(datagram, segment) == 0);
    case kProtocolIcmp:
      return !v4 || (segment.size() >= kIcmpHeaderOctets && internet_checksum(segment) == 0);
    case kProtocolIgmp:
      return !v4 || (segment.size() >= kIgmpOctets && internet_checksum(segment) == 0);
    default:
      return true;
  }
}

std::size_t write_udp_datagram(MutableBytes out, HeaderFields header, std::uint16_t source_port,
                               std::uint16_t destination_port, Bytes payload) {
  header.protocol = kProtocolUdp;
  const std::size_t udp_octets = kUdpHeaderOctets + payload.size();
  ByteWriter writer(out);
  write_header(writer, header, udp_octets);
  const std::size_t udp_at = writer.written();
  writer.u16(source_port);
  writer.u16(destination_port);
  writer.u16(static_cast<std::uint16_t>(udp_octets));
  writer.u16(0);
  writer.bytes(payload);

  const MutableBytes udp = writer.output().subspan(udp_at);
  InternetChecksum checksum;
  checksum.add_pseudo_header(header.source, header.destination, kProtocolUdp, static_cast<std::uint32_t>(udp_octets));
  checksum.add(udp);
  // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
  const std::uint16_t value = checksum.value();
  ByteWriter(udp.subspan(kUdpChecksumAt, 2)).u16(value == 0 ? 0xffff : value);
  return writer.written();
}

}  // namespace amt
