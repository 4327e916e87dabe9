#include "ip/ethernet.hh"

#include <algorithm>

namespace amt {
namespace {

constexpr std::uint16_t kVlanIdMask = 0x0fff;
constexpr std::size_t kVlanTagOctets = 4;

}  // namespace

MacAddress multicast_mac(const IpAddress& group) {
  const std::span<const std::byte> address = group.bytes();
  MacAddress mac{};
  if (group.is_v4()) {
    mac = {std::byte{0x01}, std::byte{0x00}, std::byte{0x5e}, address[1] & std::byte{0x7f}, address[2], address[3]};
  } else {
    mac = {std::byte{0x33}, std::byte{0x33}, address[12], address[13], address[14], address[15]};
  }
  return mac;
}

std::optional<EthernetFrame> EthernetFrame::parse(Bytes octets) {
  ByteReader reader(octets);
  if (!reader.has(kEthernetHeaderOctets)) return std::nullopt;
  EthernetFrame frame;
  frame.destination = reader.array<6>();
  frame.source = reader.array<6>();
  frame.ethertype = reader.u16();
  if (frame.ethertype == kEthertypeVlan) {
    if (!reader.has(kVlanTagOctets) || (reader.u16() & kVlanIdMask) != 0) return std::nullopt;
    frame.ethertype = reader.u16();
  }
  frame.payload = reader.rest();
  return frame;
}

std::array<std::byte, kEthernetHeaderOctets> ethernet_header(const MacAddress& destination, const MacAddress& source,
                                                             std::uint16_t ethertype) {
  std::array<std::byte, kEthernetHeaderOctets> header{};
  ByteWriter out(header);
  out.bytes(destination);
  out.bytes(source);
  out.u16(ethertype);
  return header;
}

}  // namespace amt
