#pragma once
/// The start of a PES packet (ISO/IEC 13818-1 §2.4.3.6), and whether a picture begins in it that needs no other.

#include <cstdint>
#include <optional>

#include "stream/program_map.hh"

namespace amt {

struct PesStart {
  std::optional<std::int64_t> presentation_time{};  ///< PTS, ticks of 90 kHz, 33 bits
  /// The octets after the header that are in this transport packet.
  Bytes payload{};

  /// `octets`: the payload of a transport packet with payload_unit_start_indicator. Nothing: no PES packet with an
  /// ordinary header.
  static std::optional<PesStart> parse(Bytes octets);
};

/// Where players may begin: the parameter sets or the sequence header of a coded video sequence come first. False too
/// where `kind` is none whose pictures are known.
[[nodiscard]] bool begins_with_key_frame(StreamKind kind, Bytes elementary);

/// The octet after the next start code (00 00 01) of MPEG video, H.264 and HEVC; advances `octets` behind it. Nothing:
/// no further one.
[[nodiscard]] std::optional<Bytes> next_unit(Bytes& octets);

}  // namespace amt
