#pragma once
/// Merging of UDP datagrams of one flow into one write, the reverse of `cut_segments`.

#include <array>
#include <span>

#include "ip/udp_flow.hh"

namespace amt {

/// The most datagrams of one write: as many as every kernel's UDP_SEGMENT takes.
inline constexpr std::size_t kMergeMax = 64;

/// How many datagrams from the front can be one merged packet, so that cutting it gives them back: UDP in plain headers
/// that differ in length, checksum and IPv4 identification only, with a checksum (which the caller has verified:
/// cutting makes new ones), all of one length but the last, which may be shorter. At least 1 when there is one.
///
/// Cutting counts the identification up, so it must have been counted up already, unless DF makes it meaningless
/// (RFC 6864 §4.1).
[[nodiscard]] std::size_t mergeable(std::span<const Bytes> datagrams);

/// The header of the merged packet: lengths of the whole, the pseudo-header's sum in the checksum field.
struct MergedHeader {
  std::array<std::byte, kPlainUdpOctetsMax> octets{};
  std::size_t size = 0;
  /// Where UDP begins.
  std::size_t udp_at = 0;
  /// Payload of every datagram but the last.
  std::size_t segment_octets = 0;
};
/// For datagrams that `mergeable` has passed, two or more.
[[nodiscard]] MergedHeader merged_header(std::span<const Bytes> datagrams);

}  // namespace amt
