#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {

CommandTable status_table(StatusConfig& config) {
  CommandTable table;
  table.name = "status";
  table.summary = "ask a running relay or gateway";
  table.synopsis = "[OPTION]...";
  table.description =
      "Shows what a relay or gateway on this host is doing: its tunnels or relays, groups, packets, and what it has "
      "counted.";
  table.examples = {
      {"Whatever runs here", "amt status"},
      {"One of several, for a program to read", "amt status --control /run/amt/relay.sock --json"},
  };
  table.options.push_back({.name = "control",
                           .value = "PATH",
                           .help = "its UNIX socket, as given to the relay or gateway",
                           .default_text = "relay.sock and gateway.sock in /run/amt and $XDG_RUNTIME_DIR/amt",
                           .example = "/run/amt/relay.sock",
                           .completion = Completion::kFile,
                           .apply = into(config.control, parse_path)});
  table.options.push_back(
      {.name = "json", .help = "one JSON object instead of tables", .apply = switch_on(config.json)});
  return table;
}

CommandTable demo_table(DemoConfig& config) {
  CommandTable table;
  table.name = "demo";
  table.summary = "see it work: a video through a tunnel on this machine";
  table.synopsis = "[OPTION]...";
  table.description =
      "Builds a small network of namespaces on this machine (source, relay, gateway, listener), plays a real video "
      "stream through it, and shows that what arrives is what was sent. Any user may run it; it takes less than a "
      "minute and leaves nothing behind but two received pictures.";
  table.examples = {
      {"See it work", "amt demo"},
      {"Keep the streams and the logs, too", "amt demo --output /tmp/amt-demo"},
  };
  table.options.push_back({.name = "output",
                           .short_name = 'o',
                           .value = "DIR",
                           .help = "keep the received pictures, the streams and the logs in this directory",
                           .default_text = "demo, for the pictures alone",
                           .example = "/tmp/amt-demo",
                           .completion = Completion::kDirectory,
                           .apply = into(config.output_directory, parse_path)});
  return table;
}

void add_common_options(CommandTable& table, CommonConfig& config) {
  constexpr const char* kGroup = "Common options";
  table.options.push_back({.name = "config",
                           .value = "FILE",
                           .group = kGroup,
                           .help = "TOML file with the same options: local = [\"192.0.2.1\"]; flags win over it",
                           .example = "/etc/amt/" + table.name + ".toml",
                           .in_file = false,
                           .completion = Completion::kFile,
                           .apply = into(config.config_file, parse_path)});
  table.options.push_back({.name = "log-level",
                           .value = "LEVEL",
                           .group = kGroup,
                           .help = "how much is logged, on standard error",
                           .default_text = "info",
                           .example = "debug",
                           .choices = {"trace", "debug", "info", "warn", "error"},
                           .apply = into(config.log_level, parse_log_level)});
  table.options.push_back(
      {.name = "log-json", .group = kGroup, .help = "log lines are JSON objects", .apply = switch_on(config.log_json)});
  const auto nothing = [](std::string_view) -> ValueResult<void> { return {}; };
  table.options.push_back({.name = "help",
                           .short_name = 'h',
                           .group = kGroup,
                           .help = "show this help",
                           .in_file = false,
                           .apply = nothing});
}

}  // namespace amt
