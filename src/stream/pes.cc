#include "stream/pes.hh"

namespace amt {
namespace {

constexpr std::uint8_t kPtsBits = 0x80;

std::uint8_t first_octet(Bytes unit) { return std::to_integer<std::uint8_t>(unit[0]); }

/// ITU-T H.264 table 7-1.
bool is_h264_key(Bytes octets) {
  while (const std::optional<Bytes> unit = next_unit(octets)) {
    const unsigned type = first_octet(*unit) & 0x1fU;
    constexpr unsigned kIdr = 5;
    constexpr unsigned kSequenceParameterSet = 7;
    if (type == kIdr || type == kSequenceParameterSet) return true;
    if (type >= 1 && type < kIdr) return false;  // a slice of another picture
  }
  return false;
}

/// ITU-T H.265 table 7-1.
bool is_hevc_key(Bytes octets) {
  while (const std::optional<Bytes> unit = next_unit(octets)) {
    const unsigned type = first_octet(*unit) >> 1 & 0x3fU;
    constexpr unsigned kFirstRandomAccess = 16;
    constexpr unsigned kLastRandomAccess = 23;
    constexpr unsigned kVideoParameterSet = 32;
    constexpr unsigned kSequenceParameterSet = 33;
    if (type >= kFirstRandomAccess && type <= kLastRandomAccess) return true;
    if (type == kVideoParameterSet || type == kSequenceParameterSet) return true;
    if (type < kFirstRandomAccess) return false;
  }
  return false;
}

/// ISO/IEC 13818-2 table 6-1. A picture without its sequence header cannot be decoded by a viewer that begins there.
bool is_mpeg_key(Bytes octets) {
  while (const std::optional<Bytes> unit = next_unit(octets)) {
    constexpr std::uint8_t kSequenceHeader = 0xb3;
    constexpr std::uint8_t kPicture = 0x00;
    if (first_octet(*unit) == kSequenceHeader) return true;
    if (first_octet(*unit) == kPicture) return false;
  }
  return false;
}

}  // namespace

std::optional<PesStart> PesStart::parse(Bytes octets) {
  constexpr std::size_t kFixedOctets = 9;
  ByteReader reader(octets);
  if (!reader.has(kFixedOctets)) return std::nullopt;
  if (reader.u16() != 0 || reader.u8() != 1) return std::nullopt;
  reader.skip(3);                                         // stream_id, PES_packet_length
  if ((reader.u8() & 0xc0) != 0x80) return std::nullopt;  // '10'
  const std::uint8_t flags = reader.u8();
  const std::uint8_t header_octets = reader.u8();
  PesStart start;
  constexpr std::size_t kPtsOctets = 5;
  if ((flags & kPtsBits) != 0 && header_octets >= kPtsOctets && reader.has(kPtsOctets)) {
    // '001x', 3 bits, marker, 15 bits, marker, 15 bits, marker
    ByteReader time(reader.rest());
    const std::int64_t high = time.u8() >> 1 & 0x07;
    const std::int64_t middle = time.u16() >> 1;
    const std::int64_t low = time.u16() >> 1;
    start.presentation_time = high << 30 | middle << 15 | low;
  }
  if (reader.has(header_octets)) start.payload = reader.rest().subspan(header_octets);
  return start;
}

std::optional<Bytes> next_unit(Bytes& octets) {
  constexpr std::size_t kCodeOctets = 3;
  for (std::size_t at = 0; at + kCodeOctets < octets.size(); ++at) {
    if (octets[at] != std::byte{0} || octets[at + 1] != std::byte{0} || octets[at + 2] != std::byte{1}) continue;
    octets = octets.subspan(at + kCodeOctets);
    return octets;
  }
  octets = {};
  return std::nullopt;
}

bool begins_with_key_frame(StreamKind kind, Bytes elementary) {
  switch (kind) {
    case StreamKind::kMpegVideo:
      return is_mpeg_key(elementary);
    case StreamKind::kH264:
      return is_h264_key(elementary);
    case StreamKind::kHevc:
      return is_hevc_key(elementary);
    default:
      return false;
  }
}

}  // namespace amt
