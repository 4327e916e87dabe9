#pragma once
#include <optional>
#include <string>

#include "amt/time.hh"
#include "config/config.hh"
#include "sys/host_lookup.hh"

namespace amt {

/// As `look_up_host`; for `wait_max` again and again while no resolver answers.
[[nodiscard]] HostAddresses look_up_waiting(const std::string& name, Duration wait_max);

/// The interface that `--native=IF` names is not there. One line for the user.
[[nodiscard]] std::optional<std::string> unusable_native_interface(const RelayChoice& choice);

}  // namespace amt
