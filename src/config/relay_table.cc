#include <algorithm>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::uint64_t kBatchDelayMicrosecondsMax = 100'000;
// RFC 7450 §5.3.6: "The RECOMMENDED maximum interval is 2 hours."
constexpr std::uint64_t kSecretLifetimeSecondsMax = 7200;
constexpr std::uint64_t kFlowTimeoutSecondsMax = 86'400;

/// Whole seconds, 1 to `max`.
auto seconds_into(Duration& into, std::uint64_t max) {
  return [&into, max](std::string_view text) -> ValueResult<void> {
    const auto number = parse_number(text, 1, max);
    if (!number) return Unexpected<BadValue>(number.error());
    into = std::chrono::seconds(*number);
    return {};
  };
}

ValueResult<Endpoint> parse_collector(std::string_view text) {
  const ValueResult<Endpoint> endpoint = parse_unicast_endpoint(text);
  if (endpoint && endpoint->port == 0) return Unexpected<BadValue>(BadValue{"has no port; collectors listen on 4739"});
  return endpoint;
}

void add_addresses(CommandTable& table, RelayConfig& config) {
  table.options.push_back(
      {.name = "local",
       .value = "ADDR",
       .group = "Addresses",
       .help = "unicast address on which AMT is served and which Advertisements name; once per family",
       .default_text = "the address that the default route uses, per family",
       .example = "192.0.2.1",
       .repeatable = true,
       .apply = append_to(config.local, parse_unicast_address)});
  table.options.push_back({.name = "discovery",
                           .value = "ADDR",
                           .group = "Addresses",
                           .help = "further, usually anycast, address on which Relay Discovery is answered",
                           .default_text = "none",
                           .example = "192.52.193.1",
                           .repeatable = true,
                           .apply = append_to(config.discovery, parse_unicast_address)});
  const auto advertise = [&config](std::string_view text) -> ValueResult<void> {
    const ValueResult<IpAddress> address = parse_unicast_address(text);
    if (!address) return Unexpected<BadValue>(address.error());
    const auto same = [&](const IpAddress& one) { return one.family() == address->family(); };
    if (std::ranges::any_of(config.advertise, same)) {
      return Unexpected<BadValue>(BadValue{"the second address of its family; Advertisements name one of each"});
    }
    config.advertise.push_back(*address);
    return {};
  };
  table.options.push_back({.name = "advertise",
                           .value = "ADDR",
                           .group = "Addresses",
                           .help =
                               "address that Advertisements name in place of --local, where gateways know the relay by "
                               "one that this host does not have (behind 1:1 NAT, in a cloud); once per family",
                           .default_text = "the first --local of the family",
                           .example = "198.51.100.7",
                           .repeatable = true,
                           .apply = advertise});
  table.options.push_back({.name = "relay-port",
                           .value = "N",
                           .group = "Addresses",
                           .help = "UDP port",
                           .default_text = "2268",
                           .example = "2268",
                           .apply = number_into(config.relay_port, 1, 65535)});
}

void add_upstream(CommandTable& table, RelayConfig& config) {
  table.options.push_back({.name = "upstream",
                           .value = "IF",
                           .group = "Upstream",
                           .help =
                               "interface on which wanted groups are joined (IGMPv3, MLDv2) and from which they are "
                               "forwarded",
                           .example = "eth0",
                           .repeatable = true,
                           .completion = Completion::kInterface,
                           .apply = append_to(config.upstream, parse_interface_name)});
  table.options.push_back({.name = "interface",
                           .value = "NAME",
                           .group = "Upstream",
                           .help =
                               "router mode, in place of --upstream: pseudo-interface to create, to which a routing "
                               "daemon (smcroute, FRR) forwards what reports there ask for",
                           .default_text = "none",
                           .example = "amtr0",
                           .excludes = "upstream",
                           .apply = into(config.interface, parse_interface_name)});
  table.options.push_back({.name = "interface-address",
                           .value = "PREFIX",
                           .group = "Upstream",
                           .help = "address of that interface; reports come from its neighbour in the subnet",
                           .default_text = "198.18.0.1/30 and fe80::1/64, each unless one of its kind is given",
                           .example = "198.18.0.1/30",
                           .repeatable = true,
                           .apply = append_to(config.interface_addresses, parse_interface_address)});
  table.finish = [&config]() -> std::optional<std::string> {
    if (config.interface_addresses.empty() || config.interface) return std::nullopt;
    return "--interface-address " + config.interface_addresses.front().to_string() +
           ": needs --interface, whose address it is (example: --interface amtr0)";
  };
}

