#pragma once
/// From the options of `amt relay` to those of its engine.

#include <string>
#include <vector>

#include "amt/result.hh"
#include "config/config.hh"
#include "engine/relay/relay_engine.hh"

namespace amt {

/// The addresses that this host's default routes leave from, one of each family that has one: without `--local`.
[[nodiscard]] std::vector<IpAddress> default_relay_addresses();

/// Reads the secret file, logs the names of its keys, and fills in missing options from this host. Error: a line for
/// the user.
[[nodiscard]] Result<RelayEngineOptions, std::string> relay_engine_options(const RelayConfig& config);

}  // namespace amt
