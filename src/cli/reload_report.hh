#pragma once
/// The report of a reload, for the log and for the client.

#include <string>
#include <vector>

#include "config/command_line.hh"

namespace amt {

/// JSON for `amt reload`; error: one line that says why nothing has changed.
using ReloadReply = Result<std::string, std::string>;

/// "upstream, max-tunnels"
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

/// Both log it, too.
[[nodiscard]] ReloadReply reload_failed(const std::string& why);
[[nodiscard]] ReloadReply reload_done(const Reload& reload);

}  // namespace amt
