#include "base/assert.hh"
#include "ip/checksum.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

constexpr std::size_t kRouterAlertV4Octets = 4;
constexpr std::size_t kRouterAlertV6Octets = 8;
constexpr std::size_t kLengthMax = 65535;

void write_v4(ByteWriter& out, const HeaderFields& fields, std::size_t payload_octets) {
  const std::size_t octets = header_octets(fields);
  AMT_ASSERT(octets + payload_octets <= kLengthMax);
  std::array<std::byte, kIpv4HeaderOctets + kRouterAlertV4Octets> buffer{};
  const MutableBytes header = std::span(buffer).first(octets);
  ByteWriter in(header);
  in.u8(static_cast<std::uint8_t>(0x40 | octets / 4));
  in.u8(fields.traffic_class);
  in.u16(static_cast<std::uint16_t>(octets + payload_octets));
  in.u16(fields.identification);
  in.u16(0);  // not a fragment, may become one
  in.u8(fields.hop_limit);
  in.u8(fields.protocol);
  in.u16(0);
  in.bytes(fields.source.bytes());
  in.bytes(fields.destination.bytes());
  if (fields.router_alert) in.u32(0x94040000);  // RFC 2113 §2.1: option 148, 4 octets, value 0
  ByteWriter(header.subspan(10)).u16(internet_checksum(header));
  out.bytes(header);
}

void write_v6(ByteWriter& out, const HeaderFields& fields, std::size_t payload_octets) {
  const std::size_t after_header = payload_octets + header_octets(fields) - kIpv6HeaderOctets;
  AMT_ASSERT(after_header <= kLengthMax);
  out.u32(0x60000000U | static_cast<std::uint32_t>(fields.traffic_class) << 20);  // flow label 0
  out.u16(static_cast<std::uint16_t>(after_header));
  out.u8(fields.router_alert ? kProtocolHopByHop : fields.protocol);
  out.u8(fields.hop_limit);
  out.bytes(fields.source.bytes());
  out.bytes(fields.destination.bytes());
  if (!fields.router_alert) return;
  out.u8(fields.protocol);
  out.u8(0);  // 8 octets
  out.u32(
      0x05020000U);  // RFC 2711 §2.1: option 5, 2 octets, value 0: "contains a Multicast Listener Discovery message"
  out.u16(0x0100);   // PadN, two octets in all
}

}  // namespace

std::size_t header_octets(const HeaderFields& fields) {
  if (fields.source.is_v4()) return kIpv4HeaderOctets + (fields.router_alert ? kRouterAlertV4Octets : 0);
  return kIpv6HeaderOctets + (fields.router_alert ? kRouterAlertV6Octets : 0);
}

void write_header(ByteWriter& out, const HeaderFields& fields, std::size_t payload_octets) {
  AMT_ASSERT(fields.source.family() == fields.destination.family());
  fields.source.is_v4() ? write_v4(out, fields, payload_octets) : write_v6(out, fields, payload_octets);
}

}  // namespace amt
