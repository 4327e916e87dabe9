#pragma once
/// The status of running engines.

#include <memory>
#include <string>
#include <vector>

#include "engine/gateway/gateway_engine.hh"
#include "engine/relay/relay_engine.hh"
#include "observe/status.hh"
#include "observe/status_stream.hh"

namespace amt {

/// On the engine's thread. No worker is asked: their counters can be read while they run.
[[nodiscard]] RelayStatus relay_status(const RelayEngine& engine);
/// A gateway's counters, without its memberships.
[[nodiscard]] std::vector<CounterStatus> gateway_counters(const GatewayEngine& engine);
/// How many groups are wanted.
[[nodiscard]] std::size_t membership_count(const GatewayEngine& engine);
[[nodiscard]] GatewayStatus gateway_status(const GatewayEngine& engine, Instant now);
/// Error: a key that memberships are not sorted by.
[[nodiscard]] Result<std::unique_ptr<StatusStream>, std::string> gateway_status_stream(const GatewayEngine& engine,
                                                                                       const StatusQuery& query);

}  // namespace amt
