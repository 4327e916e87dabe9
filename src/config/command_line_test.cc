#include "config/command_line.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace amt {
namespace {

/// Words separated by blanks.
std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

template <typename Config>
Config parsed(const std::string& line) {
  const auto result = parse_command_line(words(line));
  EXPECT_TRUE(result.has_value()) << result.error().standard_error;
  return result ? std::get<Config>(result->command) : Config{};
}

/// The message of a usage error; checks what holds of all of them.
std::string complaint(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments);
  if (result) return "accepted";
  EXPECT_EQ(result.error().status, 2);
  EXPECT_EQ(result.error().standard_output, "");
  const std::string& message = result.error().standard_error;
  EXPECT_TRUE(message.ends_with('\n'));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
  return message.substr(0, message.size() - 1);
}
std::string complaint(const std::string& line) { return complaint(words(line)); }

TEST(CommandLine, ReadsEveryOptionOfTheRelay) {
  const auto relay = parsed<RelayConfig>(
      "relay --local 192.0.2.1 --local 2001:db8::1 --discovery 192.52.193.1 --upstream eth0 --upstream eth1 --strict "
      "--relay-port 3000 --max-tunnels 9 --max-tunnels-per-address 8 --max-groups 7 --max-sources 6 "
      "--max-channels 5 --max-channels-per-address 4 --allow-group 232.0.0.0/8 --allow-group ff3e::/32 --max-answers 3 "
      "--max-answers-per-prefix 2 --max-requests-per-address 5 --max-discoveries-per-address 0 --query-interval 31744 "
      "--robustness 7 "
      "--gateway-fields never --batch-delay 0 --max-tunnel-rate 20M --max-rate 1.5G --secret-file s --secret-lifetime "
      "600 --workers 3 --control c");
  EXPECT_EQ(relay.local, (std::vector{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")}));
  EXPECT_EQ(relay.discovery, std::vector{*IpAddress::parse("192.52.193.1")});
  EXPECT_EQ(relay.upstream, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_TRUE(relay.strict);
  EXPECT_EQ(relay.relay_port, 3000);
  EXPECT_EQ(relay.tunnels_max, 9u);
  EXPECT_EQ(relay.tunnels_per_address_max, 8u);
  EXPECT_EQ(relay.groups_max, 7u);
  EXPECT_EQ(relay.sources_max, 6u);
  EXPECT_EQ(relay.channels_max, 5u);
  EXPECT_EQ(relay.channels_per_address_max, 4u);
  EXPECT_EQ(relay.allowed_groups, (std::vector{*Prefix::parse("232.0.0.0/8"), *Prefix::parse("ff3e::/32")}));
  EXPECT_EQ(relay.answers_max, 3u);
  EXPECT_EQ(relay.answers_per_prefix_max, 2u);
  EXPECT_EQ(relay.requests_per_second_max, 5u);
  EXPECT_EQ(relay.discoveries_per_second_max, 0u);
  EXPECT_EQ(relay.query_interval, std::chrono::seconds(31744));
  EXPECT_EQ(relay.robustness, 7);
  EXPECT_EQ(relay.gateway_fields, GatewayFields::kNever);
  EXPECT_EQ(relay.batch_delay_max, Duration::zero());
  EXPECT_EQ(relay.tunnel_bits_per_second_max, 20'000'000u);
  EXPECT_EQ(relay.bits_per_second_max, 1'500'000'000u);
  EXPECT_EQ(relay.secret_file, "s");
  EXPECT_EQ(relay.secret_lifetime, std::chrono::seconds(600));
  EXPECT_EQ(relay.workers, 3u);
  EXPECT_EQ(relay.observe.control, "c");
}

TEST(CommandLine, GivesTheDefaultsThatTheHelpNames) {
  const auto relay = parsed<RelayConfig>("relay");
  EXPECT_EQ(relay.relay_port, 2268);
  EXPECT_EQ(relay.query_interval, std::chrono::seconds(125));
  EXPECT_EQ(relay.robustness, 2);
  EXPECT_FALSE(relay.strict);
  EXPECT_EQ(relay.batch_delay_max, std::chrono::microseconds(2000));
  EXPECT_EQ(relay.tunnel_bits_per_second_max, std::nullopt);
  EXPECT_EQ(relay.bits_per_second_max, std::nullopt);
  const auto gateway = parsed<GatewayConfig>("gateway");
  EXPECT_EQ(gateway.interface, "amt0");
  ASSERT_EQ(gateway.routes.size(), 2u);
  EXPECT_EQ(gateway.routes[0].to_string(), "232.0.0.0/8");
  EXPECT_EQ(gateway.routes[1].to_string(), "ff3e::/32");
  // Nobody is named: relays are found.
  EXPECT_TRUE(gateway.relay.relays.empty());
  EXPECT_TRUE(gateway.relay.discovery.empty());
  EXPECT_EQ(gateway.relay.discover_order,
            (std::vector{DiscoverWay::kDnsSd, DiscoverWay::kDriad, DiscoverWay::kAnycast}));
  EXPECT_EQ(gateway.relay.dns.dnssec, Dnssec::kPrefer);
}

TEST(CommandLine, TakesTheOrderOfTheWaysToARelay) {  // D-3.1.2-a
  const auto receive = parsed<ReceiveConfig>(
      "receive amt://239.1.1.1 --discover-order anycast,driad --resolver 192.0.2.53 --dnssec require --trust-anchor k");
  EXPECT_EQ(receive.relay.discover_order, (std::vector{DiscoverWay::kAnycast, DiscoverWay::kDriad}));
  EXPECT_EQ(receive.relay.dns.resolvers, (std::vector{Endpoint{*IpAddress::parse("192.0.2.53"), 53}}));
  EXPECT_EQ(receive.relay.dns.dnssec, Dnssec::kRequire);
  EXPECT_EQ(receive.relay.dns.trust_anchor, "k");
  EXPECT_EQ(parsed<GatewayConfig>("gateway --discover-order driad").relay.discover_order,
            std::vector{DiscoverWay::kDriad});
  EXPECT_EQ(parsed<GatewayConfig>("gateway --discover-order anycast,dnssd").relay.discover_order,
            (std::vector{DiscoverWay::kAnycast, DiscoverWay::kDnsSd}));
  for (const char* order : {"driad,driad", "dnssd,mdns", "anycast,", "dns", "driad,,anycast"}) {
    EXPECT_NE(complaint(std::string("gateway --discover-order ") + order).find("driad and anycast"), std::string::npos)
        << order;
  }
}

TEST(CommandLine, TakesDomainsForDnsSd) {  // D-3.1.2-e
  const auto receive =
      parsed<ReceiveConfig>("receive amt://239.1.1.1 --dns-sd-domain example.net. --dns-sd-domain corp.example");
  EXPECT_EQ(receive.relay.dns.service_domains, (std::vector<std::string>{"example.net", "corp.example"}));
  EXPECT_EQ(parsed<DiscoverConfig>("discover --dns-sd-domain example.net").dns.service_domains.size(), 1u);
  for (const char* domain : {"192.0.2.1", "example.net:53", "a..b", "2001:db8::1", "."}) {
    EXPECT_NE(complaint(std::string("gateway --dns-sd-domain ") + domain).find("is no domain name"), std::string::npos)
        << domain;
  }
}

TEST(CommandLine, FillsInTheRelaysPortWhateverTheOrder) {
  const auto gateway = parsed<GatewayConfig>(
      "gateway --relay 192.0.2.1 --relay-port 99 --relay [2001:db8::1]:7 --relay 192.0.2.2:8 --discovery 2001:db8::9 "
      "--local 198.51.100.7 --gateway-port 5 --no-route");
  ASSERT_EQ(gateway.relay.relays.size(), 3u);
  EXPECT_EQ(gateway.relay.relays[0].to_string(), "192.0.2.1:99");
  EXPECT_EQ(gateway.relay.relays[1].to_string(), "[2001:db8::1]:7");
  EXPECT_EQ(gateway.relay.relays[2].to_string(), "192.0.2.2:8");
  ASSERT_EQ(gateway.relay.discovery.size(), 1u);
  EXPECT_EQ(gateway.relay.discovery[0].to_string(), "[2001:db8::9]:99");
  EXPECT_EQ(gateway.relay.local, IpAddress::parse("198.51.100.7"));
  EXPECT_EQ(gateway.relay.gateway_port, 5);
  EXPECT_TRUE(gateway.no_route);
  EXPECT_TRUE(gateway.routes.empty());
}

TEST(CommandLine, ReadsReceive) {
  const auto receive = parsed<ReceiveConfig>(
      "receive --relay 192.0.2.1 amt://198.51.100.10@232.1.1.1:5001 -o udp://127.0.0.1:9 --count 3 --duration 1.5 "
      "--timeout 500ms --stats json --verify -q");
  EXPECT_EQ(receive.urls.front().channel.to_string(), "198.51.100.10@232.1.1.1");
  EXPECT_EQ(receive.urls.front().port, 5001);
  EXPECT_EQ(receive.output->kind, ReceiveOutput::Kind::kUdp);
  EXPECT_EQ(receive.output->endpoint.to_string(), "127.0.0.1:9");
  EXPECT_EQ(receive.count, 3u);
  EXPECT_EQ(receive.duration, std::chrono::milliseconds(1500));
  EXPECT_EQ(receive.timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(receive.stats, StatsFormat::kJson);
  EXPECT_TRUE(receive.verify);
  EXPECT_TRUE(receive.quiet);
  EXPECT_EQ(parsed<ReceiveConfig>("receive 239.1.1.1 -o -").output->kind, ReceiveOutput::Kind::kStandardOutput);
  EXPECT_EQ(parsed<ReceiveConfig>("receive -o=a 239.1.1.1").output->kind, ReceiveOutput::Kind::kFile);
  EXPECT_FALSE(parsed<ReceiveConfig>("receive amt://239.1.1.1").output);
}

TEST(CommandLine, ReceivesSeveralChannelsIntoAFolder) {
  const auto receive = parsed<ReceiveConfig>(
      "receive amt://198.51.100.10@232.1.1.1:5001 -o recordings amt://198.51.100.10@232.1.1.2:5001?relay=192.0.2.1 "
      "amt://198.51.100.10@232.1.1.1:5001");
  ASSERT_EQ(receive.urls.size(), 2U);  // one was given twice
  EXPECT_EQ(receive.urls[1].channel.to_string(), "198.51.100.10@232.1.1.2");
  EXPECT_EQ(receive.urls[1].relay->to_string(), "192.0.2.1:2268");
  EXPECT_EQ(receive.output->path, "recordings");
  EXPECT_EQ(parsed<ReceiveConfig>("receive --verify 239.1.1.1 239.1.1.2").urls.size(), 2U);
  const std::string several = "amt receive: --output: several channels need a folder";
  for (const char* const command : {"receive 239.1.1.1 239.1.1.2", "receive 239.1.1.1 239.1.1.2 -o -",
                                    "receive -o udp://127.0.0.1:9 239.1.1.1 239.1.1.2"}) {
    EXPECT_TRUE(complaint(command).starts_with(several)) << complaint(command);
  }
}

TEST(CommandLine, NativeTakesAnInterfaceOrChoosesOne) {
  const auto chosen = parsed<ReceiveConfig>("receive --native amt://198.51.100.10@232.1.2.3:5000");
  EXPECT_TRUE(chosen.relay.native);
  EXPECT_FALSE(chosen.relay.native_interface);
  EXPECT_EQ(chosen.urls.front().port, 5000);
  const auto named = parsed<ReceiveConfig>("receive amt://198.51.100.10@232.1.2.3:5000 --native=eth0");
  EXPECT_TRUE(named.relay.native);
  EXPECT_EQ(named.relay.native_interface, "eth0");
  EXPECT_FALSE(parsed<GatewayConfig>("gateway").relay.native);
  EXPECT_TRUE(parsed<GatewayConfig>("gateway --native --tap").relay.native);
  EXPECT_EQ(parsed<GatewayConfig>("gateway --native=eth0").relay.native_interface, "eth0");
  EXPECT_EQ(parsed<GatewayConfig>("gateway --native eth0 --tap").relay.native_interface, "eth0");
  EXPECT_EQ(complaint("receive --native amt://198.51.100.10@232.1.2.3"),
            "amt receive: --native: the channel needs its UDP port (example: amt://198.51.100.10@232.1.1.1:5001)");
  EXPECT_EQ(complaint("gateway --native=a/b").substr(0, 27), "amt gateway: --native a/b: ");
  EXPECT_EQ(complaint("gateway --native=amt0").substr(0, 37), "amt gateway: --native=amt0: is the ga");
  EXPECT_EQ(complaint("gateway --native=eth1 --downstream eth1").substr(0, 37),
            "amt gateway: --native=eth1: is a down");
  EXPECT_EQ(complaint("gateway --native=eth0 --native=eth1").substr(0, 27), "amt gateway: --native eth1:");
}

TEST(CommandLine, DiscoverTakesASourceOrAnAddressToAsk) {
  const auto by_source = parsed<DiscoverConfig>("discover amt://198.51.100.10@232.1.1.1 --resolver 192.0.2.53");
  EXPECT_EQ(by_source.source, IpAddress::parse("198.51.100.10"));
  EXPECT_EQ(by_source.dns.resolvers, (std::vector{Endpoint{*IpAddress::parse("192.0.2.53"), 53}}));
  EXPECT_EQ(by_source.dns.dnssec, Dnssec::kPrefer);
  EXPECT_EQ(parsed<DiscoverConfig>("discover [2001:db8::a]").source, IpAddress::parse("2001:db8::a"));
  const auto by_address = parsed<DiscoverConfig>("discover --discovery 192.0.2.1 --relay-port 7 --dnssec off");
  EXPECT_EQ(by_address.discovery, (std::vector{Endpoint{*IpAddress::parse("192.0.2.1"), 7}}));
  EXPECT_EQ(by_address.dns.dnssec, Dnssec::kOff);
}

TEST(CommandLine, DiscoverSaysWhatItMisses) {
  EXPECT_NE(complaint("discover").find("SOURCE is missing"), std::string::npos);
  EXPECT_NE(complaint("discover --zone 192.0.2.1").find("SOURCE is missing"), std::string::npos);
  EXPECT_NE(complaint("discover --zone 192.0.2.1:7 198.51.100.10").find("no place for a port"), std::string::npos);
  EXPECT_NE(complaint("discover 232.1.1.1").find("a multicast address cannot be used here"), std::string::npos);
  EXPECT_NE(complaint("discover 239.1.1.1").find("names a group and no source"), std::string::npos);
  EXPECT_NE(complaint("discover 198.51.100.10 --dnssec maybe").find("--dnssec maybe"), std::string::npos);
}

TEST(CommandLine, ReadsSendStatusAndDemo) {
  const auto send =
      parsed<SendConfig>("send [ff3e::1]:5001 --interface eth0 --ttl 3 --rate 1.5M --size 200 --count 9 -");
  EXPECT_EQ(send.group.to_string(), "[ff3e::1]:5001");
  EXPECT_EQ(send.interface, "eth0");
  EXPECT_EQ(send.ttl, 3);
  EXPECT_EQ(send.rate_bits_per_second, 1'500'000u);
  EXPECT_EQ(send.size_octets, 200u);
  EXPECT_EQ(send.count, 9u);
  EXPECT_EQ(send.file, "-");
  const auto defaults = parsed<SendConfig>("send 232.1.1.1:1");
  EXPECT_EQ(defaults.ttl, 16);
  EXPECT_EQ(defaults.size_octets, 1316u);
  EXPECT_FALSE(defaults.rate_bits_per_second);
  EXPECT_TRUE(parsed<StatusConfig>("status --json --control=/x").json);
  EXPECT_EQ(parsed<DemoConfig>("demo --output /tmp/x").output_directory, "/tmp/x");
}

TEST(CommandLine, ReadsAnnounce) {
  const auto config =
      parsed<AnnounceConfig>("announce list.m3u --interface eth0 --interface eth1 --group 239.255.255.255 --ttl 16");
  EXPECT_EQ(config.file, "list.m3u");
  EXPECT_EQ(config.interfaces, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(config.group, IpAddress::parse("239.255.255.255"));
  EXPECT_EQ(config.ttl, 16);
  EXPECT_EQ(parsed<AnnounceConfig>("announce a.sdp").ttl, 255);
  EXPECT_NE(complaint("announce"), "");
  EXPECT_NE(complaint("announce a.m3u --group 10.0.0.1"), "");
  EXPECT_NE(complaint("announce a.m3u --ttl 0"), "");
}

TEST(CommandLine, ReadsListsOfServe) {
  const auto config =
      parsed<ServeConfig>("serve --playlist http://localhost:81/l --sap --sap-interface eth0 --sap-timeout 10m");
  EXPECT_EQ(config.playlist_url->to_string(), "http://localhost:81/l");
  EXPECT_EQ(config.playlist, std::nullopt);
  EXPECT_TRUE(config.sap.is_heard);
  EXPECT_EQ(config.sap.timeout, std::chrono::minutes(10));
  EXPECT_EQ(parsed<ServeConfig>("serve --playlist list.m3u").playlist, "list.m3u");
  EXPECT_NE(complaint("serve --playlist http://192.0.2.1/l"), "");
  EXPECT_NE(complaint("serve --sap-interface eth0"), "");
}

TEST(CommandLine, ReadsTheCommonOptionsOfEverySubcommand) {
  const auto result = parse_command_line(words("demo --log-level trace --log-json"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->common.log_level, LogLevel::kTrace);
  EXPECT_TRUE(result->common.log_json);
}

TEST(CommandLine, AComplaintNamesOptionValueAndMend) {
  EXPECT_EQ(complaint("relay --local 10.0.0.300"),
            "amt relay: --local 10.0.0.300: not an IPv4 or IPv6 address (example: --local 192.0.2.1)");
  EXPECT_EQ(complaint("relay --robustness 8"),
            "amt relay: --robustness 8: not a whole number from 1 to 7 (example: --robustness 2)");
  EXPECT_EQ(complaint("relay --query-interval 31745"),
            "amt relay: --query-interval 31745: not a whole number from 1 to 31744 (example: --query-interval 125)");
  EXPECT_EQ(complaint("relay --gateway-fields maybe"),
            "amt relay: --gateway-fields maybe: must be auto, always or never (example: --gateway-fields auto)");
  EXPECT_EQ(complaint("receive amt://232.1.1.1:5001"),
            "amt receive: URL amt://232.1.1.1:5001: 232.1.1.1 is source-specific (SSM): the URL must name the source, "
            "SOURCE@GROUP (example: amt://198.51.100.10@232.1.1.1:5001)");
  EXPECT_EQ(complaint("send 192.0.2.1:5001"),
            "amt send: GROUP:PORT 192.0.2.1:5001: 192.0.2.1 is no multicast group (224.0.0.0/4 or ff00::/8) (example: "
            "232.1.1.1:5001)");
}

TEST(CommandLine, RefusesWhatIsOutOfRange) {
  for (const char* const line : {"relay --robustness 0",
                                 "relay --robustness -1",
                                 "relay --robustness two",
                                 "relay --query-interval 0",
                                 "relay --relay-port 0",
                                 "relay --relay-port 65536",
                                 "relay --max-tunnels 0",
                                 "relay --max-groups 99999999999999999999",
                                 "relay --local 0.0.0.0",
                                 "relay --local 224.1.1.1",
                                 "relay --local fe80::1",
                                 "relay --local 192.0.2.1:5",
                                 "relay --upstream 0123456789abcdef",
                                 "relay --upstream a/b",
                                 "relay --upstream --strict",
                                 "relay --control=",
                                 "gateway --relay 192.0.2.1:0",
                                 "gateway --relay [2001:db8::1",
                                 "gateway --relay ::",
                                 "gateway --gateway-port 65536",
                                 "gateway --route 10.0.0.0/8",
                                 "gateway --route 224.0.0.0/3",
                                 "gateway --route 232.0.0.0/33",
                                 "receive 239.1.1.1 --duration 0",
                                 "receive 239.1.1.1 --duration 5x",
                                 "receive 239.1.1.1 --count 0",
                                 "receive 239.1.1.1 -o udp://127.0.0.1",
                                 "receive 239.1.1.1 -o http://x/",
                                 "receive 239.1.1.1 --stats xml",
                                 "send 232.1.1.1",
                                 "send 232.1.1.1:5001 --ttl 256",
                                 "send 232.1.1.1:5001 --size 31",
                                 "send 232.1.1.1:5001 --rate 0",
                                 "send 232.1.1.1:5001 --rate 5X",
                                 "send 232.1.1.1:1 --source 2001:db8::1",
                                 "relay --log-level loud"}) {
    const std::string message = complaint(line);
    EXPECT_NE(message, "accepted") << line;
  }
}

TEST(CommandLine, NamesWhatIsMissing) {
  EXPECT_EQ(complaint("relay --local"), "amt relay: --local: a value is missing (example: --local 192.0.2.1)");
  EXPECT_EQ(complaint("receive 239.1.1.1 -o"),
            "amt receive: --output: a value is missing (example: --output udp://127.0.0.1:5001)");
  EXPECT_EQ(complaint("receive"),
            "amt receive: URL is missing (example: amt receive amt://198.51.100.10@232.1.1.1:5001)");
  EXPECT_EQ(complaint("send --ttl 1"), "amt send: GROUP:PORT is missing (example: amt send 232.1.1.1:5001)");
}

TEST(CommandLine, NamesWhatIsTooMuch) {
  EXPECT_EQ(complaint("relay --robustness 2 --robustness 3"),
            "amt relay: --robustness 3: given twice, but only one value can be meant");
  EXPECT_EQ(complaint("relay extra"), "amt relay: extra: unexpected argument (amt relay --help shows the options)");
  EXPECT_EQ(complaint("relay --strict=yes"), "amt relay: --strict: takes no value");
  EXPECT_EQ(complaint("gateway --route 232.0.0.0/8 --no-route"),
            "amt gateway: --route and --no-route: both given, but they exclude each other");
}

TEST(CommandLine, SuggestsWhatWasMeant) {
  EXPECT_EQ(complaint("relay --upsteam eth0"),
            "amt relay: --upsteam: unknown option; did you mean --upstream? (amt relay --help shows the options)");
  EXPECT_EQ(complaint("relay --tap"), "amt relay: --tap: unknown option (amt relay --help shows the options)");
  EXPECT_EQ(complaint("relay -x"), "amt relay: -x: unknown option (amt relay --help shows the options)");
  EXPECT_EQ(complaint("rely"),
            "amt: rely: no such subcommand; did you mean amt relay? (there are relay, gateway, serve, receive, send, "
            "announce, discover, status, top, reload, drain, bench, demo)");
  EXPECT_EQ(
      complaint("recv"),
      "amt: recv: no such subcommand (there are relay, gateway, serve, receive, send, announce, discover, status, "
      "top, reload, drain, "
      "bench, demo)");
  EXPECT_EQ(complaint("--upstream eth0"),
            "amt: --upstream: unknown option; a subcommand comes first, as in `amt relay --help`");
}

TEST(CommandLine, TakesWhatFollowsTwoDashesAsItStands) {
  const auto result =
      parse_command_line(std::vector<std::string>{"receive", "--relay", "192.0.2.1", "--", "amt://239.1.1.1"});
  ASSERT_TRUE(result);
  EXPECT_EQ(std::get<ReceiveConfig>(result->command).urls.front().channel.to_string(), "239.1.1.1");
  EXPECT_EQ(complaint("send -- -h").find("unknown option"), std::string::npos);
}

TEST(CommandLine, ShowsNothingThatATerminalObeys) {
  const std::string message = complaint({"relay", "--local", "\x1b[2J\n"});
  EXPECT_EQ(message, "amt relay: --local \\x1b[2J\\x0a: not an IPv4 or IPv6 address (example: --local 192.0.2.1)");
  EXPECT_LT(complaint({"relay", "--" + std::string(100'000, 'x')}).size(), 300u);
  EXPECT_LT(complaint({"relay", "--local", std::string(100'000, '1')}).size(), 300u);
}

TEST(CommandLine, AloneItNamesTheSubcommandsInTwoLinesAndFails) {
  const auto result = parse_command_line({});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 2);
  EXPECT_EQ(result.error().standard_error,
            "amt: a subcommand must follow: relay, gateway, serve, receive, send, announce, discover, status, top, "
            "reload, drain, bench, "
            "demo\nHelp: amt "
            "--help\n");
}

TEST(CommandLine, HelpAndVersionGoToStandardOutput) {
  for (const char* const line :
       {"--help", "-h", "help", "--version", "relay --help", "help relay", "receive -h --nonsense", "completion bash",
        "completion zsh", "completion fish", "man-page", "man-page send", "man", "man send"}) {
    const auto result = parse_command_line(words(line));
    ASSERT_FALSE(result) << line;
    EXPECT_EQ(result.error().status, 0) << line;
    EXPECT_NE(result.error().standard_output, "") << line;
    EXPECT_EQ(result.error().standard_error, "") << line;
  }
  EXPECT_EQ(complaint("completion tcsh"),
            "amt completion: the name of a shell must follow, bash, zsh or fish (example: source <(amt completion "
            "bash))");
}

}  // namespace
}  // namespace amt
