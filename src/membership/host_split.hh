#pragma once
/// Records that are too large for one report (RFC 3376 §4.2.16, RFC 3810 §5.2.15). Only for this room.

#include <deque>

#include "membership/message.hh"

namespace amt {

/// Appends `record` to `out`, cut into records of at most `sources_max` sources each (H-e).
void split_record(GroupRecord record, std::size_t sources_max, std::deque<GroupRecord>& out);

}  // namespace amt
