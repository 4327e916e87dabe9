#pragma once
#include <cstdint>
#include <optional>

#include "base/byte_reader.hh"

namespace amt {

/// One RTP packet (RFC 3550 §5.1), as far as a receiver of a single stream has to know it.
struct RtpPacketView {
  std::uint16_t sequence = 0;
  std::uint32_t source = 0;  ///< SSRC
  /// Without header, CSRC list, extension and padding; may be empty.
  Bytes payload;

  /// Nothing: no well-formed RTP packet, or one of RTCP's types (RFC 3550 §12).
  static std::optional<RtpPacketView> parse(Bytes packet);
};

/// RFC 3550 A.1, MAX_DROPOUT: a larger step of the sequence number is a restarted sender, not a loss.
inline constexpr std::uint16_t kRtpDropoutMax = 3000;

/// Is `sequence` too far from `other`, in both directions, to be of the same run of numbers?
[[nodiscard]] constexpr bool is_rtp_jump(std::uint16_t sequence, std::uint16_t other) {
  return static_cast<std::uint16_t>(sequence - other) > kRtpDropoutMax &&
         static_cast<std::uint16_t>(other - sequence) > kRtpDropoutMax;
}

}  // namespace amt
