#pragma once
/// Set-up of `--data-path` while the process still has its privileges.

#include "config/config.hh"
#include "engine/relay/relay_engine.hh"

namespace amt {

/// Opens the sockets and devices of the chosen way for each worker, and sets `options.data_path.open_back_end`. A way
/// that cannot be opened, or fails its check, is a line in the log, and the next best one is taken: orders, xdp,
/// socket.
void open_data_path(const RelayConfig& config, RelayEngineOptions& options);

}  // namespace amt
