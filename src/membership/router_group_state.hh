#pragma once
/// A group of a RouterState as a value: for another process that goes on with it.

#include <vector>

#include "amt/time.hh"
#include "membership/router_group.hh"

namespace amt {

struct RouterGroupState {
  IpAddress group;
  FilterMode mode = FilterMode::kInclude;
  Instant expires = kNoDeadline;  ///< the group timer; only in EXCLUDE
  /// RFC 3376 §7.3.2: Older Version Host Present timers; `Instant::min()`: not running.
  Instant v1_host_present = Instant::min();
  Instant v2_host_present = Instant::min();
  /// Ascending by address, without repeats; X and Y together.
  std::vector<SourceRecord> sources{};
};

}  // namespace amt
