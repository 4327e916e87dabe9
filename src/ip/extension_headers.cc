#include "ip/extension_headers.hh"

#include "ip/datagram.hh"

namespace amt {
namespace {

constexpr std::size_t kNextHeaderAt = 6;
constexpr std::uint8_t kOptionPad1 = 0;
constexpr std::uint8_t kOptionRouterAlert = 5;

/// The options of a hop-by-hop header: whether a Router Alert (RFC 2711) is among them; nothing if their lengths do not
/// add up.
std::optional<bool> find_router_alert(Bytes options) {
  bool found = false;
  for (ByteReader in(options); in.has(1);) {
    const std::uint8_t type = in.u8();
    if (type == kOptionPad1) continue;
    if (!in.has(1)) return std::nullopt;
    const std::size_t length = in.u8();
    if (!in.has(length)) return std::nullopt;
    in.skip(length);
    if (type == kOptionRouterAlert && length == 2) found = true;
  }
  return found;
}

/// ```
///  0                   1                   2                   3
///  |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
///  |                         Identification                        |
/// ```
FragmentHeader read_fragment_header(Bytes octets, std::size_t announced_at) {
  ByteReader in(octets);
  FragmentHeader header;
  header.announced_at = announced_at;
  header.next_header = in.u8();
  in.skip(1);
  const std::uint16_t offset_and_flags = in.u16();
  header.offset = offset_and_flags & 0xfff8U;  // the field counts units of 8 octets and stands 3 bits from the right
  header.more = (offset_and_flags & 1) != 0;
  header.identification = in.u32();
  return header;
}

}  // namespace

std::optional<ExtensionHeaders> walk_extension_headers(Bytes datagram) {
  ExtensionHeaders chain;
  chain.protocol = std::to_integer<std::uint8_t>(datagram[kNextHeaderAt]);
  chain.end = kIpv6HeaderOctets;
  std::size_t announced_at = kNextHeaderAt;
  for (std::size_t count = 0; count < kExtensionHeadersMax; ++count) {
    const std::uint8_t kind = chain.protocol;
    if (kind != kProtocolHopByHop && kind != kNextHeaderRouting && kind != kNextHeaderDestination &&
        kind != kNextHeaderFragment) {
      return chain;
    }
    // RFC 8200 §4.1: hop-by-hop options stand directly behind the IPv6 header, and nowhere else.
    if (kind == kProtocolHopByHop && count != 0) return std::nullopt;

    const Bytes rest = datagram.subspan(chain.end);
    if (rest.size() < kFragmentHeaderOctets) return std::nullopt;
    // Octet 1 counts units of 8 octets beyond the first 8; in a Fragment header it is reserved.
    const std::size_t octets =
        kind == kNextHeaderFragment ? kFragmentHeaderOctets : 8 * (std::to_integer<std::size_t>(rest[1]) + 1);
    if (rest.size() < octets) return std::nullopt;
    const Bytes header = rest.first(octets);

    if (kind == kProtocolHopByHop) {
      const std::optional<bool> router_alert = find_router_alert(header.subspan(2));
      if (!router_alert) return std::nullopt;
      chain.router_alert = *router_alert;
    }
    if (kind == kNextHeaderFragment) {
      if (chain.fragment) return std::nullopt;
      chain.fragment = read_fragment_header(header, announced_at);
    }
    announced_at = chain.end;
    chain.protocol = std::to_integer<std::uint8_t>(header[0]);
    chain.end += octets;
    if (chain.fragment && !chain.fragment->is_atomic()) return chain;
  }
  return std::nullopt;
}

}  // namespace amt
