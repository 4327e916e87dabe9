#pragma once
/// What the writer and the reader of a state document agree on. Only for this room.

#include <cstdint>
#include <string_view>

#include "base/byte_reader.hh"

namespace amt::state {

inline constexpr std::string_view kMagic = "amtrelay";
inline constexpr std::size_t kBootAt = 12;
inline constexpr std::size_t kHeaderOctets = 36;
/// Type and length.
inline constexpr std::size_t kRecordHeaderOctets = 5;
inline constexpr std::size_t kHashOctets = 16;

enum class StateRecordType : std::uint8_t { kEnd, kShared, kTunnel, kUse, kChannel, kCounter };

/// In the first octet of a group.
inline constexpr std::uint8_t kExcludes = 1;
inline constexpr std::uint8_t kHasOlderHosts = 2;
/// Of a tunnel.
inline constexpr std::uint8_t kEcnCapable = 1;
/// Of what is shared.
inline constexpr std::uint8_t kDraining = 1;

/// In the place of a time: the ends of the clock.
inline constexpr std::int64_t kEarliest = INT64_MIN;
inline constexpr std::int64_t kLatest = INT64_MAX;
/// No time of a relay is further away from when the document was written.
inline constexpr std::int64_t kSpanMax = std::int64_t{100} * 365 * 86'400 * 1'000'000'000;

/// The C interface of libsodium speaks of unsigned char.
inline const unsigned char* unsigned_octets(Bytes octets) {
  return static_cast<const unsigned char*>(static_cast<const void*>(octets.data()));
}

}  // namespace amt::state
