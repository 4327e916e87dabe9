#pragma once
/// The parsed options of each subcommand. Plain structs with the defaults that the help names; `parse_command_line`
/// (command_line.hh) fills them.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/listen_place.hh"
#include "base/log_level.hh"
#include "ip/address.hh"

namespace amt {

/// Options that every subcommand takes.
struct CommonConfig {
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = false;
  /// No capability, file or system call is given up.
  bool no_sandbox = false;
  /// As given; the file has been read already.
  std::optional<std::string> config_file;
  bool check_config = false;
};

/// Whether Queries carry the gateway address fields (the G flag).
enum class GatewayFields : std::uint8_t { kAuto, kAlways, kNever };

/// How the relay's data leaves.
enum class DataPath : std::uint8_t { kAuto, kSocket, kXdp, kOrders };

/// Where the path MTU of tunnels comes from.
struct PathMtuChoice {
  enum class Kind : std::uint8_t { kAuto, kLink, kFixed };
  Kind kind = Kind::kAuto;
  std::size_t octets = 0;  ///< kFixed
};
/// RFC 791: the largest datagram that every host takes in one piece.
inline constexpr std::size_t kPathMtuMin = 576;
inline constexpr std::size_t kPathMtuMax = 65535;

inline constexpr std::size_t kWorkersMax = 256;

/// Where a daemon is looked at.
struct ObserveConfig {
  std::optional<std::string> control;     ///< not given: a default path, and its absence is no failure
  std::optional<ListenPlace> http;        ///< not given: no page
  std::vector<std::string> http_names{};  ///< under which browsers may know it, beside addresses
};

struct RelayConfig {
  std::vector<IpAddress> local;  ///< empty: the address that the default route uses, per family
  std::vector<IpAddress> discovery;
  std::vector<IpAddress> advertise;         ///< at most one of each family
  std::vector<std::string> upstream;        ///< host mode
  std::optional<std::string> interface;     ///< router mode; never with `upstream`
  std::vector<Prefix> interface_addresses;  ///< each with room for a neighbour; only with `interface`
  bool strict = false;
  std::uint16_t relay_port = kAmtPort;
  std::size_t tunnels_max = 100'000;
  std::optional<std::size_t> tunnels_per_address_max{};  ///< default: `AdmissionLimits`
  std::size_t channels_max = 16'384;
  std::optional<std::size_t> channels_per_address_max{};  ///< the same
  std::vector<Prefix> allowed_groups{};                   ///< empty: any
  std::size_t groups_max = 512;                           ///< per gateway
  std::size_t sources_max = 128;                          ///< per group
  std::uint8_t unreachable_max = 8;                       ///< in a row
  std::uint32_t requests_per_second_max = 200;            ///< per address; 0: no limit
  /// 0: no limit; default: none where Requests of one address are not limited.
  std::optional<std::uint32_t> answers_per_prefix_max{};
  std::optional<std::uint32_t> answers_max{};
  std::uint32_t discoveries_per_second_max = 100;  ///< per address; 0: no limit
  std::uint32_t updates_per_second_max = 1000;     ///< per address; 0: no limit
  Duration batch_delay_max = std::chrono::milliseconds(2);
  std::optional<std::uint64_t> tunnel_bits_per_second_max;
  std::optional<std::uint64_t> bits_per_second_max;  ///< to all gateways together
  Duration query_interval = std::chrono::seconds(125);
  std::uint8_t robustness = 2;
  GatewayFields gateway_fields = GatewayFields::kAuto;
  bool no_ecn = false;
  PathMtuChoice mtu;
  std::optional<std::size_t> mtu_min;
  bool tell_sources = false;
  std::optional<std::size_t> workers;  ///< 1 to `kWorkersMax`; not given: as many as there are processors
  std::optional<std::string> secret_file;
  Duration secret_lifetime = std::chrono::hours(2);  ///< of a random secret
  DataPath data_path = DataPath::kAuto;
  std::optional<std::string> events{};  ///< a file, or `-`
  std::optional<Endpoint> ipfix{};      ///< a collector
  Duration ipfix_active = std::chrono::seconds(60);
  Duration ipfix_idle = std::chrono::seconds(15);
  std::optional<std::string> announce{};  ///< a program
  bool take_over = false;
  std::optional<std::string> state{};  ///< a file
  bool descriptor_store = false;
  ObserveConfig observe;
};

/// A relay by its address, or by a host name that is looked up at the start.
struct RelayHost {
  std::variant<IpAddress, std::string> host;
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const RelayHost&, const RelayHost&) = default;
};

