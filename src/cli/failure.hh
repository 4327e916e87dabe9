#pragma once
/// How a subcommand ends badly: the two kinds of messages, and their exit statuses.

#include <string>
#include <string_view>

namespace amt {

/// Failed while running: one log line. Returns 1.
[[nodiscard]] int fail(std::string_view message);

/// An argument turned out to be unusable (an interface that is not there): one line on stderr,
/// `amt SUBCOMMAND: MESSAGE`, that names the option, the value and the mend. Returns 2.
[[nodiscard]] int fail_usage(std::string_view subcommand, std::string_view message);

/// The message of `--check-config` for a good configuration. Returns 0, or 1 where it cannot be printed.
[[nodiscard]] int config_is_good(std::string_view subcommand);

/// For `fail_usage`: "--interface eth9: there is no such interface (there are lo, eth0)".
[[nodiscard]] std::string no_such_interface(std::string_view option, std::string_view name);

}  // namespace amt
