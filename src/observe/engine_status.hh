#pragma once
/// What running engines have to tell.

#include "engine/gateway_engine.hh"
#include "engine/relay_engine.hh"
#include "observe/status.hh"

namespace amt {

/// On the engine's thread. Costs as much as there are tunnels and channels.
[[nodiscard]] RelayStatus relay_status(RelayEngine& engine, Instant now);
[[nodiscard]] GatewayStatus gateway_status(const GatewayEngine& engine, Instant now);

}  // namespace amt
