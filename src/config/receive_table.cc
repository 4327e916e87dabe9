#include <limits>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

/// Each has a tunnel, and a relay takes 256 of one address by default.
constexpr std::size_t kReceiveUrlsMax = 64;
constexpr std::uint64_t kNoUpperBound = std::numeric_limits<std::uint64_t>::max();

void add_output(CommandTable& table, ReceiveConfig& config) {
  table.options.push_back(
      {.name = "output",
       .short_name = 'o',
       .value = "WHERE",
       .group = "Output",
       .help = "where the UDP payload goes: - (standard output), a new file, a folder for a file of each channel, or "
               "udp://ADDR:PORT, sent again as datagrams",
       .default_text = "standard output unless that is a terminal; with --verify nowhere",
       .example = "udp://127.0.0.1:5001",
       .completion = Completion::kFile,
       .apply = into(config.output, parse_receive_output)});
  table.options.push_back({.name = "overwrite",
                           .group = "Output",
                           .help = "--output may be a file that holds something, which is lost then",
                           .apply = switch_on(config.overwrite)});
  table.options.push_back(
      {.name = "rtp",
       .value = "WHAT",
       .group = "Output",
       .help = "what becomes of RTP headers: auto takes them off MPEG-TS that goes to a pipe or a file, strip off all "
               "RTP, wherever it goes; packets are put in order then, by their numbers; keep leaves all as it came",
       .default_text = "auto",
       .example = "strip",
       .choices = {"auto", "strip", "keep"},
       .apply = into(config.rtp, parse_rtp_choice)});
  table.options.push_back(
      {.name = "stats",
       .value = "FORMAT",
       .group = "Output",
       .help = "what is printed at the end; json is one object on one line, on standard output when the "
               "payload goes elsewhere or nowhere",
       .default_text = "text",
       .example = "json",
       .choices = {"text", "json", "none"},
       .apply = into(config.stats, parse_stats_format)});
  table.options.push_back(
      {.name = "verify",
       .group = "Output",
       .help = "check the numbered packets of `amt send`: lost, duplicated, reordered, damaged; status 1 "
               "when any is lost or damaged",
       .apply = switch_on(config.verify)});
  table.options.push_back({.name = "quiet",
                           .short_name = 'q',
                           .group = "Output",
                           .help = "no live line, and nothing at the end unless something was lost",
                           .apply = switch_on(config.quiet)});
}

void add_end(CommandTable& table, ReceiveConfig& config) {
  table.options.push_back(
      {.name = "count",
       .value = "N",
       .group = "End",
       .help = "stop after so many packets of each channel",
       .default_text = "no limit",
       .example = "1000",
       .apply = into(config.count, [](std::string_view text) { return parse_number(text, 1, kNoUpperBound); })});
  table.options.push_back({.name = "duration",
                           .value = "S",
                           .group = "End",
                           .help = "stop after so many seconds (or 500ms, 5m, 1h)",
                           .default_text = "no limit",
                           .example = "10",
                           .apply = into(config.duration, parse_duration)});
  table.options.push_back({.name = "timeout",
                           .value = "S",
                           .group = "End",
                           .help = "fail with status 1 when nothing arrives for so many seconds",
                           .default_text = "wait for ever",
                           .example = "10",
                           .apply = into(config.timeout, parse_duration)});
}

std::optional<std::string> finish_receive(ReceiveConfig& config) {
  finish_relay_choice(config.relay);
  for (ChannelUrl& url : config.urls) {
    if (url.relay && url.relay->port == 0) url.relay->port = config.relay.relay_port;
    if (config.relay.native && !url.port) {
      return "--native: the channel needs its UDP port (example: amt://198.51.100.10@232.1.1.1:5001)";
    }
  }
  if (config.urls.size() > kReceiveUrlsMax) {
    return "URL: more than " + std::to_string(kReceiveUrlsMax) + " channels; start several programs";
  }
  const bool is_folder = config.output && config.output->kind == ReceiveOutput::Kind::kFile;
  if (config.urls.size() > 1 && !is_folder && (config.output || !config.verify)) {
    return "--output: several channels need a folder for their recordings (example: -o recordings)";
  }
  return std::nullopt;
}

}  // namespace

CommandTable receive_table(ReceiveConfig& config) {
  CommandTable table;
  table.name = "receive";
  table.summary = "receive channels, with no privileges and no interface";
  table.synopsis = "[OPTION]... URL...";
  table.description =
      "Joins the channel URL at an AMT relay (RFC 7450) and writes the payload of its UDP datagrams to a pipe, a file, "
      "or a "
      "socket. Any user may do that, behind NAT too.\n\n"
      "URL is amt://[SOURCE@]GROUP[:PORT], the form that VLC takes, with ?relay=ADDR[:PORT] behind it instead of "
      "--relay. "
      "IPv6 addresses stand in square brackets, as in "
      "amt://[2001:db8::10]@[ff3e::1]:5001. Without PORT every UDP port of the group is taken. Groups in 232.0.0.0/8 "
      "and "
      "ff3x::/32 are source-specific and need SOURCE.";
  table.examples = {
      {"Watch a channel", "amt receive --relay 192.0.2.1 amt://198.51.100.10@232.1.1.1:5001 | mpv -"},
      {"Count a hundred packets of a channel over IPv6",
       "amt receive --relay 2001:db8::1 -o /dev/null --count 100 amt://[2001:db8::10]@[ff3e::1]:5001"},
      {"From the local network where it has the channel, else through a tunnel",
       "amt receive --native amt://198.51.100.10@232.1.1.1:5001 | mpv -"},
      {"Record two channels, each into a file of its own",
       "amt receive -o tv amt://198.51.100.10@232.1.1.1:5001 amt://198.51.100.10@232.1.1.2:5001"},
      {"Check what `amt send` sends",
       "amt receive --relay 192.0.2.1 --verify --duration 10 amt://198.51.100.10@232.1.1.1:5001"},
  };
  table.options.push_back({.name = "url",
                           .value = "URL",
                           .help = "the channel, amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]]",
                           .example = "amt://198.51.100.10@232.1.1.1:5001",
                           .positional = true,
                           .required = true,
                           .repeatable = true,
                           .apply = append_to(config.urls, parse_channel_url)});
  add_relay_choice_options(table, config.relay);
  add_output(table, config);
  add_end(table, config);
  table.finish = [&config] { return finish_receive(config); };
  return table;
}

}  // namespace amt
