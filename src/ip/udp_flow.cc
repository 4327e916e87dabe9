#include "ip/udp_flow.hh"

#include <cstring>

namespace amt {
namespace {

template <std::size_t kFrom, std::size_t kTo>
bool same(Bytes a, Bytes b) {
  return std::memcmp(a.data() + kFrom, b.data() + kFrom, kTo - kFrom) == 0;
}

bool is_plain_v4(Bytes d) {
  return d.size() > kIpv4HeaderOctets + kUdpHeaderOctets && d[0] == std::byte{0x45} && u16_at(d, 2) == d.size();
}
bool is_plain_v6(Bytes d) {
  return d.size() > kIpv6HeaderOctets + kUdpHeaderOctets && (d[0] & std::byte{0xf0}) == std::byte{0x60} &&
         u16_at(d, 4) == d.size() - kIpv6HeaderOctets;
}
bool has_udp_length(Bytes d, std::size_t udp_at) { return u16_at(d, udp_at + kUdpLengthAt) == d.size() - udp_at; }

}  // namespace

std::optional<std::size_t> plain_udp_at(Bytes datagram) {
  std::size_t udp_at = 0;
  if (is_plain_v4(datagram)) {
    const bool fragment = (u16_at(datagram, 6) & 0x3fff) != 0;
    if (fragment || datagram[9] != std::byte{kProtocolUdp}) return std::nullopt;
    udp_at = kIpv4HeaderOctets;
  } else if (is_plain_v6(datagram)) {
    if (datagram[6] != std::byte{kProtocolUdp}) return std::nullopt;
    udp_at = kIpv6HeaderOctets;
  } else {
    return std::nullopt;
  }
  if (!has_udp_length(datagram, udp_at)) return std::nullopt;
  return udp_at;
}

bool continues_udp_flow(Bytes first, Bytes next) {
  if ((first[0] & std::byte{0xf0}) == std::byte{0x40}) {
    // But for the total length, the identification, and the checksum; then ports.
    return is_plain_v4(next) && same<0, 2>(first, next) && same<6, 10>(first, next) && same<12, 24>(first, next) &&
           has_udp_length(next, kIpv4HeaderOctets);
  }
  return is_plain_v6(next) && same<0, 4>(first, next) && same<6, 44>(first, next) &&
         has_udp_length(next, kIpv6HeaderOctets);
}

std::uint16_t udp_checksum_field(Bytes datagram, std::size_t udp_at) {
  return u16_at(datagram, udp_at + kUdpChecksumAt);
}

}  // namespace amt
