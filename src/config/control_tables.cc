#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {

CommandTable reload_table(ReloadConfig& config) {
  CommandTable table;
  table.name = "reload";
  table.summary = "have a running relay or gateway read its configuration again";
  table.synopsis = "[OPTION]...";
  table.description =
      "The relay or gateway reads its configuration file, secret file and event file again, as it does at SIGHUP. What "
      "can change without losing a tunnel changes at once; what needs a restart is named. Flags that it was started "
      "with "
      "still win over the file. With a file that cannot be used nothing changes, and the status is 1.";
  table.examples = {
      {"Whatever runs here", "amt reload"},
      {"One of several", "amt reload --control /run/amt/relay.sock"},
  };
  add_control_choice(table, config.control);
  return table;
}

CommandTable drain_table(DrainConfig& config) {
  CommandTable table;
  table.name = "drain";
  table.summary = "have a relay hand its gateways over to others, and end";
  table.synopsis = "[OPTION]...";
  table.description =
      "From now on the relay takes no new gateways: Relay Discovery goes unanswered, and Membership Queries have the L "
      "flag, by which gateways look for another relay (RFC 7450). Those that it has go on. It ends when the last of "
      "them "
      "has left, or when the time is over. This command does not wait for that.";
  table.examples = {
      {"Before a restart, with ten minutes' time", "amt drain --timeout 10m"},
      {"Think better of it", "amt drain --cancel"},
  };
  table.options.push_back({.name = "timeout",
                           .value = "S",
                           .help = "end after so long, whoever is left then; in seconds, or with a unit (m, h)",
                           .default_text = "never",
                           .example = "600",
                           .apply = into(config.timeout, parse_duration)});
  table.options.push_back({.name = "cancel", .help = "take new gateways again", .apply = switch_on(config.cancel)});
  add_control_choice(table, config.control, "relay.sock in /run/amt and $XDG_RUNTIME_DIR/amt");
  return table;
}

}  // namespace amt
