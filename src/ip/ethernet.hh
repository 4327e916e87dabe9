#pragma once
/// Ethernet as multicast routers see it: frames and group addresses.

#include <array>
#include <cstdint>
#include <optional>

#include "amt/ip_address.hh"
#include "base/byte_reader.hh"

namespace amt {

using MacAddress = std::array<std::byte, 6>;

inline constexpr std::size_t kEthernetHeaderOctets = 14;
inline constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEthertypeVlan = 0x8100;

[[nodiscard]] constexpr std::uint16_t ethertype_of(Family family) {
  return family == Family::kIpv4 ? kEthertypeIpv4 : kEthertypeIpv6;
}

/// Where frames to a group go: 01:00:5e and its low 23 bits (RFC 1112 §6.4), or 33:33 and its low 32 bits (RFC 2464
/// §7).
[[nodiscard]] MacAddress multicast_mac(const IpAddress& group);

/// An Ethernet II frame. `payload` points into the caller's buffer and may end in padding.
struct EthernetFrame {
  MacAddress destination{};
  MacAddress source{};
  std::uint16_t ethertype = 0;
  Bytes payload;

  /// A tag of VLAN 0 is a priority only and is taken off. Nothing: too short, or a frame of another VLAN.
  static std::optional<EthernetFrame> parse(Bytes octets);
};

/// The first 14 octets of a frame.
[[nodiscard]] std::array<std::byte, kEthernetHeaderOctets> ethernet_header(const MacAddress& destination,
                                                                           const MacAddress& source,
                                                                           std::uint16_t ethertype);

}  // namespace amt
