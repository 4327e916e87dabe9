#pragma once
/// What running engines have to tell.

#include <functional>

#include "engine/gateway_engine.hh"
#include "engine/relay_engine.hh"
#include "observe/status.hh"

namespace amt {

/// On the engine's thread, where `done` is called when all workers have told their part, each on its own thread. Costs
/// as much as there are tunnels and channels.
void collect_relay_status(RelayEngine& engine, std::function<void(const RelayStatus&)> done);
[[nodiscard]] GatewayStatus gateway_status(const GatewayEngine& engine, Instant now);

}  // namespace amt
