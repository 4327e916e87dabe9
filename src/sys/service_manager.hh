#pragma once
#include <string_view>

namespace amt {

/// Tells systemd, when it started us as a notify service: READY=1 and a status line (sd_notify(3)).
void notify_ready(std::string_view status);
/// STOPPING=1
void notify_stopping();

}  // namespace amt
