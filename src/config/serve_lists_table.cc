#include "config/command_tables.hh"
#include "config/local_url.hh"
#include "config/values.hh"

namespace amt {
namespace {

/// A file or a URL, whichever it is.
auto apply_playlist(ServeConfig& config) {
  return [&config](std::string_view text) -> ValueResult<void> {
    if (is_http_url(text)) return into(config.playlist_url, parse_local_url)(text);
    return into(config.playlist, parse_path)(text);
  };
}

}  // namespace

void add_list_options(CommandTable& table, ServeConfig& config) {
  table.options.push_back(
      {.name = "playlist",
       .value = "FILE|URL",
       .group = "Lists",
       .help = "M3U list with amt://, udp:// and rtp:// entries: a file, or an http:// URL of this host",
       .default_text = "none",
       .example = "channels.m3u",
       .completion = Completion::kFile,
       .apply = apply_playlist(config)});
  table.options.push_back({.name = "sap",
                           .group = "Lists",
                           .help = "channels that are announced on the networks of this host (SAP) join the list",
                           .apply = switch_on(config.sap.is_heard)});
  table.options.push_back({.name = "sap-interface",
                           .value = "IF",
                           .group = "Lists",
                           .help = "interface on which --sap hears announcements",
                           .default_text = "all that are up, but loopback",
                           .example = "eth0",
                           .repeatable = true,
                           .completion = Completion::kInterface,
                           .apply = append_to(config.sap.interfaces, parse_interface_name)});
  table.options.push_back(
      {.name = "sap-tunnel",
       .group = "Lists",
       .help = "announcements of global scope (224.2.127.254, ff0e::2:7ffe) are heard through a tunnel, too",
       .apply = switch_on(config.sap.tunnel)});
  table.options.push_back({.name = "sap-timeout",
                           .value = "S",
                           .group = "Lists",
                           .help = "a channel that is not announced for so long leaves the list; one that is announced "
                                   "seldom stays for ten times its interval",
                           .default_text = "1h",
                           .example = "10m",
                           .apply = into(config.sap.timeout, parse_duration)});
}

std::optional<std::string> problem_of_lists(const ServeConfig& config) {
  if (!config.sap.interfaces.empty() && !config.sap.is_heard) {
    return "--sap-interface " + config.sap.interfaces.front() + ": needs --sap";
  }
  return std::nullopt;
}

}  // namespace amt
