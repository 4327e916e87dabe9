#include "io/udp_merge.hh"

#include <algorithm>
#include <optional>

#include "ip/checksum.hh"

namespace amt {
namespace {

constexpr std::size_t kDatagramOctetsMax = 65'535;

void put_length(MutableBytes bytes, std::size_t at, std::size_t octets) {
  put_u16_at(bytes, at, static_cast<std::uint16_t>(octets));
}

bool is_v4(Bytes datagram) { return (datagram[0] & std::byte{0xf0}) == std::byte{0x40}; }

/// May be in a merged packet: cutting would give it its checksum, so it must have one.
bool has_checksum(Bytes datagram, std::size_t udp_at) { return udp_checksum_field(datagram, udp_at) != 0; }

/// Cutting would give `next` its identification.
bool counts_up(Bytes first, Bytes next, std::size_t distance) {
  if (!is_v4(first)) return true;
  const bool dont_fragment = (u16_at(first, 6) & 0x4000) != 0;
  return dont_fragment || u16_at(next, 4) == ((u16_at(first, 4) + distance) & 0xffff);
}

}  // namespace

std::size_t mergeable(std::span<const Bytes> datagrams) {
  if (datagrams.size() < 2) return datagrams.size();
  const Bytes first = datagrams[0];
  const std::optional<std::size_t> udp_at = plain_udp_at(first);
  if (!udp_at || !has_checksum(first, *udp_at)) return 1;
  std::size_t total = first.size();
  std::size_t count = 1;
  for (; count < std::min(datagrams.size(), kMergeMax); ++count) {
    const Bytes next = datagrams[count];
    if (next.size() > first.size() || !continues_udp_flow(first, next)) break;
    if (!has_checksum(next, *udp_at) || !counts_up(first, next, count)) break;
    total += next.size() - *udp_at - kUdpHeaderOctets;
    if (total > kDatagramOctetsMax) break;
    if (next.size() < first.size()) return count + 1;
  }
  return count;
}

MergedHeader merged_header(std::span<const Bytes> datagrams) {
  MergedHeader merged;
  const Bytes first = datagrams[0];
  const bool v4 = is_v4(first);
  merged.udp_at = v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  merged.size = merged.udp_at + kUdpHeaderOctets;
  merged.segment_octets = first.size() - merged.size;
  std::size_t udp_octets = kUdpHeaderOctets;
  for (const Bytes datagram : datagrams) udp_octets += datagram.size() - merged.size;

  const MutableBytes header = std::span(merged.octets).first(merged.size);
  std::copy_n(first.begin(), merged.size, header.begin());
  if (v4) {
    put_length(header, 2, merged.udp_at + udp_octets);
    put_u16_at(header, 10, 0);
    put_u16_at(header, 10, internet_checksum(header.first(merged.udp_at)));
  } else {
    put_length(header, 4, udp_octets);
  }
  put_length(header, merged.udp_at + kUdpLengthAt, udp_octets);
  const std::size_t source_at = v4 ? 12 : 8;
  const std::size_t address_octets = v4 ? 4 : 16;
  InternetChecksum sum;
  sum.add_pseudo_header(IpAddress::from_bytes(header.subspan(source_at, address_octets)),
                        IpAddress::from_bytes(header.subspan(source_at + address_octets, address_octets)), kProtocolUdp,
                        static_cast<std::uint32_t>(udp_octets));
  // value() is the complement, for a field that is complete; here the kernel goes on summing.
  put_u16_at(header, merged.udp_at + kUdpChecksumAt, static_cast<std::uint16_t>(~sum.value()));
  return merged;
}

}  // namespace amt
