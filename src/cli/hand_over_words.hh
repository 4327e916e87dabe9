#pragma once
/// What the process that takes over and the one that hands over agree on.

#include <cstddef>

namespace amt {

/// Names of listeners.
inline constexpr const char* kControlListener = "control";
inline constexpr const char* kHttpListener = "http";

/// Of the channel that systemd keeps (`--descriptor-store`).
inline constexpr const char* kStoredName = "amt-relay";

/// Said to the one that hands over, an octet each. The tunnels are here: send no more data, and give sockets and
/// captures.
inline constexpr std::byte kTunnelsTaken{1};
/// Everything is here, and runs.
inline constexpr std::byte kAllTaken{2};

}  // namespace amt
