#pragma once
/// A relay's status as it is written out.

#include <memory>
#include <string>

#include "engine/relay/relay_engine.hh"
#include "observe/status_query.hh"
#include "observe/status_stream.hh"

namespace amt {

/// Counters are read without asking a worker. Tunnels and channels come from the workers in slices, one at a time, and
/// are written as they come; sorted ones are kept until all have been seen, `kSortedRowsMax` at most. On the engine's
/// thread; the engine outlives it.
///
/// Tunnels that come or go meanwhile may be listed or not. A channel whose tunnels move between workers meanwhile may
/// be listed twice. Error: a key that no list of a relay is sorted by.
[[nodiscard]] Result<std::unique_ptr<StatusStream>, std::string> relay_status_stream(RelayEngine& engine,
                                                                                     const StatusQuery& query);

}  // namespace amt
