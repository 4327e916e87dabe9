#include <algorithm>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

// Ports of one address end sooner; with several --local this much is a slip of the hand.
constexpr std::uint64_t kGatewaysMax = 1'000'000;
constexpr std::uint64_t kChannelsMax = 100'000;
constexpr double kChangesPerSecondMax = 1000;

void add_load(CommandTable& table, BenchConfig& config) {
  table.options.push_back({.name = "gateways",
                           .value = "N",
                           .group = "Load",
                           .help = "simulated gateways, each with a UDP port of its own",
                           .default_text = "100",
                           .example = "1000",
                           .apply = number_into(config.gateways, 1, kGatewaysMax)});
  table.options.push_back({.name = "group",
                           .value = "[SOURCE@]GROUP",
                           .group = "Load",
                           .help = "channel that gateways join; with several, gateways are shared out over them",
                           .example = "10.1.0.1@232.1.1.1",
                           .required = true,
                           .repeatable = true,
                           .apply = append_to(config.groups, parse_channel_url)});
  table.options.push_back({.name = "channels",
                           .value = "N",
                           .group = "Load",
                           .help = "so many channels for each --group: the group and those that follow it",
                           .default_text = "1",
                           .example = "100",
                           .apply = number_into(config.channels_each, 1, kChannelsMax)});
  table.options.push_back({.name = "duration",
                           .value = "S",
                           .group = "Load",
                           .help = "seconds from the first Request to the end, when all gateways leave",
                           .default_text = "10",
                           .example = "60",
                           .apply = into(config.duration, parse_duration)});
  table.options.push_back({.name = "zap",
                           .value = "N",
                           .group = "Load",
                           .help = "channel changes of each gateway a second, to another of the channels at random",
                           .default_text = "0",
                           .example = "0.5",
                           .apply = into(config.changes_per_second, [](std::string_view text) {
                             return parse_decimal(text, 0, kChangesPerSecondMax);
                           })});
  table.options.push_back({.name = "repeat",
                           .value = "WHAT",
                           .group = "Load",
                           .help =
                               "what each gateway does again and again, as fast as the relay answers: requests (and "
                               "nothing is joined), handshakes (Teardown, Request, Query, Update), or nothing",
                           .default_text = "nothing",
                           .example = "handshakes",
                           .choices = {"nothing", "requests", "handshakes"},
                           .apply = into(config.task, parse_bench_task)});
}

std::optional<std::string> finish(BenchConfig& config) {
  Endpoint& relay = config.relay;
  if (!config.is_mine && !is_private(relay.address)) {
    return "--relay " + relay.address.to_string() +
           ": neither on this host nor in a private network; load is for a relay that you operate "
           "(if you do: --yes-it-is-mine)";
  }
  if (relay.port == 0) relay.port = kAmtPort;
  for (const IpAddress& address : config.local) {
    if (address.family() == relay.address.family()) continue;
    return "--local " + address.to_string() + ": not of the family of --relay " + relay.address.to_string();
  }
  if (config.groups.size() * config.channels_each > kChannelsMax) {
    return "--channels " + std::to_string(config.channels_each) + ": more than " + std::to_string(kChannelsMax) +
           " channels in all";
  }
  for (const ChannelUrl& url : config.groups) {
    if (url.relay) return "--group " + url.channel.to_string() + ": names a relay with ?relay=; --relay does that here";
    for (std::uint32_t i = 0; i < config.channels_each; ++i) {
      Channel channel = url.channel;
      channel.group = address_after(channel.group, i);
      if (!is_forwardable_group(channel.group)) {
        return "--channels " + std::to_string(config.channels_each) + ": " + channel.group.to_string() +
               " is not a group that can be joined";
      }
      config.channels.push_back(channel);
    }
  }
  std::ranges::sort(config.channels);
  config.channels.erase(std::unique(config.channels.begin(), config.channels.end()), config.channels.end());
  if (config.changes_per_second > 0 && config.channels.size() < 2) {
    return "--zap: needs two channels to change between (example: --channels 100)";
  }
  if (config.changes_per_second > 0 && config.task != BenchTask::kNothing) {
    return "--zap and --repeat: both given, but they exclude each other";
  }
  return std::nullopt;
}

}  // namespace

CommandTable bench_table(BenchConfig& config) {
  CommandTable table;
  table.name = "bench";
  table.summary = "load for a relay: thousands of simulated gateways";
  table.synopsis = "--relay ADDR --group [SOURCE@]GROUP [OPTION]...";
  table.description =
      "Runs simulated gateways through the handshake of RFC 7450 (Request, Membership Query, Membership Update), "
      "counts "
      "what they receive, lets them leave, and reports handshakes and packets per second, losses, and percentiles of "
      "the latency of the handshake, of joining (Update to the first packet of the channel) and, on one machine, of "
      "the data. Packets of `amt send` are recognised by their numbers.\n\n"
      "All gateways come from one address unless several --local are given, so the relay's limits for one address have "
      "to be raised: --max-requests-per-address 0 --max-updates-per-address 0 --max-tunnels-per-address 100000.\n\n"
      "It is for a relay that one operates: an address that is neither of this host nor private is refused.";
  table.examples = {
      {"A thousand gateways watch one channel",
       "amt bench --relay 127.0.0.1 --gateways 1000 --group 10.1.0.1@232.1.1.1"},
      {"A join storm: each changes ten times a second among 100 channels",
       "amt bench --relay 10.0.0.1 --gateways 1000 --group 10.1.0.1@232.1.1.1 --channels 100 --zap 10"},
      {"How many handshakes a second the relay makes",
       "amt bench --relay 10.0.0.1 --gateways 10000 --group 239.1.1.1 --repeat handshakes --json"},
  };
  table.options.push_back({.name = "relay",
                           .value = "ADDR[:PORT]",
                           .group = "Relay",
                           .help = "the relay's address; port 2268 unless another is given",
                           .example = "10.0.0.1",
                           .required = true,
                           .apply = into(config.relay, parse_unicast_endpoint)});
  table.options.push_back({.name = "local",
                           .value = "ADDR",
                           .group = "Relay",
                           .help = "address of this host that gateways come from; several take turns",
                           .default_text = "the kernel's choice",
                           .example = "10.0.0.2",
                           .repeatable = true,
                           .apply = append_to(config.local, parse_unicast_address)});
  table.options.push_back({.name = "yes-it-is-mine",
                           .group = "Relay",
                           .help = "the relay is mine, though its address is a public one",
                           .apply = switch_on(config.is_mine)});
  add_load(table, config);
  table.options.push_back(
      {.name = "json", .group = "Output", .help = "one JSON object", .apply = switch_on(config.json)});
  table.finish = [&config] { return finish(config); };
  return table;
}

}  // namespace amt
