#pragma once
/// The work that a kernel leaves undone on packets with a virtio_net_hdr: checksums and the cutting of merged packets.
/// Linux names and values; Debian 12's headers lack some.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "ip/captured.hh"
#include "ip/datagram.hh"

namespace amt {

inline constexpr std::size_t kVirtioHeaderOctets = 10;
inline constexpr std::uint8_t kVirtioNeedsChecksum = 1;  ///< VIRTIO_NET_HDR_F_NEEDS_CSUM
inline constexpr std::uint8_t kVirtioGsoNone = 0;        ///< VIRTIO_NET_HDR_GSO_NONE
inline constexpr std::uint8_t kVirtioGsoUdp = 5;         ///< VIRTIO_NET_HDR_GSO_UDP_L4

/// struct virtio_net_hdr, in the host's byte order as packet sockets and TUN use it.
struct VirtioHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = kVirtioGsoNone;
  std::uint16_t header_octets = 0;
  std::uint16_t gso_octets = 0;
  /// From the first octet of the packet to where the sum begins.
  std::uint16_t checksum_start = 0;
  /// From there to the field.
  std::uint16_t checksum_offset = 0;

  /// `octets` has at least `kVirtioHeaderOctets`.
  static VirtioHeader read(Bytes octets);
  void write(MutableBytes octets) const;
};

/// The field holds the sum of the pseudo-header; replaces it by the checksum. False when the header points outside.
[[nodiscard]] bool finish_checksum(MutableBytes datagram, const VirtioHeader& header);

/// Memory for the pieces of merged packets; handed back all at once. Grows to the largest need so far, up to
/// `kOctetsMax`.
class SegmentArena {
 public:
  static constexpr std::size_t kOctetsMax = std::size_t{64} << 20;

  /// Valid until `clear`. `octets` is at most one chunk: 128 KB.
  MutableBytes take(std::size_t octets);
  [[nodiscard]] bool full() const { return used_chunks_ * kChunkOctets >= kOctetsMax; }
  void clear();

 private:
  static constexpr std::size_t kChunkOctets = std::size_t{128} << 10;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t used_chunks_ = 0;
  std::size_t used_octets_ = kChunkOctets;
};

/// Cuts a merged UDP packet into datagrams of `segment_octets` payload each, as the kernel's own segmentation does: the
/// headers copied, lengths and checksums set, the IPv4 identification counted up. Appends them to `out`.
/// False, and nothing appended: no whole UDP datagram, or more than `kCutSegmentsMax` pieces.
[[nodiscard]] bool cut_segments(Bytes datagram, std::size_t segment_octets, SegmentArena& arena,
                                std::vector<CapturedDatagram>& out);
/// The kernel merges at most 128 (UDP_MAX_SEGMENTS); a guest behind a virtual network card may say anything.
inline constexpr std::size_t kCutSegmentsMax = 1024;

}  // namespace amt
