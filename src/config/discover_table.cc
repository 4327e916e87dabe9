#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

void add_relays(CommandTable& table, DiscoverConfig& config) {
  table.options.push_back({.name = "discovery",
                           .value = "ADDR[:PORT]",
                           .group = "Relays",
                           .help = "ask this address which relay to use, too (or alone, without SOURCE)",
                           .example = "192.52.193.1",
                           .repeatable = true,
                           .apply = append_to(config.discovery, parse_unicast_endpoint)});
  table.options.push_back({.name = "relay-port",
                           .value = "N",
                           .group = "Relays",
                           .help = "UDP port of relays where none is given",
                           .default_text = "2268",
                           .example = "2268",
                           .apply = number_into(config.relay_port, 1, 65535)});
  table.options.push_back({.name = "timeout",
                           .value = "S",
                           .group = "Relays",
                           .help = "how long one of the three tries of a message waits for its answer",
                           .default_text = "1",
                           .example = "500ms",
                           .apply = into(config.timeout, parse_duration)});
}

}  // namespace

CommandTable discover_table(DiscoverConfig& config) {
  CommandTable table;
  table.name = "discover";
  table.summary = "which relays there are for a source, and whether they answer";
  table.synopsis = "[OPTION]... [SOURCE]";
  table.description =
      "Looks up the relays that this network has (_amt._udp in its domains, DNS-SD) and those that the owner of SOURCE "
      "names in the DNS (AMTRELAY records, RFC 8777), asks each of them, and prints what they answer and how long that "
      "takes. Nothing is joined.\n\n"
      "Ends with status 0 when a relay would serve this host, else with 1. With --zone it asks nobody and prints the "
      "records that the owner of SOURCE should publish.";
  table.examples = {
      {"Why does this channel not come?", "amt discover 198.51.100.10"},
      {"The same for a channel, asking a given resolver",
       "amt discover --resolver 192.0.2.53 amt://198.51.100.10@232.1.1.1"},
      {"Is there a relay at the well-known address?", "amt discover --discovery 192.52.193.1"},
      {"Has this network a relay of its own?", "amt discover --dns-sd-domain example.net"},
      {"What to put into the DNS", "amt discover --zone 192.0.2.1 --zone relay.example.net 198.51.100.10"},
  };
  table.options.push_back({.name = "source",
                           .value = "SOURCE",
                           .help = "address of the multicast source, or amt://SOURCE@GROUP",
                           .example = "198.51.100.10",
                           .positional = true,
                           .apply = into(config.source, parse_source)});
  add_dns_options(table, config.dns);
  add_relays(table, config);
  table.options.push_back({.name = "zone",
                           .value = "ADDR|NAME",
                           .group = "Output",
                           .help = "print AMTRELAY records that name this relay, for the zone of SOURCE",
                           .example = "192.0.2.1",
                           .repeatable = true,
                           .apply = append_to(config.zone, parse_relay_host)});
  table.options.push_back(
      {.name = "json", .group = "Output", .help = "one JSON object", .apply = switch_on(config.json)});
  table.finish = [&config]() -> std::optional<std::string> {
    const bool asks_without = !config.discovery.empty() || !config.dns.service_domains.empty();
    if (!config.source && (!asks_without || !config.zone.empty())) {
      return "SOURCE is missing (example: amt discover 198.51.100.10, or amt discover --discovery 192.52.193.1)";
    }
    for (const RelayHost& relay : config.zone) {
      if (relay.port != 0) {
        return "--zone " + relay.to_string() + ": a record has no place for a port (example: --zone 192.0.2.1)";
      }
    }
    for (Endpoint& endpoint : config.discovery) {
      if (endpoint.port == 0) endpoint.port = config.relay_port;
    }
    finish_dns_choice(config.dns);
    return std::nullopt;
  };
  return table;
}

}  // namespace amt