void add_protocol(CommandTable& table, RelayConfig& config) {
  table.options.push_back({.name = "query-interval",
                           .value = "S",
                           .group = "Protocol",
                           .help =
                               "seconds between a gateway's Requests, as Queries announce it; a silent gateway lives "
                               "for robustness times this and 10 s",
                           .default_text = "125",
                           .example = "125",
                           .apply = seconds_into(config.query_interval, kQueryIntervalSecondsMax)});
  table.options.push_back(
      {.name = "robustness",
       .value = "N",
       .group = "Protocol",
       .help = "robustness variable that Queries announce, 1 to 7: how often gateways repeat reports",
       .default_text = "2",
       .example = "2",
       .apply = number_into(config.robustness, 1, kRobustnessMax)});
  table.options.push_back({.name = "gateway-fields",
                           .value = "WHEN",
                           .group = "Protocol",
                           .help =
                               "whether Queries tell the gateway its address as seen here (G flag); auto leaves it out "
                               "towards gateways that are known to break on it",
                           .default_text = "auto",
                           .example = "auto",
                           .choices = {"auto", "always", "never"},
                           .apply = into(config.gateway_fields, parse_gateway_fields)});
  table.options.push_back({.name = "mtu",
                           .value = "N",
                           .group = "Protocol",
                           .help =
                               "path MTU to all gateways, in octets; link: what the relay's own link takes; auto: the "
                               "same, and less for a gateway whose path, asked after an ICMP message, says so",
                           .default_text = "auto",
                           .example = "1500",
                           .apply = into(config.mtu, parse_path_mtu)});
  table.options.push_back({.name = "min-mtu",
                           .value = "N",
                           .group = "Protocol",
                           .help =
                               "no path is taken for narrower than this, in octets, whatever it says; IPv6: at least "
                               "1280",
                           .default_text = "552 over IPv4, 1280 over IPv6",
                           .example = "1330",
                           .apply = number_into(config.mtu_min, kPathMtuMin, kPathMtuMax)});
  table.options.push_back(
      {.name = "tell-sources",
       .group = "Protocol",
       .help = "tell a source by ICMP what the narrow path of any one gateway does not take (RFC 7450); "
               "else sources are told only what the relay's own link or --mtu does not take",
       .apply = switch_on(config.tell_sources)});
  table.options.push_back({.name = "no-ecn",
                           .group = "Protocol",
                           .help = "never copy the inner ECN field to the outer header (RFC 9601, compatibility mode)",
                           .apply = switch_on(config.no_ecn)});
  table.options.push_back({.name = "strict",
                           .group = "Protocol",
                           .help = "refuse Updates whose inner datagram lacks the Router Alert option (VLC omits it)",
                           .apply = switch_on(config.strict)});
  table.options.push_back(
      {.name = "secret-file",
       .value = "FILE",
       .group = "Protocol",
       .help =
           "file with the secret for Response MACs, the same on all relays of one anycast address: any octets, or "
           "after a first line `# amt keys` up to 8 lines ID NOT-BEFORE KEY, of which the youngest signs and all are "
           "accepted; read again on reload",
       .default_text = "random, renewed after --secret-lifetime",
       .example = "/etc/amt/secret",
       .completion = Completion::kFile,
       .apply = into(config.secret_file, parse_path)});
  table.options.push_back(
      {.name = "secret-lifetime",
       .value = "S",
       .group = "Protocol",
       .help = "seconds until a random secret gives way to the next, at most 7200; gateways that report "
               "in time do not notice, and a secret from --secret-file never changes",
       .default_text = "7200",
       .example = "600",
       .apply = seconds_into(config.secret_lifetime, kSecretLifetimeSecondsMax)});
}

void add_data_path(CommandTable& table, RelayConfig& config) {
  table.options.push_back(
      {.name = "data-path",
       .value = "WAY",
       .group = "Data path",
       .help = "how data leaves: socket, by the kernel's UDP; xdp, as frames by AF_XDP where that is "
               "possible, at less cost for packets that come singly, but past this host's outgoing "
               "packet filter, queueing disciplines and IPsec; orders, as xdp, but the kernel makes the "
               "copies, at less cost still (needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN at the "
               "start); auto: socket",
       .default_text = "auto",
       .example = "xdp",
       .choices = {"auto", "socket", "xdp", "orders"},
       .apply = into(config.data_path, parse_data_path)});
  table.options.push_back(
      {.name = "batch-delay",
       .value = "US",
       .group = "Data path",
       .help = "the most, in microseconds, that a packet may wait for others of its channel when packets "
               "come faster than they go out: what leaves together costs less; 0 forbids it",
       .default_text = "2000",
       .example = "2000",
       .apply = [&into = config.batch_delay_max](std::string_view text) -> ValueResult<void> {
         const auto number = parse_number(text, 0, kBatchDelayMicrosecondsMax);
         if (!number) return Unexpected<BadValue>(number.error());
         into = std::chrono::microseconds(*number);
         return {};
       }});
}

