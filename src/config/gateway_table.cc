#include <algorithm>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

// RFC 8200 §5: below this the kernel takes IPv6 from the interface.
constexpr std::uint64_t kInterfaceMtuMin = 1280;
// The largest datagram of one TUN read or write.
constexpr std::uint64_t kInterfaceMtuMax = 65535;

void add_lans(CommandTable& table, GatewayConfig& config) {
  table.options.push_back({.name = "downstream",
                           .value = "IF",
                           .group = "LANs",
                           .help =
                               "also serve the hosts of the LAN on IF: ask them what they want (IGMP and MLD querier) "
                               "and send it there; needs CAP_NET_RAW besides CAP_NET_ADMIN",
                           .default_text = "none",
                           .example = "eth1",
                           .repeatable = true,
                           .completion = Completion::kInterface,
                           .apply = append_to(config.downstream, parse_interface_name)});
  table.options.push_back({.name = "forward-always",
                           .group = "LANs",
                           .help =
                               "send to a LAN also while another querier is elected there; right when that is a switch "
                               "or a router that does not bring the same multicast, else everything arrives twice",
                           .apply = switch_on(config.forward_always)});
  const auto seconds = [&config](std::string_view text) -> ValueResult<void> {
    const auto number = parse_number(text, 1, kQueryIntervalSecondsMax);
    if (!number) return Unexpected<BadValue>(number.error());
    config.query_interval = std::chrono::seconds(*number);
    return {};
  };
  table.options.push_back({.name = "query-interval",
                           .value = "S",
                           .group = "LANs",
                           .help = "seconds between the queries that hosts on the LANs are sent",
                           .default_text = "125",
                           .example = "125",
                           .apply = seconds});
  table.options.push_back({.name = "robustness",
                           .value = "N",
                           .group = "LANs",
                           .help = "robustness variable of those queries, 1 to 7: how many losses in a row do no harm",
                           .default_text = "2",
                           .example = "2",
                           .apply = number_into(config.robustness, 1, kRobustnessMax)});
}

/// What a gateway takes from the one before it, and leaves for the next.
void add_hand_over(CommandTable& table, GatewayConfig& config) {
  table.options.push_back({.name = "take-over",
                           .group = "Operation",
                           .help =
                               "take the place of the gateway that runs behind --control, with its interface, tunnels "
                               "and what hosts want, without a gap in what they get; where none runs, start anew",
                           .apply = switch_on(config.take_over)});
  table.options.push_back(
      {.name = "descriptor-store",
       .group = "Operation",
       .help = "at the end give interface, sockets and tunnels to systemd (FileDescriptorStoreMax=), for the gateway "
               "that it starts next; it drops them where it starts none",
       .apply = switch_on(config.descriptor_store)});
}

}  // namespace

CommandTable gateway_table(GatewayConfig& config) {
  CommandTable table;
  table.name = "gateway";
  table.summary = "receive multicast through a relay, on an interface of this host";
  table.synopsis = "[OPTION]...";
  table.description =
      "Creates a network interface. What applications join on it is asked of an AMT relay (RFC 7450), and arrives on "
      "it as "
      "ordinary multicast. Routes lead source-specific groups to it, so that most applications need no interface "
      "option. With --downstream it also is the multicast router of the LANs named there (an RFC 4605 proxy).\n\n"
      "Needs the capability CAP_NET_ADMIN, with --downstream or --native also CAP_NET_RAW. The interface is gone when "
      "the program "
      "ends. To receive one channel without "
      "privileges and without an interface, see amt receive.";
  table.examples = {
      {"Through a given relay, on the interface amt0", "amt gateway --relay 192.0.2.1"},
      {"For all hosts of the LAN on eth1, too", "amt gateway --relay 192.0.2.1 --downstream eth1"},
      {"The same through a bridge", "amt gateway --relay 192.0.2.1 --tap --bridge br0"},
      {"Natively on eth0 what comes there, the rest through relays that the DNS names", "amt gateway --native=eth0"},
      {"Through the nearest public relay, any multicast", "amt gateway --route 224.0.0.0/4 --route ff00::/8"},
      {"In the place of the gateway that runs now, after an upgrade or with other options",
       "amt gateway --config /etc/amt/gateway.toml --take-over"},
  };
  add_relay_choice_options(table, config.relay);
  table.options.push_back({.name = "interface",
                           .value = "NAME",
                           .group = "Interface",
                           .help = "name of the interface that is created",
                           .default_text = "amt0",
                           .example = "amt0",
                           .apply = into(config.interface, parse_interface_name)});
  table.options.push_back({.name = "tap",
                           .group = "Interface",
                           .help =
                               "make it an Ethernet (TAP) interface, which can be a port of a bridge; hosts behind the "
                               "bridge are asked what they want (IGMP and MLD querier)",
                           .apply = switch_on(config.tap)});
  table.options.push_back({.name = "bridge",
                           .value = "BR",
                           .group = "Interface",
                           .help = "with --tap: make the interface a port of the bridge BR",
                           .default_text = "none",
                           .example = "br0",
                           .completion = Completion::kInterface,
                           .apply = into(config.bridge, parse_interface_name)});
  table.options.push_back({.name = "address",
                           .value = "PREFIX",
                           .group = "Interface",
                           .help = "address of the interface, for programs that choose an interface by its address",
                           .default_text = "192.0.0.8/32 (RFC 7600) unless another interface has it; none with --tap",
                           .example = "198.18.0.1/32",
                           .repeatable = true,
                           .apply = append_to(config.addresses, parse_own_address)});
  table.options.push_back({.name = "mtu",
                           .value = "N",
                           .group = "Interface",
                           .help = "MTU of the interface, in octets",
                           .default_text = "1500",
                           .example = "1500",
                           .apply = number_into(config.mtu_octets, kInterfaceMtuMin, kInterfaceMtuMax)});
  table.options.push_back({.name = "route",
                           .value = "PREFIX",
                           .group = "Interface",
                           .help = "groups that are routed to the interface",
                           .default_text = "232.0.0.0/8 and ff3e::/32",
                           .example = "232.0.0.0/8",
                           .repeatable = true,
                           .excludes = "no-route",
                           .apply = append_to(config.routes, parse_multicast_prefix)});

  table.options.push_back({.name = "no-route",
                           .group = "Interface",
                           .help = "make no routes; applications must name the interface",
                           .excludes = "route",
                           .apply = switch_on(config.no_route)});
  add_lans(table, config);
  add_hand_over(table, config);
  add_observe_options(table, config.observe, "gateway");
  table.finish = [&config]() -> std::optional<std::string> {
    finish_relay_choice(config.relay);
    const std::optional<std::string>& native = config.relay.native_interface;
    if (native && *native == config.interface) {
      return "--native=" + *native + ": is the gateway's own interface; name one that native multicast may arrive on";
    }
    if (native && std::ranges::find(config.downstream, *native) != config.downstream.end()) {
      return "--native=" + *native + ": is a downstream, too; what comes from a LAN does not go back to it";
    }
    if (config.bridge && !config.tap) {
      return "--bridge " + *config.bridge + ": needs --tap, an interface of IP datagrams cannot be a bridge's port";
    }
    if (config.routes.empty() && !config.no_route) {
      config.routes = {*Prefix::parse("232.0.0.0/8"), *Prefix::parse("ff3e::/32")};
    }
    return std::nullopt;
  };
  return table;
}

}  // namespace amt
