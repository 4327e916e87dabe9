#pragma once
/// The two places that values come from. Neither knows what a value means. Errors are whole messages, without the name
/// of the program before them.

#include <span>
#include <string>

#include "amt/result.hh"
#include "config/option_table.hh"

namespace amt {

/// What follows `amt SUBCOMMAND`.
[[nodiscard]] Result<GivenOptions, std::string> read_arguments(const CommandTable& table,
                                                               std::span<const std::string> arguments);

/// Adds what the TOML file at `path` says to `given`, except for options that are given already, or whose opposite is.
[[nodiscard]] Result<void, std::string> read_config_file(const CommandTable& table, const std::string& path,
                                                         GivenOptions& given);

}  // namespace amt
