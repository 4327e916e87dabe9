#pragma once
#include "config/config.hh"
#include "engine/gateway_connection.hh"

namespace amt {

/// `--relay`, `--discovery`, `--local` and the ports as the engine takes them: relays in the order given, then
/// discovery.
[[nodiscard]] GatewayConnectionOptions connection_options(const RelayChoice& choice);

}  // namespace amt
