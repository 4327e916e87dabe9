#pragma once
/// Where control sockets stand.

#include <string>
#include <string_view>
#include <vector>

namespace amt {

/// `/run/amt/ROLE.sock`, then `$XDG_RUNTIME_DIR/amt/ROLE.sock` where that is set. `role`: "relay" or "gateway". A
/// server takes the first that it can, a client asks all.
[[nodiscard]] std::vector<std::string> default_control_paths(std::string_view role);

}  // namespace amt
