#pragma once
/// From `argv` to what is to be done.

#include <span>
#include <string>
#include <variant>

#include "amt/result.hh"
#include "config/config.hh"

namespace amt {

struct Invocation {
  CommonConfig common;
  std::variant<RelayConfig, GatewayConfig, ReceiveConfig, SendConfig, DiscoverConfig, StatusConfig, BenchConfig,
               DemoConfig>
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

/// `arguments`: without the program's own name. Reads the configuration file that they name, nothing else.
[[nodiscard]] Result<Invocation, EarlyExit> parse_command_line(std::span<const std::string> arguments);

}  // namespace amt
