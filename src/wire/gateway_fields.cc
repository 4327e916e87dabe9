#include <algorithm>

#include "wire/message.hh"

namespace amt::wire {
namespace {

constexpr std::size_t kCompatibleZeros = 12;

/// IPv4-compatible: 96 zero bits and an address that an endpoint can have. 0.0.0.0/8 is never a source (RFC 1122
/// §3.2.1.3), so `::` and `::1` stay the IPv6 addresses they are.
IpAddress from_wire(const std::array<std::byte, 16>& octets) {
  const bool zeros = std::all_of(octets.begin(), octets.begin() + kCompatibleZeros,
                                 [](std::byte octet) { return octet == std::byte{0}; });
  if (!zeros || octets[kCompatibleZeros] == std::byte{0}) return IpAddress::from_v6(octets);
  return IpAddress::from_bytes(std::span(octets).subspan(kCompatibleZeros));
}

}  // namespace

// ```
//  0                   1                   2                   3
//  |     Gateway Port Number       |                               |
//  |                  Gateway IP Address, 16 octets                |
// ```
GatewayFields GatewayFields::read(ByteReader& in) {
  const std::uint16_t port = in.u16();
  const std::array<std::byte, 16> octets = in.array<16>();
  return {.endpoint = {from_wire(octets), port}, .ipv4_mapped = IpAddress::from_v6(octets).is_v4()};
}

void GatewayFields::write(ByteWriter& out) const {
  out.u16(endpoint.port);
  if (endpoint.address.is_v4() && !ipv4_mapped) {
    out.zeros(kCompatibleZeros);
    out.bytes(endpoint.address.bytes());
  } else {
    out.bytes(endpoint.address.mapped_octets());
  }
}

}  // namespace amt::wire
