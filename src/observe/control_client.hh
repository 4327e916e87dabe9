#pragma once
#include <string>

#include "sys/error.hh"

namespace amt {

/// Asks the daemon behind the control socket at `path` for its status. Blocks for 5 s at most. Errors: ENOENT or
/// ECONNREFUSED: none runs there; EACCES: not for this user; ETIMEDOUT; EPROTO: what answered was no amt.
[[nodiscard]] SysResult<std::string> fetch_status(const std::string& path);

}  // namespace amt
