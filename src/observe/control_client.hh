#pragma once
#include <string>

#include "sys/error.hh"

namespace amt {

/// The answer.
struct FetchedStatus {
  bool accepted = false;
  /// JSON: the status, or `{"error":"what is wrong with the query"}`.
  std::string json;
};

/// Asks the daemon behind the control socket at `path` for its status. `query`: as `StatusQuery::parse` takes it, may
/// be empty. Blocks while the answer comes, and for 5 s at most while it does not. Errors: ENOENT or ECONNREFUSED: none
/// runs there; EACCES: not for this user; ETIMEDOUT; EPROTO: the answer was not from amt, or ended too early.
[[nodiscard]] SysResult<FetchedStatus> fetch_status(const std::string& path, const std::string& query);

/// Has it carry out a command: `target` is "reload" or "drain?timeout=60". Errors as above.
[[nodiscard]] SysResult<FetchedStatus> post_command(const std::string& path, const std::string& target);

}  // namespace amt
