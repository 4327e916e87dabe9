#pragma once
/// What `--data-path` needs while the process still has its privileges.

#include "config/config.hh"
#include "engine/relay/relay_engine.hh"

namespace amt {

/// Opens what the chosen way takes, for each worker, and sets `options.data_path.open_back_end`. What cannot be had, or
/// does not do what it should, is a line in the log, and the next best way is taken: orders, xdp, socket.
void open_data_path(const RelayConfig& config, RelayEngineOptions& options);

}  // namespace amt
