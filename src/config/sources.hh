#pragma once
/// The two sources of values. Neither knows the meaning of a value. Errors are whole messages, without the name of the
/// program before them.

#include <span>
#include <string>

#include "amt/result.hh"
#include "config/option_table.hh"

namespace amt {

/// The arguments after `amt SUBCOMMAND`.
[[nodiscard]] Result<GivenOptions, std::string> read_arguments(const CommandTable& table,
                                                               std::span<const std::string> arguments);

/// Adds the values of the TOML file at `path` to `given`, except for options that are given already, or whose opposite
/// is.
[[nodiscard]] Result<void, std::string> read_config_file(const CommandTable& table, const std::string& path,
                                                         GivenOptions& given);

}  // namespace amt
