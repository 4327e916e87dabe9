#pragma once
/// What the writer and the reader of a relay's records agree on. Only for this room.

#include <cstdint>

namespace amt::state {

/// 0 ends the document.
enum class StateRecordType : std::uint8_t { kShared = 1, kTunnel, kUse, kChannel, kCounter };

/// In the first octet of a group.
inline constexpr std::uint8_t kExcludes = 1;
inline constexpr std::uint8_t kHasOlderHosts = 2;
/// Of a tunnel.
inline constexpr std::uint8_t kEcnCapable = 1;
/// Flags of the shared state.
inline constexpr std::uint8_t kDraining = 1;

}  // namespace amt::state
