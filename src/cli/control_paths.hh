#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sys/error.hh"

namespace amt {

/// Where a daemon of one of `roles` may listen on this host: `control`, or all default places.
[[nodiscard]] std::vector<std::string> control_paths(const std::optional<std::string>& control,
                                                     const std::vector<std::string>& roles = {"relay", "gateway"});
/// No daemon listens there; else something is wrong with asking it.
[[nodiscard]] bool is_nobody_there(const SysError& error);
/// Why a daemon could not be asked, and the remedy.
[[nodiscard]] std::string explain_asking(const SysError& error);

}  // namespace amt
