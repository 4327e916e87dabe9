/// How a running daemon is looked at: options of `relay` and `gateway`, the way to their sockets, and `amt top`.
#include <utility>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::uint64_t kTopIntervalSecondsMax = 3600;

}  // namespace

void add_observe_options(CommandTable& table, ObserveConfig& config, const std::string& role) {
  const std::string socket = role + ".sock";
  table.options.push_back(
      {.name = "control",
       .value = "PATH",
       .group = "Operation",
       .help = std::string("UNIX socket for `amt status`, `amt top`, `amt reload`") +
               (role == "relay" ? ", `amt drain`" : ""),
       .default_text = "/run/amt/" + socket + ", or $XDG_RUNTIME_DIR/amt/" + socket + " when not root",
       .example = "/run/amt/" + socket,
       .completion = Completion::kFile,
       .apply = into(config.control, parse_path)});
  table.options.push_back({.name = "http",
                           .value = "WHERE",
                           .group = "Operation",
                           .help =
                               "status page, JSON status, Prometheus metrics and health, read only, at ADDR:PORT, at "
                               "PORT of 127.0.0.1, or at the UNIX socket unix:PATH",
                           .default_text = "none",
                           .example = "127.0.0.1:8080",
                           .apply = into(config.http, parse_listen_place)});
  table.options.push_back({.name = "http-host",
                           .value = "NAME",
                           .group = "Operation",
                           .help = "host name under which browsers and Prometheus may ask; others than addresses and "
                                   "localhost are refused, since any page in a browser could use them",
                           .default_text = "none",
                           .example = "relay.example.net",
                           .repeatable = true,
                           .apply = append_to(config.http_names, parse_host_name)});
}

void add_control_choice(CommandTable& table, std::optional<std::string>& control, std::string default_text) {
  table.options.push_back({.name = "control",
                           .value = "PATH",
                           .help = "its UNIX socket, as given to the relay or gateway",
                           .default_text = std::move(default_text),
                           .example = "/run/amt/relay.sock",
                           .completion = Completion::kFile,
                           .apply = into(control, parse_path)});
}

CommandTable top_table(TopConfig& config) {
  CommandTable table;
  table.name = "top";
  table.summary = "watch a running relay or gateway";
  table.synopsis = "[OPTION]...";
  table.description =
      "Shows on the whole screen what a relay or gateway on this host is doing, again every second: rates, what is "
      "refused or lost, and channels, gateways or memberships in an order that keys choose. `h` shows the keys.";
  table.examples = {
      {"Whatever runs here", "amt top"},
      {"One screen, for a file", "amt top --once"},
  };
  table.options.push_back(
      {.name = "once", .help = "print one screen and end; needs no terminal", .apply = switch_on(config.once)});
  table.options.push_back({.name = "interval",
                           .value = "S",
                           .help = "seconds from one look to the next, 1 to 3600",
                           .default_text = "1",
                           .example = "5",
                           .apply = [&into = config.interval](std::string_view text) -> ValueResult<void> {
                             const auto number = parse_number(text, 1, kTopIntervalSecondsMax);
                             if (!number) return Unexpected<BadValue>(number.error());
                             into = std::chrono::seconds(*number);
                             return {};
                           }});
  add_control_choice(table, config.control);
  return table;
}

}  // namespace amt
