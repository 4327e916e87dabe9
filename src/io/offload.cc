#include "io/offload.hh"

#include <algorithm>
#include <cstring>

#include "ip/checksum.hh"

namespace amt {
namespace {

constexpr std::size_t kIpv4LengthAt = 2;
constexpr std::size_t kIpv4IdentificationAt = 4;
constexpr std::size_t kIpv4ChecksumAt = 10;
constexpr std::size_t kIpv6LengthAt = 4;

/// RFC 768: a computed zero is sent as all ones.
std::uint16_t never_zero(std::uint16_t checksum) { return checksum == 0 ? 0xffff : checksum; }

}  // namespace

VirtioHeader VirtioHeader::read(Bytes octets) {
  VirtioHeader header;
  static_assert(sizeof header == kVirtioHeaderOctets);
  std::memcpy(&header, octets.first(kVirtioHeaderOctets).data(), kVirtioHeaderOctets);
  return header;
}

void VirtioHeader::write(MutableBytes octets) const {
  std::memcpy(octets.first(kVirtioHeaderOctets).data(), this, kVirtioHeaderOctets);
}

bool finish_checksum(MutableBytes datagram, const VirtioHeader& header) {
  const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
  if (header.checksum_start < kIpv4HeaderOctets || field + 2 > datagram.size()) return false;
  InternetChecksum sum;
  sum.add(datagram.subspan(header.checksum_start));
  const bool udp = header.checksum_offset == kUdpChecksumAt;
  put_u16_at(datagram, field, udp ? never_zero(sum.value()) : sum.value());
  return true;
}

MutableBytes SegmentArena::take(std::size_t octets) {
  AMT_ASSERT(octets <= kChunkOctets);
  if (octets > kChunkOctets - used_octets_) {
    if (used_chunks_ == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkOctets));
    ++used_chunks_;
    used_octets_ = 0;
  }
  const MutableBytes taken(chunks_[used_chunks_ - 1].get() + used_octets_, octets);
  used_octets_ += octets;
  return taken;
}

void SegmentArena::clear() {
  used_chunks_ = 0;
  used_octets_ = kChunkOctets;
}

bool cut_segments(Bytes datagram, std::size_t segment_octets, SegmentArena& arena, std::vector<CapturedDatagram>& out) {
  const Result<DatagramView, IpError> parsed = DatagramView::parse(datagram);
  if (!parsed || parsed->protocol != kProtocolUdp || parsed->is_fragment() || segment_octets == 0 ||
      parsed->payload.size() <= kUdpHeaderOctets) {
    return false;
  }
  const Bytes payload = parsed->payload.subspan(kUdpHeaderOctets);
  if (payload.size() > segment_octets * kCutSegmentsMax) return false;
  const std::size_t udp_at = parsed->bytes.size() - parsed->payload.size();
  const std::size_t headers = udp_at + kUdpHeaderOctets;
  const bool v4 = parsed->family() == Family::kIpv4;
  // Unfinished checksums hold the pseudo-header's sum; a sender that wants none leaves zero.
  const bool with_checksum = u16_at(datagram, udp_at + kUdpChecksumAt) != 0;
  std::uint16_t identification = v4 ? u16_at(datagram, kIpv4IdentificationAt) : std::uint16_t{0};
  for (std::size_t at = 0; at < payload.size(); at += segment_octets) {
    const Bytes piece = payload.subspan(at, std::min(segment_octets, payload.size() - at));
    const MutableBytes segment =
        arena.take(kCaptureHeadroomOctets + headers + piece.size()).subspan(kCaptureHeadroomOctets);
    std::copy_n(datagram.begin(), headers, segment.begin());
    std::copy(piece.begin(), piece.end(), segment.begin() + static_cast<std::ptrdiff_t>(headers));
    if (v4) {
      put_u16_at(segment, kIpv4LengthAt, static_cast<std::uint16_t>(segment.size()));
      put_u16_at(segment, kIpv4IdentificationAt, identification++);
      put_u16_at(segment, kIpv4ChecksumAt, 0);
      put_u16_at(segment, kIpv4ChecksumAt, internet_checksum(segment.first(udp_at)));
    } else {
      put_u16_at(segment, kIpv6LengthAt, static_cast<std::uint16_t>(segment.size() - kIpv6HeaderOctets));
    }
    const MutableBytes udp = segment.subspan(udp_at);
    put_u16_at(udp, kUdpLengthAt, static_cast<std::uint16_t>(udp.size()));
    if (with_checksum) {
      put_u16_at(udp, kUdpChecksumAt, 0);
      InternetChecksum sum;
      sum.add_pseudo_header(parsed->source, parsed->destination, kProtocolUdp, static_cast<std::uint32_t>(udp.size()));
      sum.add(udp);
      put_u16_at(udp, kUdpChecksumAt, never_zero(sum.value()));
    }
    out.push_back({segment});
  }
  return true;
}

}  // namespace amt