/// The use of DNS answers whose signatures cannot be checked.
enum class Dnssec : std::uint8_t { kRequire, kPrefer, kOff };

/// How the DNS is asked for relays.
struct DnsChoice {
  std::vector<Endpoint> resolvers;  ///< empty: the system's; ports are filled in
  Dnssec dnssec = Dnssec::kPrefer;
  std::optional<std::string> trust_anchor;
  std::vector<std::string> service_domains;  ///< for DNS-SD, host names; empty: the system's
};

/// A way to find a relay that was not named.
enum class DiscoverWay : std::uint8_t { kDnsSd, kDriad, kAnycast };

/// The way to a relay, for `gateway` and `receive`. In order of preference: `relays`, then `discovery`; with neither,
/// relays are found. Ports are filled in.
struct RelayChoice {
  std::vector<RelayHost> relays;    ///< asked directly
  std::vector<Endpoint> discovery;  ///< asked for a relay
  std::vector<DiscoverWay> discover_order{DiscoverWay::kDnsSd, DiscoverWay::kDriad, DiscoverWay::kAnycast};
  DnsChoice dns;
  std::uint16_t relay_port = kAmtPort;
  std::optional<IpAddress> local;  ///< outer source address; not given: the kernel's choice
  std::uint16_t gateway_port = 0;  ///< outer source port; 0: any
  bool no_ecn = false;
  bool native = false;                          ///< the local network before the tunnel
  std::optional<std::string> native_interface;  ///< only with `native`; not given: by the route to the source
};

struct GatewayConfig {
  RelayChoice relay;
  std::string interface = "amt0";
  bool tap = false;
  std::optional<std::string> bridge;
  /// Empty: a default (InterfaceSettings::dummy_address).
  std::vector<Prefix> addresses;
  std::uint32_t mtu_octets = 1500;  ///< of the interface
  /// Multicast routes towards the interface; with `no_route` none.
  std::vector<Prefix> routes;
  bool no_route = false;
  /// Interfaces of this host with listeners behind them.
  std::vector<std::string> downstream;
  bool forward_always = false;
  Duration query_interval = std::chrono::seconds(125);  ///< on the LANs
  std::uint8_t robustness = 2;
  bool take_over = false;
  bool descriptor_store = false;
  ObserveConfig observe;
};

/// `amt://[SOURCE@]GROUP[:PORT][?relay=ADDR|NAME[:PORT]]`
struct ChannelUrl {
  Channel channel;
  /// Without one every UDP port of the group is taken.
  std::optional<std::uint16_t> port;
  /// Its port is 0 where none was given.
  std::optional<RelayHost> relay = {};

  friend bool operator==(const ChannelUrl&, const ChannelUrl&) = default;
};

struct ReceiveOutput {
  enum class Kind : std::uint8_t { kStandardOutput, kFile, kUdp };
  Kind kind = Kind::kStandardOutput;
  std::string path;   ///< kFile
  Endpoint endpoint;  ///< kUdp

  friend bool operator==(const ReceiveOutput&, const ReceiveOutput&) = default;
};

enum class StatsFormat : std::uint8_t { kText, kJson, kNone };

/// The use of RTP headers.
enum class RtpChoice : std::uint8_t {
  kAuto,   ///< MPEG-TS in RTP loses them on a pipe or in a file
  kStrip,  ///< all RTP loses them, wherever it goes
  kKeep,
};

struct ReceiveConfig {
  std::vector<ChannelUrl> urls;         ///< one, or more
  RelayChoice relay;                    ///< of a channel whose URL names none
  std::optional<ReceiveOutput> output;  ///< not given: standard output unless that is a terminal, or with `verify`
  bool overwrite = false;               ///< `output` may be a file that holds something
  RtpChoice rtp = RtpChoice::kAuto;
  std::optional<std::uint64_t> count;
  std::optional<Duration> duration;
  std::optional<Duration> timeout;
  StatsFormat stats = StatsFormat::kText;
  bool verify = false;
  bool quiet = false;
};

/// An HTTP URL of this host.
struct LocalUrl {
  Endpoint server;
  std::string host;    ///< as it was written, with the port
  std::string target;  ///< path and query
  [[nodiscard]] std::string to_string() const { return "http://" + host + target; }

  friend bool operator==(const LocalUrl&, const LocalUrl&) = default;
};

