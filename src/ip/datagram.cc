#include "ip/datagram.hh"

#include <optional>

#include "ip/checksum.hh"
#include "ip/extension_headers.hh"

namespace amt {
namespace {

constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNoOperation = 1;
constexpr std::uint8_t kOptionRouterAlert = 148;

std::uint8_t u8_at(Bytes octets, std::size_t at) { return std::to_integer<std::uint8_t>(octets[at]); }

IpAddress v4_at(Bytes octets, std::size_t at) { return IpAddress::from_v4(ByteReader(octets.subspan(at, 4)).u32()); }
IpAddress v6_at(Bytes octets, std::size_t at) {
  return IpAddress::from_v6(ByteReader(octets.subspan(at, 16)).array<16>());
}

/// Both addresses and the datagram's own length, in either family. Shared by `parse` and `peek_addresses`.
Result<DatagramAddresses, IpError> read_fixed_header(Bytes octets) {
  if (octets.empty()) return Unexpected<IpError>(IpError::kTruncated);
  const unsigned version = u8_at(octets, 0) >> 4;
  DatagramAddresses fixed;
  if (version == 4) {
    if (octets.size() < kIpv4HeaderOctets) return Unexpected<IpError>(IpError::kTruncated);
    const std::size_t header = std::size_t{4} * (u8_at(octets, 0) & 0x0fU);
    fixed.octets = u16_at(octets, 2);
    fixed.ecn = static_cast<Ecn>(u8_at(octets, 1) & 3);
    if (header < kIpv4HeaderOctets || fixed.octets < header) return Unexpected<IpError>(IpError::kBadHeader);
    fixed.source = v4_at(octets, 12);
    fixed.destination = v4_at(octets, 16);
  } else if (version == 6) {
    if (octets.size() < kIpv6HeaderOctets) return Unexpected<IpError>(IpError::kTruncated);
    fixed.octets = kIpv6HeaderOctets + u16_at(octets, 4);
    fixed.ecn = static_cast<Ecn>(u8_at(octets, 1) >> 4 & 3);
    fixed.source = v6_at(octets, 8);
    fixed.destination = v6_at(octets, 24);
    // An IPv4-mapped address never stands in an IPv6 header; here it would pass for IPv4.
    if (fixed.source.is_v4() || fixed.destination.is_v4()) return Unexpected<IpError>(IpError::kBadHeader);
  } else {
    return Unexpected<IpError>(IpError::kBadVersion);
  }
  if (fixed.octets > octets.size()) return Unexpected<IpError>(IpError::kTruncated);
  return fixed;
}

/// Whether a Router Alert (RFC 2113) is among IPv4 options; nothing if their lengths do not add up.
std::optional<bool> find_router_alert(Bytes options) {
  bool found = false;
  for (ByteReader in(options); in.has(1);) {
    const std::uint8_t type = in.u8();
    if (type == kOptionEnd) break;
    if (type == kOptionNoOperation) continue;
    if (!in.has(1)) return std::nullopt;
    const std::size_t length = in.u8();  // counts the type and itself
    if (length < 2 || !in.has(length - 2)) return std::nullopt;
    in.skip(length - 2);
    if (type == kOptionRouterAlert && length == 4) found = true;
  }
  return found;
}

/// ```
///  0                   1                   2                   3
///  |Version|  IHL  |DSCP       |ECN|          Total Length         |
///  |         Identification        |0|D|M|      Fragment Offset    |
///  |  Time to Live |    Protocol   |         Header Checksum       |
///  |                         Source Address                        |
///  |                      Destination Address                      |
///  |                    Options                    |    Padding    |
/// ```
Result<DatagramView, IpError> parse_v4(DatagramView view) {
  const std::size_t header = std::size_t{4} * (u8_at(view.bytes, 0) & 0x0fU);
  if (internet_checksum(view.bytes.first(header)) != 0) return Unexpected<IpError>(IpError::kBadHeaderChecksum);
  const std::optional<bool> router_alert =
      find_router_alert(view.bytes.subspan(kIpv4HeaderOctets, header - kIpv4HeaderOctets));
  if (!router_alert) return Unexpected<IpError>(IpError::kBadHeader);
  const std::uint16_t fragment = u16_at(view.bytes, 6);
  view.payload = view.bytes.subspan(header);
  view.protocol = u8_at(view.bytes, 9);
  view.traffic_class = u8_at(view.bytes, 1);
  view.hop_limit = u8_at(view.bytes, 8);
  view.router_alert = *router_alert;
  view.dont_fragment = (fragment & 0x4000) != 0;
  view.more_fragments = (fragment & 0x2000) != 0;
  view.fragment_offset = 8U * (fragment & 0x1fffU);
  view.identification = u16_at(view.bytes, 4);
  return view;
}

/// ```
///  0                   1                   2                   3
///  |Version|   DSCP    |ECN|              Flow Label               |
///  |         Payload Length        |  Next Header  |   Hop Limit   |
///  |                  Source Address, 16 octets                    |
///  |                Destination Address, 16 octets                 |
/// ```
Result<DatagramView, IpError> parse_v6(DatagramView view) {
  const std::optional<ExtensionHeaders> chain = walk_extension_headers(view.bytes);
  if (!chain) return Unexpected<IpError>(IpError::kBadHeader);
  view.payload = view.bytes.subspan(chain->end);
  view.protocol = chain->protocol;
  view.traffic_class = static_cast<std::uint8_t>(u16_at(view.bytes, 0) >> 4 & 0xff);
  view.hop_limit = u8_at(view.bytes, 7);
  view.router_alert = chain->router_alert;
  if (chain->fragment) {
    view.more_fragments = chain->fragment->more;
    view.fragment_offset = chain->fragment->offset;
    view.identification = chain->fragment->identification;
  }
  return view;
}

}  // namespace

std::string_view to_string(IpError error) {
  switch (error) {
    case IpError::kTruncated:
      return "truncated";
    case IpError::kBadVersion:
      return "bad IP version";
    case IpError::kBadHeader:
      return "bad IP header";
    case IpError::kBadHeaderChecksum:
      return "bad IP header checksum";
  }
  return "unknown";
}

Result<DatagramView, IpError> DatagramView::parse(Bytes octets) {
  const Result<DatagramAddresses, IpError> fixed = read_fixed_header(octets);
  if (!fixed) return Unexpected<IpError>(fixed.error());
  DatagramView view;
  view.bytes = octets.first(fixed->octets);
  view.source = fixed->source;
  view.destination = fixed->destination;
  return view.family() == Family::kIpv4 ? parse_v4(view) : parse_v6(view);
}

Result<DatagramAddresses, IpError> peek_addresses(Bytes octets) { return read_fixed_header(octets); }

}  // namespace amt
