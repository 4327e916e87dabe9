#pragma once
#include <string>

#include "amt/result.hh"
#include "config/config.hh"
#include "engine/gateway_connection.hh"

namespace amt {

/// `--relay`, `--discovery`, `--local` and the ports as the engine takes them: relays in the order given, of a name all
/// its addresses, then discovery. Looks names up. Error: one line for the user.
[[nodiscard]] Result<GatewayConnectionOptions, std::string> connection_options(const RelayChoice& choice);

}  // namespace amt