/// Sessions that are announced on the network (SAP), as entries of the list.
struct SapConfig {
  bool is_heard = false;                ///< on this host's networks
  std::vector<std::string> interfaces;  ///< empty: all but loopback
  bool tunnel = false;                  ///< through a tunnel, too
  Duration timeout = std::chrono::hours(1);
};

struct ServeConfig {
  ListenPlace listen = Endpoint{*IpAddress::parse("127.0.0.1"), 4022};
  RelayChoice relay;                     ///< for the channels that are asked for
  std::optional<std::string> playlist;   ///< a file
  std::optional<LocalUrl> playlist_url;  ///< never with `playlist`
  SapConfig sap;
  std::optional<std::string> token_file;
  bool allow_relay_parameter = false;
  std::vector<Prefix> allowed;               ///< clients; empty: this host and its subnets
  std::vector<std::string> allowed_origins;  ///< of pages, or `*`
  std::vector<std::string> http_names;       ///< of this server
  std::size_t channels_max = 32;
  std::size_t viewers_max = 2000;
  std::size_t buffer_mebibytes = 16;  ///< of each channel
};

/// Smallest payload that has room for the header of a numbered packet (media/test_pattern.hh).
inline constexpr std::size_t kSendSizeMin = 32;
/// Largest UDP payload over IPv4.
inline constexpr std::size_t kSendSizeMax = 65507;

struct SendConfig {
  Endpoint group;
  std::optional<std::string> interface;  ///< not given: the kernel's choice
  std::optional<IpAddress> source;
  std::uint8_t ttl = 16;
  std::optional<std::uint64_t> rate_bits_per_second;  ///< not given: `kSendRateDefault`, or a transport stream's clock
  std::size_t size_octets = 1316;                     ///< UDP payload: seven MPEG-TS packets
  std::optional<std::uint64_t> count;
  std::optional<std::string> file;  ///< `-`: standard input
};
inline constexpr std::uint64_t kSendRateDefault = 5'000'000;

struct AnnounceConfig {
  std::string file;                     ///< M3U or SDP
  std::vector<std::string> interfaces;  ///< empty: the kernel's choice
  std::optional<IpAddress> source;      ///< not given: the interface's
  std::optional<IpAddress> group;       ///< not given: by the scope of each channel
  std::uint8_t ttl = 255;
};

struct TopConfig {
  std::optional<std::string> control;  ///< not given: the default paths of relay and gateway
  bool once = false;
  Duration interval = std::chrono::seconds(1);
};

struct StatusConfig {
  std::optional<std::string> control;  ///< not given: the default paths of relay and gateway
  std::optional<std::string> list;     ///< "tunnels", "channels", "counters" or "memberships"; not given: a summary
  std::optional<std::string> sort;
  std::optional<std::uint64_t> top;
  std::optional<Prefix> group;
  std::optional<Prefix> address;
  bool json = false;
};
inline constexpr std::uint64_t kStatusRowsMax = 10'000;

struct DiscoverConfig {
  std::optional<IpAddress> source;
  std::vector<Endpoint> discovery;  ///< asked as they are; ports are filled in
  std::vector<RelayHost> zone;      ///< print a record set that names these, and send nothing
  DnsChoice dns;
  std::uint16_t relay_port = kAmtPort;
  Duration timeout = std::chrono::seconds(1);  ///< of one message to a relay
  bool json = false;
};

/// The work that each simulated gateway repeats.
enum class BenchTask : std::uint8_t { kNothing, kRequests, kHandshakes };

struct BenchConfig {
  Endpoint relay;
  std::size_t gateways = 100;
  std::vector<ChannelUrl> groups;  ///< as given; not empty
  std::size_t channels_each = 1;
  std::vector<Channel> channels;  ///< all of them: each group and its successors
  Duration duration = std::chrono::seconds(10);
  double changes_per_second = 0;  ///< per gateway
  BenchTask task = BenchTask::kNothing;
  std::vector<IpAddress> local;  ///< empty: the kernel's choice
  bool is_mine = false;
  bool json = false;
};

struct ReloadConfig {
  std::optional<std::string> control;  ///< not given: the default paths of relay and gateway
};

struct DrainConfig {
  std::optional<std::string> control;
  std::optional<Duration> timeout;  ///< not given: until the last tunnel has gone
  bool cancel = false;
};

struct DemoConfig {
  /// Where pictures, streams and logs stay; not given: the pictures alone, in the demo's own place.
  std::optional<std::string> output_directory;
};

}  // namespace amt
