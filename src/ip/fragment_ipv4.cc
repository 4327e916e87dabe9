#include <algorithm>

#include "ip/checksum.hh"
#include "ip/fragment.hh"

namespace amt {
namespace {

constexpr std::size_t kDatagramOctetsMax = 65535;
constexpr std::size_t kFragmentUnitOctets = 8;
constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNoOperation = 1;
constexpr std::uint8_t kOptionCopied = 0x80;
constexpr std::uint16_t kMoreFragments = 0x2000;

/// The header for all pieces but the first: RFC 791 §3.1 has only options with the "copied" flag go with them.
std::vector<std::byte> header_of_later_pieces(Bytes header) {
  std::vector<std::byte> later(header.begin(), header.begin() + kIpv4HeaderOctets);
  // `DatagramView::parse` has checked that the lengths add up.
  for (ByteReader options(header.subspan(kIpv4HeaderOctets)); options.has(1);) {
    const Bytes rest = options.rest();
    const std::uint8_t type = std::to_integer<std::uint8_t>(rest[0]);
    if (type == kOptionEnd) break;
    const std::size_t length = type == kOptionNoOperation ? 1 : std::to_integer<std::size_t>(rest[1]);
    const Bytes option = options.bytes(length);
    if ((type & kOptionCopied) != 0) later.insert(later.end(), option.begin(), option.end());
  }
  later.resize((later.size() + 3) / 4 * 4, std::byte{kOptionEnd});
  later[0] = static_cast<std::byte>(0x40 | later.size() / 4);
  return later;
}

/// One whole fragment. `offset` counts octets.
std::vector<std::byte> make_fragment(Bytes header, Bytes piece, std::uint32_t offset, bool more) {
  std::vector<std::byte> fragment(header.begin(), header.end());
  fragment.insert(fragment.end(), piece.begin(), piece.end());
  const MutableBytes octets(fragment);
  ByteWriter(octets.subspan(2)).u16(static_cast<std::uint16_t>(fragment.size()));
  ByteWriter(octets.subspan(6))
      .u16(static_cast<std::uint16_t>(offset / kFragmentUnitOctets | (more ? kMoreFragments : 0U)));
  ByteWriter(octets.subspan(10)).u16(0);
  ByteWriter(octets.subspan(10)).u16(internet_checksum(octets.first(header.size())));
  return fragment;
}

}  // namespace

std::vector<std::vector<std::byte>> fragment_ipv4(const DatagramView& datagram, std::size_t mtu_octets) {
  if (datagram.family() != Family::kIpv4 || datagram.dont_fragment) return {};
  if (datagram.bytes.size() <= mtu_octets) {
    return {std::vector<std::byte>(datagram.bytes.begin(), datagram.bytes.end())};
  }
  const Bytes first_header = datagram.bytes.first(datagram.bytes.size() - datagram.payload.size());
  if (mtu_octets < first_header.size() + kFragmentUnitOctets) return {};
  // A piece that ends beyond every possible datagram; its parts would begin where the offset field cannot point.
  if (datagram.fragment_offset + datagram.payload.size() > kDatagramOctetsMax) return {};
  const std::vector<std::byte> later_header = header_of_later_pieces(first_header);

  std::vector<std::vector<std::byte>> fragments;
  for (std::size_t at = 0; at < datagram.payload.size();) {
    const Bytes header = at == 0 ? first_header : Bytes(later_header);
    const std::size_t room = mtu_octets - header.size();
    const std::size_t left = datagram.payload.size() - at;
    const std::size_t take = left <= room ? left : room / kFragmentUnitOctets * kFragmentUnitOctets;
    const bool more = take < left || datagram.more_fragments;
    fragments.push_back(make_fragment(header, datagram.payload.subspan(at, take),
                                      datagram.fragment_offset + static_cast<std::uint32_t>(at), more));
    at += take;
  }
  return fragments;
}

}  // namespace amt
