#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

// A relay of any size stays below these; they are here so that a slip of the hand is no out-of-memory.
constexpr std::uint64_t kTunnelsMax = 10'000'000;
constexpr std::uint64_t kGroupsMax = 1'000'000;
constexpr std::uint64_t kSourcesMax = 100'000;
constexpr std::uint64_t kChannelsMax = 10'000'000;
constexpr std::uint64_t kUnreachableMax = 250;
constexpr std::uint64_t kPerSecondMax = 10'000'000;

}  // namespace

void add_relay_limits(CommandTable& table, RelayConfig& config) {
  table.options.push_back({.name = "max-tunnels",
                           .value = "N",
                           .group = "Limits",
                           .help = "gateways in all",
                           .default_text = "100000",
                           .example = "100000",
                           .apply = number_into(config.tunnels_max, 1, kTunnelsMax)});
  table.options.push_back(
      {.name = "max-tunnels-per-address",
       .value = "N",
       .group = "Limits",
       .help = "gateways that share one address (behind one NAT), or one /64 in IPv6; a /24 of IPv4 may "
               "have 64 times as many, a /56 4 times, a /48 16 times; as the relay fills, those who have most may have "
               "less",
       .default_text = "256",
       .example = "256",
       .apply = number_into(config.tunnels_per_address_max, 1, kTunnelsMax)});
  table.options.push_back({.name = "max-groups",
                           .value = "N",
                           .group = "Limits",
                           .help = "groups of one gateway",
                           .default_text = "512",
                           .example = "512",
                           .apply = number_into(config.groups_max, 1, kGroupsMax)});
  table.options.push_back({.name = "max-sources",
                           .value = "N",
                           .group = "Limits",
                           .help = "sources of one group of one gateway",
                           .default_text = "128",
                           .example = "128",
                           .apply = number_into(config.sources_max, 1, kSourcesMax)});
  table.options.push_back({.name = "max-channels",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "different channels, (S,G) and (*,G), that are asked for upstream in all; as they run "
                               "out, those who have most get no new ones",
                           .default_text = "16384",
                           .example = "16384",
                           .apply = number_into(config.channels_max, 1, kChannelsMax)});
  table.options.push_back({.name = "max-channels-per-address",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "channels over all gateways that share one address, or one /64 in IPv6; one that two "
                               "of them watch counts twice, and a blocked source counts too; a /24 of IPv4 may have "
                               "64 times as many, a /56 4 times, a /48 16 times",
                           .default_text = "4096",
                           .example = "4096",
                           .apply = number_into(config.channels_per_address_max, 1, kChannelsMax)});
  table.options.push_back({.name = "allow-group",
                           .value = "PREFIX",
                           .group = "Limits",
                           .help = "groups that gateways may ask for",
                           .default_text = "all but link scope",
                           .example = "232.0.0.0/8",
                           .repeatable = true,
                           .apply = append_to(config.allowed_groups, parse_multicast_prefix)});
  table.options.push_back({.name = "max-unreachable",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "ICMP Destination Unreachable in a row that a gateway's tunnel outlives, 1 to 250; the "
                               "next ends it, not sooner than 3 s after the first",
                           .default_text = "8",
                           .example = "8",
                           .apply = number_into(config.unreachable_max, 1, kUnreachableMax)});
  table.options.push_back({.name = "max-requests-per-address",
                           .value = "N",
                           .group = "Limits",
                           .help = "Requests a second from one gateway, and a quarter more from one address (IPv6: one "
                                   "/64); 0 for no limit, and then --max-answers has none unless it is given",
                           .default_text = "200",
                           .example = "200",
                           .apply = number_into(config.requests_per_second_max, 0, kPerSecondMax)});
  table.options.push_back({.name = "max-discoveries-per-address",
                           .value = "N",
                           .group = "Limits",
                           .help = "Relay Discoveries a second likewise, 0 for no limit",
                           .default_text = "100",
                           .example = "100",
                           .apply = number_into(config.discoveries_per_second_max, 0, kPerSecondMax)});
  table.options.push_back({.name = "max-answers-per-prefix",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "Requests and Discoveries a second from one /24 (IPv6: one /48) that are answered to "
                               "gateways without a tunnel, 0 for no limit: their addresses may be forged",
                           .default_text = "1000",
                           .example = "1000",
                           .apply = number_into(config.answers_per_prefix_max, 0, kPerSecondMax)});
  table.options.push_back({.name = "max-answers",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "the same in all; networks of which gateways are known go first, then those that were "
                               "quiet",
                           .default_text = "5000",
                           .example = "5000",
                           .apply = number_into(config.answers_max, 0, kPerSecondMax)});
  table.options.push_back({.name = "max-updates-per-address",
                           .value = "N",
                           .group = "Limits",
                           .help =
                               "Membership Updates a second from one address (IPv6: one /64), 0 for no limit; a large "
                               "one counts for each 64 records and sources that it touches",
                           .default_text = "1000",
                           .example = "1000",
                           .apply = number_into(config.updates_per_second_max, 0, kPerSecondMax)});
  table.options.push_back({.name = "max-tunnel-rate",
                           .value = "BITS/S",
                           .group = "Limits",
                           .help =
                               "bits a second that are sent to one gateway, outer headers included (k, M, G); what is "
                               "above that is dropped",
                           .default_text = "no limit",
                           .example = "20M",
                           .apply = into(config.tunnel_bits_per_second_max, parse_bit_rate)});
  table.options.push_back({.name = "max-rate",
                           .value = "BITS/S",
                           .group = "Limits",
                           .help = "the same for all gateways together",
                           .default_text = "no limit",
                           .example = "8G",
                           .apply = into(config.bits_per_second_max, parse_bit_rate)});
  for (OptionSpec& option : table.options) option.on_reload = option.on_reload || option.group == "Limits";
}

}  // namespace amt
