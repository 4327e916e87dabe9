#pragma once
/// A status for a person: tables.

#include <optional>
#include <string>
#include <string_view>

namespace amt {

/// `json`: a daemon's answer, of any version; missing parts are left out. `list`: "tunnels", "channels", "counters" or
/// "memberships" alone and whole; empty: a summary that fits a screen. Nothing: this is no status.
[[nodiscard]] std::optional<std::string> status_text(std::string_view json, std::string_view list);

/// How many tunnels and channels a summary is to be asked for.
inline constexpr int kSummaryRows = 5;

}  // namespace amt
