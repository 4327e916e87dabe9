#pragma once
/// The rows of the router's state tables as a function of one source. Only for this room.

#include "membership/router_group.hh"

namespace amt {

/// The effect of one record on one source of its group.
struct Fate {
  bool kept = false;
  Instant expires = kTimerZero;
  /// The row sends a Q(G,S) about it.
  bool asked = false;
};

/// The values that the rows set timers to.
struct RecordTimes {
  /// "=GMI".
  Instant membership_expires;
  /// "=Group Timer", before this record.
  Instant group_timer;
};

/// `held`: the group's record of the source, if it has one. `listed`: the report's record names it. At least one of the
/// two.
[[nodiscard]] Fate source_fate(FilterMode mode, RecordType type, const SourceRecord* held, bool listed,
                               const RecordTimes& times);

/// The rows whose new state is EXCLUDE and that set the group timer to GMI: IS_EX and TO_EX, from either mode.
[[nodiscard]] bool sets_exclude(RecordType type);

}  // namespace amt
