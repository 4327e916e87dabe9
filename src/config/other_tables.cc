#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {

CommandTable status_table(StatusConfig& config) {
  CommandTable table;
  table.name = "status";
  table.summary = "ask a running relay or gateway";
  table.synopsis = "[OPTION]... [LIST]";
  table.description =
      "Shows what a relay or gateway on this host is doing. Without LIST it is a summary that fits a screen, whatever "
      "the relay has. With LIST it is all of one kind: the tunnels or channels of a relay, the memberships of a "
      "gateway, "
      "or what either has counted.\n\n"
      "It can be asked at any time: a stream does not notice.";
  table.examples = {
      {"Whatever runs here", "amt status"},
      {"The ten tunnels with the most octets", "amt status tunnels --sort bytes --top 10"},
      {"Who wants a channel", "amt status tunnels --group 232.1.1.1"},
      {"One of several, for a program to read", "amt status --control /run/amt/relay.sock --json"},
  };
  const std::vector<std::string> lists = {"tunnels", "channels", "counters", "memberships"};
  const std::vector<std::string> keys = {"address", "packets", "bytes",   "groups", "tunnels",
                                         "since",   "heard",   "expires", "idle"};
  table.options.push_back(
      {.name = "list",
       .value = "LIST",
       .help = "tunnels, channels, counters or memberships",
       .default_text = "a summary; with --json everything",
       .example = "tunnels",
       .positional = true,
       .in_file = false,
       .choices = lists,
       .apply = into(config.list, [lists](std::string_view text) { return parse_word(text, lists); })});
  table.options.push_back(
      {.name = "sort",
       .value = "KEY",
       .help = "numbers with the greatest first: packets, bytes; of tunnels groups, since, heard, "
               "expires; of channels tunnels; of memberships idle; or by address",
       .default_text = "as they come; with --top by bytes",
       .example = "bytes",
       .choices = keys,
       .apply = into(config.sort, [keys](std::string_view text) { return parse_word(text, keys); })});
  table.options.push_back(
      {.name = "top",
       .value = "N",
       .help = "only the first so many",
       .default_text = "all; with --sort 10000",
       .example = "10",
       .apply = into(config.top, [](std::string_view text) { return parse_number(text, 1, kStatusRowsMax); })});
  table.options.push_back({.name = "group",
                           .value = "PREFIX",
                           .help = "only what has to do with groups in this prefix",
                           .default_text = "all",
                           .example = "232.1.0.0/16",
                           .apply = into(config.group, parse_prefix)});
  table.options.push_back({.name = "address",
                           .value = "PREFIX",
                           .help = "only tunnels of gateways in this prefix, and channels and memberships with sources "
                                   "in it",
                           .default_text = "all",
                           .example = "198.51.100.0/24",
                           .apply = into(config.address, parse_prefix)});
  add_control_choice(table, config.control);
  table.options.push_back(
      {.name = "json", .help = "one JSON object instead of tables", .apply = switch_on(config.json)});
  table.finish = [&config]() -> std::optional<std::string> {
    const bool chooses = config.sort || config.top || config.group || config.address;
    if (chooses && !config.list && !config.json) {
      return "--sort, --top, --group and --address need a list (example: amt status tunnels --top 10)";
    }
    return std::nullopt;
  };
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
                           .on_reload = true,
                           .choices = {"trace", "debug", "info", "warn", "error"},
                           .apply = into(config.log_level, parse_log_level)});
  table.options.push_back({.name = "log-json",
                           .group = kGroup,
                           .help = "log lines are JSON objects",
                           .on_reload = true,
                           .apply = switch_on(config.log_json)});
  if (table.name == "relay" || table.name == "gateway") {
    table.options.push_back({.name = "check-config",
                             .group = kGroup,
                             .help = "say whether options and configuration file can be used, and do nothing else",
                             .in_file = false,
                             .apply = switch_on(config.check_config)});
  }
  table.options.push_back({.name = "no-sandbox",
                           .group = kGroup,
                           .help = "keep all privileges, files and system calls, for debuggers and tracers",
                           .apply = switch_on(config.no_sandbox)});
  const auto nothing = [](std::string_view) -> ValueResult<void> { return {}; };
  table.options.push_back({.name = "help",
                           .short_name = 'h',
                           .group = kGroup,
                           .help = "show this help",
                           .in_file = false,
                           .apply = nothing});
}

}  // namespace amt
