#pragma once
/// From `argv` to a subcommand and its options.

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/result.hh"
#include "config/config.hh"
#include "config/option_table.hh"

namespace amt {

struct Invocation {
  CommonConfig common;
  /// The given values, by option of the subcommand's table: for a reload.
  GivenOptions given;
  std::variant<RelayConfig, GatewayConfig, ReceiveConfig, ServeConfig, SendConfig, AnnounceConfig, DiscoverConfig,
               StatusConfig, TopConfig, ReloadConfig, DrainConfig, BenchConfig, DemoConfig>
      command;
};

/// Nothing is to be done but to print and exit: help, version, or an error.
struct EarlyExit {
  int status = 0;
  std::string standard_output;
  std::string standard_error;
  /// roff, for a viewer; `standard_output` is the same for where there is none.
  std::string man_page = {};
};

/// Status of a program whose arguments or configuration cannot be used.
inline constexpr int kUsageStatus = 2;

/// `arguments`: without the program's own name. `commit`: what --version names besides the version; empty: not known.
/// Reads the configuration file that the arguments name, nothing else.
[[nodiscard]] Result<Invocation, EarlyExit> parse_command_line(std::span<const std::string> arguments,
                                                               std::string_view commit = {});

/// The result of a reload of a running daemon's configuration.
struct Reload {
  /// The configuration from now on: as if the arguments and the file had been so from the start, except for the options
  /// that only a restart takes up.
  Invocation invocation;
  /// Options that differ from before, by name: those that change now, and those that do not.
  std::vector<std::string> changed;
  std::vector<std::string> restart;
};

/// The same arguments once more, with the configuration file as it is now. `running`: the present configuration. Error:
/// one line for the user; nothing has changed.
[[nodiscard]] Result<Reload, std::string> reload_command_line(std::span<const std::string> arguments,
                                                              const Invocation& running);

}  // namespace amt