/// Flow records for collectors.
void add_ipfix(CommandTable& table, RelayConfig& config) {
  table.options.push_back({.name = "ipfix",
                           .value = "ADDR:PORT",
                           .group = "Operation",
                           .help =
                               "send flow records (IPFIX, RFC 7011, over UDP) of each channel of each gateway to this "
                               "collector",
                           .default_text = "none",
                           .example = "192.0.2.9:4739",
                           .apply = into(config.ipfix, parse_collector)});
  table.options.push_back({.name = "ipfix-active-timeout",
                           .value = "S",
                           .group = "Operation",
                           .help = "a channel that goes on has a flow record so often, in seconds",
                           .default_text = "60",
                           .example = "60",
                           .apply = seconds_into(config.ipfix_active, kFlowTimeoutSecondsMax)});
  table.options.push_back({.name = "ipfix-idle-timeout",
                           .value = "S",
                           .group = "Operation",
                           .help = "a flow ends when nothing has come for so long, in seconds",
                           .default_text = "15",
                           .example = "15",
                           .apply = seconds_into(config.ipfix_idle, kFlowTimeoutSecondsMax)});
}

/// State from the relay before this one, and for the next one.
void add_hand_over(CommandTable& table, RelayConfig& config) {
  table.options.push_back({.name = "take-over",
                           .group = "Operation",
                           .help =
                               "take the place of the relay that runs behind --control, with its sockets, tunnels and "
                               "counters, without a gap in what gateways get; where none runs, start anew",
                           .apply = switch_on(config.take_over)});
  table.options.push_back(
      {.name = "state",
       .value = "FILE",
       .group = "Operation",
       .help = "keep tunnels, counters and the secret of Response MACs in this file, written anew every "
               "few seconds: a relay that starts within a minute after this one died goes on with them; "
               "made with mode 0600; best in a directory that a restart of the machine empties",
       .default_text = "none",
       .example = "/run/amt/relay.state",
       .completion = Completion::kFile,
       .apply = into(config.state, parse_path)});
  table.options.push_back(
      {.name = "descriptor-store",
       .group = "Operation",
       .help = "at the end give sockets and tunnels to systemd (FileDescriptorStoreMax=), for the relay "
               "that it starts next; it drops them where it starts none",
       .apply = switch_on(config.descriptor_store)});
}

}  // namespace

CommandTable relay_table(RelayConfig& config) {
  CommandTable table;
  table.name = "relay";
  table.summary = "serve multicast to gateways";
  table.synopsis = "[OPTION]...";
  table.description =
      "Answers AMT gateways (RFC 7450), joins the groups that they want on the upstream interface, and sends them what "
      "arrives there. In router mode (--interface) a routing daemon on this host does the joining: it finds what is "
      "wanted as IGMPv3 and MLDv2 reports on a pseudo-interface, and what it forwards there is sent to gateways.\n\n"
      "Capturing multicast needs the capability CAP_NET_RAW, router mode CAP_NET_ADMIN. One log line with the word "
      "\"ready\" says when gateways are served.";
  table.examples = {
      {"Serve what eth0 receives, on this host's own addresses", "amt relay --upstream eth0"},
      {"The same on given addresses of both families",
       "amt relay --local 192.0.2.1 --local 2001:db8::1 --upstream eth0"},
      {"Behind FRR's pimd, with `interface amtr0` and `ip igmp` in its configuration", "amt relay --interface amtr0"},
      {"With options from a file", "amt relay --config /etc/amt/relay.toml"},
      {"In the place of the relay that runs now, after an upgrade or with other options",
       "amt relay --config /etc/amt/relay.toml --take-over"},
  };
  add_upstream(table, config);
  add_addresses(table, config);
  add_protocol(table, config);
  add_relay_limits(table, config);
  add_data_path(table, config);
  table.options.push_back({.name = "workers",
                           .value = "N",
                           .group = "Operation",
                           .help = "threads among which the gateways are divided, 1 to 256; router mode has one",
                           .default_text = "one for each processor",
                           .example = "4",
                           .apply = number_into(config.workers, 1, kWorkersMax)});
  table.options.push_back({.name = "events",
                           .value = "FILE",
                           .group = "Operation",
                           .help = "append one JSON object a line for each tunnel and channel that begins or ends, for "
                                   "refusals and for changes upstream; - for standard output; opened anew on SIGHUP",
                           .default_text = "none",
                           .example = "/var/log/amt/events.json",
                           .completion = Completion::kFile,
                           .apply = into(config.events, parse_path)});
  add_ipfix(table, config);
  table.options.push_back({.name = "announce",
                           .value = "COMMAND",
                           .group = "Operation",
                           .help =
                               "program that is run with ready, unhealthy, drain or stop as its argument whenever that "
                               "changes, to announce and withdraw the route to the anycast address",
                           .default_text = "none",
                           .example = "/etc/amt/announce",
                           .completion = Completion::kFile,
                           .apply = into(config.announce, parse_path)});
  add_hand_over(table, config);
  add_observe_options(table, config.observe, "relay");
  mark_reloadable(table, {"upstream", "local", "discovery", "advertise", "strict", "no-ecn", "secret-file",
                          "batch-delay", "events"});
  return table;
}

}  // namespace amt
