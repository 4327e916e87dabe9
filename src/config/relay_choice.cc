#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

// IANA, RFC 7450 §7.1: the anycast addresses of AMT relays.
constexpr IpAddress kRelayAnycastV4 = IpAddress::from_v4(0xc034c101);  // 192.52.193.1
constexpr IpAddress kRelayAnycastV6 =
    IpAddress::from_v6({std::byte{0x20}, std::byte{0x01}, std::byte{0x00}, std::byte{0x03}, std::byte{}, std::byte{},
                        std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{},
                        std::byte{}, std::byte{}, std::byte{0x01}});  // 2001:3::1

}  // namespace

void add_relay_choice_options(CommandTable& table, RelayChoice& choice) {
  table.options.push_back({.name = "relay",
                           .value = "ADDR|NAME[:PORT]",
                           .group = "Relay",
                           .help = "use this relay, without discovery; of several, the first that works; a name is "
                                   "looked up once, at the start",
                           .example = "192.0.2.1",
                           .repeatable = true,
                           .apply = append_to(choice.relays, parse_relay_host)});
  table.options.push_back(
      {.name = "discovery",
       .value = "ADDR[:PORT]",
       .group = "Relay",
       .help = "ask this address which relay to use (Relay Discovery)",
       .default_text = "without --relay: 192.52.193.1 and 2001:3::1, the well-known anycast addresses",
       .example = "192.52.193.1",
       .repeatable = true,
       .apply = append_to(choice.discovery, parse_unicast_endpoint)});
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
}

void finish_relay_choice(RelayChoice& choice) {
  if (choice.relays.empty() && choice.discovery.empty()) {
    for (const IpAddress& address : {kRelayAnycastV4, kRelayAnycastV6}) {
      if (!choice.local || choice.local->family() == address.family()) choice.discovery.push_back({address, 0});
    }
  }
  for (RelayHost& relay : choice.relays) {
    if (relay.port == 0) relay.port = choice.relay_port;
  }
  for (Endpoint& endpoint : choice.discovery) {
    if (endpoint.port == 0) endpoint.port = choice.relay_port;
  }
}

}  // namespace amt
