#pragma once
/// Transport streams for tests, made by hand from ISO/IEC 13818-1.

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "media/transport_stream.hh"

namespace amt::test {

using Octets = std::vector<std::byte>;

inline Octets octets(std::initializer_list<int> values) {
  Octets out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// Annex A: polynomial 0x04c11db7, from all ones.
inline std::uint32_t crc32(Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte one : bytes) {
    crc ^= std::to_integer<std::uint32_t>(one) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80000000U) != 0 ? crc << 1 ^ 0x04c11db7U : crc << 1;
  }
  return crc;
}

/// Sets section_length and adds the CRC.
inline Octets section(Octets content) {
  const std::size_t length = content.size() - 3 + 4;
  content[1] = static_cast<std::byte>(0xb0U | length >> 8);
  content[2] = static_cast<std::byte>(length);
  const std::uint32_t crc = crc32(content);
  for (const int shift : {24, 16, 8, 0}) content.push_back(static_cast<std::byte>(crc >> shift));
  return content;
}

/// One transport packet; what `payload` leaves is adaptation field stuffing, or for tables 0xff.
inline Octets packet(int pid, int continuity, bool unit_start, const Octets& payload, int adaptation_flags = 0) {
  Octets out = octets({0x47, (unit_start ? 0x40 : 0) | pid >> 8, pid & 0xff, 0x30 | (continuity & 15)});
  const std::size_t room = kTsPacketOctets - 4 - payload.size();
  if (room == 0) out[3] = static_cast<std::byte>(0x10 | (continuity & 15));
  if (room > 0) out.push_back(static_cast<std::byte>(room - 1));
  if (room > 1) out.push_back(static_cast<std::byte>(adaptation_flags));
  while (out.size() < kTsPacketOctets - payload.size()) out.push_back(std::byte{0xff});
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

inline Octets table_packet(int pid, int continuity, const Octets& table) {
  Octets out = octets({0x47, 0x40 | pid >> 8, pid & 0xff, 0x10 | (continuity & 15), 0x00});
  out.insert(out.end(), table.begin(), table.end());
  out.resize(kTsPacketOctets, std::byte{0xff});
  return out;
}

/// One program, number 1, whose map is on `map_pid`.
inline Octets pat(int map_pid) {
  return section(octets({0x00, 0, 0, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xe0 | map_pid >> 8, map_pid & 0xff}));
}

/// Program 1 of one stream.
inline Octets pmt(int stream_type, int pid, int version = 0) {
  return section(octets({0x02, 0, 0, 0x00, 0x01, 0xc1 | version << 1, 0x00, 0x00, 0xe0 | pid >> 8, pid & 0xff, 0xf0,
                         0x00, stream_type, 0xe0 | pid >> 8, pid & 0xff, 0xf0, 0x00}));
}

/// A PES packet of video with PTS 90 000, and what follows.
inline Octets pes(const Octets& elementary) {
  Octets out = octets({0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0x00, 0x05, 0xbf, 0x21});
  out.insert(out.end(), elementary.begin(), elementary.end());
  return out;
}

inline void append(Octets& to, const Octets& more) { to.insert(to.end(), more.begin(), more.end()); }

}  // namespace amt::test
