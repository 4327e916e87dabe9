#pragma once
/// Help, man pages and completion, written from the option tables.

#include <string>
#include <vector>

#include "config/option_table.hh"

namespace amt {

/// `amt --help`. `commands`: all subcommands' tables.
[[nodiscard]] std::string program_help(const std::vector<CommandTable>& commands);
/// `amt SUBCOMMAND --help`
[[nodiscard]] std::string command_help(const CommandTable& table);

/// amt(1) and amt-SUBCOMMAND(1), for man(1).
[[nodiscard]] std::string program_man_page(const std::vector<CommandTable>& commands);
[[nodiscard]] std::string command_man_page(const CommandTable& table);

/// A configuration file in which each option of the subcommand stands as a comment, with its help and a value that
/// works.
[[nodiscard]] std::string example_config(const CommandTable& table);

/// Completion scripts.
[[nodiscard]] std::string bash_completion(const std::vector<CommandTable>& commands);
[[nodiscard]] std::string zsh_completion(const std::vector<CommandTable>& commands);
[[nodiscard]] std::string fish_completion(const std::vector<CommandTable>& commands);

}  // namespace amt
