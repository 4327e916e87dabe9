#include "stream/codec_name.hh"

#include <fmt/format.h>

#include "stream/pes.hh"

namespace amt {
namespace {

/// The octets of a NAL unit without emulation prevention (00 00 03), at most `octets_max`.
std::vector<std::byte> unescaped(Bytes unit, std::size_t octets_max) {
  std::vector<std::byte> out;
  std::size_t zeros = 0;
  for (const std::byte octet : unit) {
    if (out.size() == octets_max) break;
    if (zeros >= 2 && octet == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = octet == std::byte{0} ? zeros + 1 : 0;
    out.push_back(octet);
  }
  return out;
}

/// ISO/IEC 14496-15 annex E: profile, constraints and level of the sequence parameter set, in hexadecimal.
std::string h264_name(Bytes elementary) {
  while (const std::optional<Bytes> unit = next_unit(elementary)) {
    constexpr unsigned kSequenceParameterSet = 7;
    constexpr std::size_t kOctets = 4;
    if ((std::to_integer<unsigned>((*unit)[0]) & 0x1fU) != kSequenceParameterSet || unit->size() < kOctets) continue;
    ByteReader reader(*unit);
    reader.skip(1);
    const unsigned profile = reader.u8();
    const unsigned constraints = reader.u8();
    const unsigned level = reader.u8();
    return fmt::format("avc1.{:02X}{:02X}{:02X}", profile, constraints, level);
  }
  return "";
}

/// The same annex, E.3: profile_tier_level of the sequence parameter set (ITU-T H.265 §7.3.3).
std::string hevc_name(Bytes elementary) {
  while (const std::optional<Bytes> unit = next_unit(elementary)) {
    constexpr unsigned kSequenceParameterSet = 33;
    constexpr std::size_t kOctets = 15;  // NAL header, ids, profile_tier_level as far as the level
    if ((std::to_integer<unsigned>((*unit)[0]) >> 1 & 0x3fU) != kSequenceParameterSet) continue;
    const std::vector<std::byte> octets = unescaped(*unit, kOctets);
    if (octets.size() < kOctets) return "";
    ByteReader reader(octets);
    reader.skip(3);
    const unsigned profile = reader.u8();  // space (2), tier (1), profile (5)
    const std::uint32_t compatible = reader.u32();
    std::uint32_t reversed = 0;
    for (unsigned bit = 0; bit < 32; ++bit) reversed |= (compatible >> bit & 1U) << (31U - bit);
    const std::array<std::byte, 6> constraints = reader.array<6>();
    const unsigned level = reader.u8();
    constexpr std::string_view kSpaces[] = {"", "A", "B", "C"};
    std::string name = fmt::format("hvc1.{}{}.{:X}.{}{}", kSpaces[profile >> 6], profile & 0x1fU, reversed,
                                   (profile & 0x20U) != 0 ? 'H' : 'L', level);
    std::size_t used = constraints.size();
    while (used > 0 && constraints[used - 1] == std::byte{0}) --used;
    for (std::size_t i = 0; i < used; ++i) name += fmt::format(".{:X}", std::to_integer<unsigned>(constraints[i]));
    return name;
  }
  return "";
}

/// ISO/IEC 14496-3 §1.A.2, an ADTS header: the object type is one more than its `profile`.
std::string aac_name(Bytes elementary) {
  ByteReader reader(elementary);
  if (!reader.has(3) || (reader.u16() & 0xfff6U) != 0xfff0U) return "";
  return fmt::format("mp4a.40.{}", (reader.u8() >> 6U) + 1U);
}

}  // namespace

std::string codec_name(StreamKind kind, Bytes elementary) {
  switch (kind) {
    case StreamKind::kH264:
      return h264_name(elementary);
    case StreamKind::kHevc:
      return hevc_name(elementary);
    case StreamKind::kAac:
      return aac_name(elementary);
    case StreamKind::kMpegAudio:
      return "mp4a.40.34";
    case StreamKind::kAc3:
      return "ac-3";
    case StreamKind::kEac3:
      return "ec-3";
    default:
      return "";
  }
}

}  // namespace amt
