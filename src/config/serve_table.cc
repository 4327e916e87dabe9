#include <algorithm>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::uint64_t kServeChannelsMax = 1024;
constexpr std::uint64_t kServeViewersMax = 100'000;
constexpr std::uint64_t kBufferMebibytesMax = 1024;

/// `http://name[:port]`, `https://...`, or `*`.
ValueResult<std::string> parse_origin(std::string_view text) {
  const bool has_scheme = text.starts_with("http://") || text.starts_with("https://");
  const std::string_view host = text.substr(std::min(text.find("//") + 2, text.size()));
  if (text == "*" || (has_scheme && !host.empty() && host.find_first_of("/ ") == std::string_view::npos)) {
    return std::string(text);
  }
  return Unexpected<BadValue>(BadValue{"not the origin of a page: http:// or https:// and its host, without a path"});
}

void add_clients(CommandTable& table, ServeConfig& config) {
  table.options.push_back({.name = "allow",
                           .value = "PREFIX",
                           .group = "Clients",
                           .help = "clients that may watch, beside this host itself",
                           .default_text = "the subnets that this host has addresses in",
                           .example = "192.0.2.0/24",
                           .repeatable = true,
                           .apply = append_to(config.allowed, parse_prefix)});
  table.options.push_back({.name = "allow-origin",
                           .value = "ORIGIN",
                           .group = "Clients",
                           .help =
                               "web site whose pages may play the channels; others are refused, since any page in a "
                               "browser could; * allows all",
                           .default_text = "none but the page of this server",
                           .example = "https://tv.example.net",
                           .repeatable = true,
                           .apply = append_to(config.allowed_origins, parse_origin)});
  table.options.push_back({.name = "http-host",
                           .value = "NAME",
                           .group = "Clients",
                           .help = "host name under which clients may ask, beside addresses and localhost",
                           .default_text = "none",
                           .example = "tv.example.net",
                           .repeatable = true,
                           .apply = append_to(config.http_names, parse_host_name)});
  table.options.push_back(
      {.name = "token-file",
       .value = "FILE",
       .group = "Clients",
       .help = "file with a token, 16 characters or more; clients on other hosts must show it, ?token=, as "
               "a bearer token or as a password, unless --allow names their address",
       .default_text = "none",
       .example = "/etc/amt/serve.token",
       .completion = Completion::kFile,
       .apply = into(config.token_file, parse_path)});
  table.options.push_back({.name = "allow-relay-parameter",
                           .group = "Clients",
                           .help = "clients may name a relay, ?relay=ADDR[:PORT], which this host then talks to",
                           .apply = switch_on(config.allow_relay_parameter)});
}

void add_limits(CommandTable& table, ServeConfig& config) {
  table.options.push_back({.name = "max-channels",
                           .value = "N",
                           .group = "Limits",
                           .help = "channels that are received at a time",
                           .default_text = "32",
                           .example = "8",
                           .apply = number_into(config.channels_max, 1, kServeChannelsMax)});
  table.options.push_back({.name = "max-viewers",
                           .value = "N",
                           .group = "Limits",
                           .help = "viewers of all channels together",
                           .default_text = "2000",
                           .example = "100",
                           .apply = number_into(config.viewers_max, 1, kServeViewersMax)});
  table.options.push_back({.name = "buffer",
                           .value = "MIB",
                           .group = "Limits",
                           .help =
                               "memory of each channel, in MiB: what a viewer may fall behind, and where one who comes "
                               "late finds a key frame",
                           .default_text = "16",
                           .example = "64",
                           .apply = number_into(config.buffer_mebibytes, 1, kBufferMebibytesMax)});
}

}  // namespace

CommandTable serve_table(ServeConfig& config) {
  CommandTable table;
  table.name = "serve";
  table.summary = "give channels to players and browsers over HTTP";
  table.synopsis = "[OPTION]...";
  table.description =
      "Receives channels as `amt receive` does, with no privileges, each once for any number of viewers, and serves "
      "them over HTTP as MPEG-TS. A viewer begins at the last key frame; one who is too slow skips to a newer one. A "
      "channel is left some seconds after its last viewer.\n\n"
      "http://127.0.0.1:4022/amt/SOURCE@GROUP:PORT and /amt/GROUP:PORT are channels; /udp/ and /rtp/ mean the same, "
      "as udpxy has it. IPv6 addresses stand in square brackets, percent-encoded or not. /playlist.m3u is the list "
      "that --playlist named, and what --sap heard, made HTTP, /playlist.xspf the same as XSPF; / is a page, /status "
      "says what goes on (JSON), /metrics the same for Prometheus.\n\n"
      "SIGHUP has the playlist and the token read again.";
  table.examples = {
      {"Watch a channel with any player",
       "amt serve --relay 192.0.2.1 & mpv http://127.0.0.1:4022/amt/198.51.100.10@232.1.1.1:5001"},
      {"A list of channels for all televisions of the house",
       "amt serve --listen 192.0.2.2:4022 --playlist channels.m3u"},
      {"What is announced on the networks of this host", "amt serve --sap"},
  };
  table.options.push_back({.name = "listen",
                           .value = "WHERE",
                           .help = "ADDR:PORT, PORT of 127.0.0.1, or unix:PATH",
                           .default_text = "127.0.0.1:4022",
                           .example = "192.0.2.2:4022",
                           .apply = into(config.listen, parse_listen_place)});
  add_list_options(table, config);
  add_clients(table, config);
  add_limits(table, config);
  add_relay_choice_options(table, config.relay);
  // Each channel has a socket of its own.
  std::erase_if(table.options, [](const OptionSpec& one) { return one.name == "gateway-port"; });
  table.finish = [&config]() -> std::optional<std::string> {
    finish_relay_choice(config.relay);
    return problem_of_lists(config);
  };
  return table;
}

}  // namespace amt
