#include "ip/checksum.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

constexpr std::size_t kV4Checksum = 10;

unsigned version(Bytes datagram) { return std::to_integer<unsigned>(datagram[0]) >> 4; }

/// Replaces a 16-bit word of an IPv4 header and mends the header's checksum (RFC 1624).
void replace_v4_word(MutableBytes header, std::size_t at, std::uint16_t word) {
  const std::uint16_t old_word = ByteReader(header.subspan(at, 2)).u16();
  const std::uint16_t checksum = ByteReader(header.subspan(kV4Checksum, 2)).u16();
  ByteWriter(header.subspan(at, 2)).u16(word);
  ByteWriter(header.subspan(kV4Checksum, 2)).u16(updated_checksum(checksum, old_word, word));
}

bool has_fixed_header(Bytes datagram) {
  if (datagram.empty()) return false;
  return datagram.size() >= (version(datagram) == 4 ? kIpv4HeaderOctets : kIpv6HeaderOctets);
}

}  // namespace

bool decrement_hop_limit(MutableBytes datagram) {
  if (!has_fixed_header(datagram)) return false;
  const std::size_t at = version(datagram) == 4 ? 8 : 7;
  const std::uint8_t hop_limit = std::to_integer<std::uint8_t>(datagram[at]);
  if (hop_limit <= 1) return false;
  if (version(datagram) == 4) {
    const std::uint16_t word = ByteReader(datagram.subspan(at, 2)).u16();
    replace_v4_word(datagram, at, static_cast<std::uint16_t>(word - 0x0100));
  } else {
    datagram[at] = static_cast<std::byte>(hop_limit - 1);
  }
  return true;
}

void set_ecn(MutableBytes datagram, Ecn ecn) {
  if (!has_fixed_header(datagram)) return;
  const unsigned bits = static_cast<unsigned>(ecn);
  if (version(datagram) == 4) {
    const std::uint16_t word = ByteReader(datagram.first(2)).u16();
    replace_v4_word(datagram, 0, static_cast<std::uint16_t>((word & ~3U) | bits));
  } else {
    // The Traffic Class lies across octets 0 and 1; its two low bits are 0x30 of octet 1.
    const unsigned octet = std::to_integer<unsigned>(datagram[1]);
    datagram[1] = static_cast<std::byte>((octet & ~0x30U) | bits << 4);
  }
}

}  // namespace amt
