#include "ip/icmp_error.hh"

#include <algorithm>

#include "ip/checksum.hh"

namespace amt {
namespace {

constexpr std::size_t kIcmpHeaderOctets = 8;
constexpr std::size_t kChecksumAt = 2;
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kFragmentationNeeded = 4;
constexpr std::uint8_t kPacketTooBig = 2;

/// RFC 1122 §3.2.2: Destination Unreachable, Source Quench, Redirect, Time Exceeded, Parameter Problem.
constexpr std::array<std::uint8_t, 5> kIcmpErrors = {3, 4, 5, 11, 12};
/// RFC 4443 §2.1: "Error messages are identified as such by a zero in the high-order bit".
constexpr std::uint8_t kIcmpv6InformationalMin = 128;
constexpr std::uint8_t kIcmpv6Redirect = 137;

bool is_single_host(const IpAddress& source) {
  if (source.is_unspecified() || source.is_multicast() || source.is_loopback() || source.is_link_local()) return false;
  const auto first = std::to_integer<unsigned>(source.bytes()[0]);
  // RFC 1122 §3.2.1.3: "this network"; class E and the limited broadcast address.
  return !source.is_v4() || (first != 0 && first < 240);
}

bool is_icmp_error(const DatagramView& datagram) {
  const bool v4 = datagram.family() == Family::kIpv4;
  if (datagram.protocol != (v4 ? kProtocolIcmp : kProtocolIcmpv6)) return false;
  // Too short to be judged: no error is sent.
  if (datagram.payload.empty()) return true;
  const auto type = std::to_integer<std::uint8_t>(datagram.payload[0]);
  if (v4) return std::ranges::find(kIcmpErrors, type) != kIcmpErrors.end();
  return type < kIcmpv6InformationalMin || type == kIcmpv6Redirect;
}

}  // namespace

bool may_answer_with_icmp_error(const DatagramView& datagram) {
  return datagram.fragment_offset == 0 && is_single_host(datagram.source) && !is_icmp_error(datagram);
}

/// ```
///  |     Type      |     Code      |           Checksum            |
///  |        unused (ICMP)          |     Next-Hop MTU (ICMP)       |
///  |                        MTU (ICMPv6)                           |
///  |            as much of the datagram as there is room for       |
/// ```
std::vector<std::byte> write_too_big(const DatagramView& datagram, std::size_t mtu_octets) {
  const bool v4 = datagram.family() == Family::kIpv4;
  const std::size_t room =
      (v4 ? kIcmpErrorOctetsMax - kIpv4HeaderOctets : kIcmpv6ErrorOctetsMax - kIpv6HeaderOctets) - kIcmpHeaderOctets;
  const Bytes quote = datagram.bytes.first(std::min(room, datagram.bytes.size()));
  std::vector<std::byte> message(kIcmpHeaderOctets + quote.size());
  ByteWriter out(message);
  out.u8(v4 ? kUnreachable : kPacketTooBig);
  out.u8(v4 ? kFragmentationNeeded : 0);
  out.u16(0);
  out.u32(static_cast<std::uint32_t>(std::min<std::size_t>(mtu_octets, v4 ? UINT16_MAX : UINT32_MAX)));
  out.bytes(quote);
  if (v4) ByteWriter(MutableBytes(message).subspan(kChecksumAt)).u16(internet_checksum(message));
  return message;
}

}  // namespace amt
