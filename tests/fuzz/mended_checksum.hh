#pragma once
/// Checksums put right before a parser sees them: no fuzzer guesses one.

#include <algorithm>
#include <vector>

#include "ip/checksum.hh"
#include "ip/datagram.hh"

namespace amt::fuzz {

/// The octets with the checksum that an IPv4 header of them has; other octets as they are.
inline std::vector<std::byte> with_header_checksum(Bytes octets) {
  std::vector<std::byte> mended(octets.begin(), octets.end());
  if (mended.size() < kIpv4HeaderOctets || std::to_integer<unsigned>(mended[0]) >> 4 != 4) return mended;
  const std::size_t header = std::size_t{4} * std::to_integer<std::size_t>(mended[0] & std::byte{0x0f});
  if (header < kIpv4HeaderOctets || header > mended.size()) return mended;
  const MutableBytes all(mended);
  ByteWriter(all.subspan(10)).u16(0);
  ByteWriter(all.subspan(10)).u16(internet_checksum(all.first(header)));
  return mended;
}

/// Likewise, and with the checksum of an IGMP or ICMPv6 message inside.
inline std::vector<std::byte> with_message_checksum(Bytes octets) {
  constexpr std::size_t kChecksumAt = 2;
  std::vector<std::byte> mended = with_header_checksum(octets);
  const Result<DatagramView, IpError> view = DatagramView::parse(mended);
  if (!view || view->payload.size() < kChecksumAt + 2) return mended;
  if (view->protocol != kProtocolIgmp && view->protocol != kProtocolIcmpv6) return mended;
  const std::size_t payload_at = view->bytes.size() - view->payload.size();
  const MutableBytes message = MutableBytes(mended).subspan(payload_at, view->payload.size());
  ByteWriter(message.subspan(kChecksumAt)).u16(0);
  InternetChecksum checksum;
  if (view->protocol == kProtocolIcmpv6) {
    checksum.add_pseudo_header(view->source, view->destination, view->protocol,
                               static_cast<std::uint32_t>(message.size()));
  }
  checksum.add(message);
  ByteWriter(message.subspan(kChecksumAt)).u16(checksum.value());
  return mended;
}

}  // namespace amt::fuzz
