#pragma once
/// A group of a RouterState as a value: for another process that goes on with it.

#include <cstdint>
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
  /// LAN mode: specific queries that are to be repeated, and when next.
  Instant next_query = kNoDeadline;
  std::uint8_t group_queries_left = 0;
  /// Ascending by address.
  std::vector<SourceQueries> source_queries{};

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.group);
    io.choice(self.mode, FilterMode::kExclude);
    io(self.expires, self.v1_host_present, self.v2_host_present, self.sources, self.next_query, self.group_queries_left,
       self.source_queries);
  }
};

}  // namespace amt
