#pragma once
/// In which order the rows of a status stand.

#include <optional>

#include "observe/status.hh"
#include "observe/status_query.hh"
#include "observe/top_rows.hh"

namespace amt {

/// Nothing: this list has no such key.
[[nodiscard]] std::optional<TopRows<TunnelStatus>::Before> tunnel_order(SortKey key);
[[nodiscard]] std::optional<TopRows<ChannelStatus>::Before> channel_order(SortKey key);
[[nodiscard]] std::optional<TopRows<MembershipStatus>::Before> membership_order(SortKey key);

}  // namespace amt
