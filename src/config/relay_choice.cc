#include <algorithm>
#include <array>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

ValueResult<std::vector<DiscoverWay>> parse_discover_order(std::string_view text) {
  constexpr std::string_view kProblem = "must name one or more of dnssd, driad and anycast, with a comma between";
  constexpr std::array<std::pair<std::string_view, DiscoverWay>, 3> kWays{
      {{"dnssd", DiscoverWay::kDnsSd}, {"driad", DiscoverWay::kDriad}, {"anycast", DiscoverWay::kAnycast}}};
  std::vector<DiscoverWay> order;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const auto* const way = std::ranges::find_if(kWays, [&](const auto& one) { return one.first == word; });
    const bool known = way != kWays.end();
    if (!known || std::ranges::find(order, way->second) != order.end()) {
      return Unexpected<BadValue>({std::string(kProblem)});
    }
    order.push_back(way->second);
  }
  return order;
}

}  // namespace

void add_relay_choice_options(CommandTable& table, RelayChoice& choice) {
  table.options.push_back(
      {.name = "relay",
       .value = "ADDR|NAME[:PORT]",
       .group = "Relay",
       .help = "use this relay, without discovery; several are asked a quarter of a second apart, and "
               "the first that answers is used; a name is looked up at the start and again every five minutes",
       .example = "192.0.2.1",
       .repeatable = true,
       .apply = append_to(choice.relays, parse_relay_host)});
  table.options.push_back({.name = "discovery",
                           .value = "ADDR[:PORT]",
                           .group = "Relay",
                           .help = "ask this address which relay to use (Relay Discovery)",
                           .default_text = "without --relay too, relays are found by --discover-order",
                           .example = "192.52.193.1",
                           .repeatable = true,
                           .apply = append_to(choice.discovery, parse_unicast_endpoint)});
  table.options.push_back(
      {.name = "discover-order",
       .value = "WAYS",
       .group = "Relay",
       .help = "how relays are found when none is named: dnssd (this network names its own, _amt._udp in its domains), "
               "driad (the DNS names relays for a source, RFC 8777), anycast (192.52.193.1 and 2001:3::1)",
       .default_text = "dnssd,driad,anycast",
       .example = "driad,anycast",
       .apply = into(choice.discover_order, parse_discover_order)});
  table.options.push_back({.name = "relay-port",
                           .value = "N",
                           .group = "Relay",
                           .help = "UDP port of relays where none is given",
                           .default_text = "2268",
                           .example = "2268",
                           .apply = number_into(choice.relay_port, 1, 65535)});
  table.options.push_back({.name = "local",
                           .value = "ADDR",
                           .group = "Relay",
                           .help = "address that the tunnel leaves from",
                           .default_text = "the one that the route to the relay uses",
                           .example = "198.51.100.7",
                           .apply = into(choice.local, parse_unicast_address)});
  table.options.push_back({.name = "gateway-port",
                           .value = "N",
                           .group = "Relay",
                           .help = "UDP port that the tunnel leaves from, 0 for one that stays over restarts",
                           .default_text = "0",
                           .example = "2268",
                           .apply = number_into(choice.gateway_port, 0, 65535)});
  table.options.push_back({.name = "no-ecn",
                           .group = "Relay",
                           .help = "do not ask the relay to carry congestion marks (ECN) over the tunnel",
                           .apply = switch_on(choice.no_ecn)});
  const auto native = [&choice](std::string_view text) -> ValueResult<void> {
    choice.native = true;
    if (text.empty()) return {};
    return into(choice.native_interface, parse_interface_name)(text);
  };
  table.options.push_back({.name = "native",
                           .value = "IF",
                           .value_optional = true,
                           .group = "Relay",
                           .help =
                               "try the local network first: join natively, too, on the interface IF (without it: on "
                               "the one that the route to the source uses), and let the tunnel go while "
                               "something comes that way",
                           .default_text = "off",
                           .example = "eth0",
                           .completion = Completion::kInterface,
                           .apply = native});
  add_dns_options(table, choice.dns);
}

void finish_relay_choice(RelayChoice& choice) {
  finish_dns_choice(choice.dns);
  for (RelayHost& relay : choice.relays) {
    if (relay.port == 0) relay.port = choice.relay_port;
  }
  for (Endpoint& endpoint : choice.discovery) {
    if (endpoint.port == 0) endpoint.port = choice.relay_port;
  }
}

}  // namespace amt
