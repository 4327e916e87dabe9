#pragma once
#include <string_view>

#include "config/config.hh"
#include "config/option_table.hh"

namespace amt {

/// `http://127.0.0.1[:PORT][/PATH]`, `http://[::1]...` or `http://localhost...` (which is 127.0.0.1). Another host's
/// list would come without encryption over a network, and whoever changes it on the way chooses what is watched.
[[nodiscard]] ValueResult<LocalUrl> parse_local_url(std::string_view text);

/// Whether a value is an HTTP URL and no file.
[[nodiscard]] bool is_http_url(std::string_view text);

}  // namespace amt
