#pragma once
/// The inside of `Client`.

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "client/client.hh"
#include "client/driad_lookup.hh"
#include "client/relay_probes.hh"
#include "client/source_addresses.hh"
#include "discovery/relay_selection.hh"
#include "gateway/duplicate_filter.hh"

namespace amt {

struct Client::Impl {
  /// `begin` or `restore` comes next.
  Impl(ClientOptions given, Random& random_source, Instant now);

  /// One relay's connection, or that of several which were given.
  struct Tunnel {
    Tunnel(const GatewayOptions& options, Random& random, Instant now) : gateway(options, random, now) {}

    Gateway gateway;
    std::map<Family, SocketId> sockets{};
    Instant deadline = kNoDeadline;
    /// Why the last message could not be sent; empty: it could.
    std::string send_problem{};
    /// The problem that was logged, until the relay is heard again.
    std::string logged_problem{};
    std::uint64_t ecn_mismatches_reported = 0;
    Instant next_ecn_alarm = Instant::min();

    /// See base/state_record.hh: what is kept, but for gateway and sockets.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.send_problem, self.logged_problem, self.ecn_mismatches_reported, self.next_ecn_alarm);
    }
  };
  /// The work that waits for answers about source addresses.
  struct WaitingRecords {
    IpAddress source;
    SourceRecords records;
  };
  struct WaitingServices {
    ServiceRelays relays;
  };
  /// `is_change`: the network changed; searches begin anew only if a relay is reached otherwise than before.
  struct WaitingDefaults {
    bool is_change = false;
  };
  /// A tunnel to this relay was opened.
  struct WaitingWay {
    IpAddress relay;
  };
  using Waiting = std::variant<WaitingRecords, WaitingServices, WaitingDefaults, WaitingWay>;
  struct DriadPlace {
    IpAddress source;
    std::size_t number = 0;
  };
  using DnsPlace = std::variant<DriadPlace, ServiceQuestion>;

  // client_restore.cc
  /// What is kept, but for the machines inside.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self);
  void save(StateRecordWriter& out) const;
  void restore(Instant now, StateRecordReader& in);
  void restore_selection(Instant now, StateRecordReader& in);
  void restore_tunnels(Instant now, StateRecordReader& in);
  void restore_tunnel(Instant now, StateRecordReader& in);
  void save_native(StateRecordWriter& out) const;
  void restore_native(Instant now, StateRecordReader& in);

  // client.cc
  void begin(Instant now);
  /// Rather than from the moment on that the first tunnel's relay has to be left (succession.cc).
  [[nodiscard]] bool finds_from_start() const;
  [[nodiscard]] bool uses_services() const;
  /// Are relays found or raced, rather than one given?
  [[nodiscard]] bool finds() const { return selection.has_value(); }
  [[nodiscard]] bool set_relay_membership(Instant now, const IpAddress& group, const SourceFilter& filter);
  void emit(ClientOutput output) { outputs.push_back(std::move(output)); }
  void emit_event(LogLevel level, std::string text) { emit(ClientEvent{level, std::move(text)}); }
  /// Carries out the decisions of the machines inside, until they have no more outputs.
  void drain(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  /// Clears the data of the input before.
  void begin_packets();
  /// The probes under way whose target `concerns` cannot be sent to.
  void fail_probes(const std::string& problem, const std::function<bool(const Endpoint&)>& concerns);

  // tunnels.cc
  void open_tunnel(Instant now, TunnelNumber number, const GatewayOptions& gateway, const std::string& purpose);
  void close_tunnel(Instant now, TunnelNumber number);
  SocketId open_socket(Family family, std::optional<TunnelNumber> owner, std::uint16_t port, std::string purpose);
  void close_socket(SocketId socket);
  /// The tunnel's outputs; true: something happened that others may have to hear of.
  bool drain_tunnel(Instant now, TunnelNumber number, Tunnel& tunnel);
  /// A socket for each family of `candidates` that has none.
  void open_sockets(TunnelNumber number, Tunnel& tunnel, const std::vector<RelayCandidate>& candidates,
                    std::uint16_t port, const std::string& purpose);
  void handle_tunnel_event(Instant now, TunnelNumber number, const GatewayEvent& event);
  void transmit(Tunnel& tunnel, const GatewayTransmit& message);
  void report_ecn_mismatches(Instant now, Tunnel& tunnel);

  // search.cc
  bool drain_selection(Instant now);
  bool drain_probes(Instant now);
  bool drain_services(Instant now);
  bool drain_sources(Instant now);
  void apply(Instant now, const LookUpSource& step);
  void apply(Instant now, const StartProbe& step);
  void apply(Instant now, const StopProbe& step);
  void apply(Instant now, const OpenTunnel& step);
  void apply(Instant now, const TunnelFilter& step);
  void apply(Instant now, const CloseTunnel& step) { close_tunnel(now, step.tunnel); }
  void apply(Instant, const LogNotice& step) { emit_event(step.level, step.text); }
  void apply(Instant now, WaitingRecords&& ready);
  void apply(Instant now, WaitingServices&& ready);
  void apply(Instant now, const WaitingDefaults& ready);
  void apply(Instant now, const WaitingWay& ready);
  bool drain_names(Instant now);
  /// In place of those that were given.
  void set_candidates(Instant now, std::vector<RelayCandidate> candidates);
  void handle_probe_result(Instant now, const RelayProbes::Result& result);
  void handle_driad_answer(Instant now, const DriadPlace& place, const DnsAnswer& answer);
  void handle_service_answer(Instant now, const ServiceQuestion& question, const DnsAnswer& answer);
  void ask_dns(DnsPlace place, std::string name, std::uint16_t type);
  void poll_driad(const IpAddress& source);
  void begin_services(Instant now);
  void begin_defaults(bool is_change);
  [[nodiscard]] std::map<IpAddress, std::optional<IpAddress>> ways() const;
  /// Those that were named, or the anycast addresses.
  [[nodiscard]] std::vector<RelayOption> default_relays() const;

  // succession.cc
  /// One address that answers Relay Discovery was given: the first tunnel asks it, and the tunnel to the relay stays.
  [[nodiscard]] bool discovers_alone() const;
  /// A search began, and the first tunnel still stands.
  [[nodiscard]] bool has_first_tunnel() const { return finds() && tunnels.contains(kFirstTunnel); }
  void watch_first_tunnel(Instant now, const Tunnel& tunnel, GatewayEvent::Kind event);
  /// From now on relays are found: another one is sought for the filters of the first tunnel.
  void begin_succession(Instant now);
  /// Once it is known how the address is reached.
  void want_what_first_tunnel_has(Instant now);
  /// No other relay was found: the first tunnel alone is used again.
  void end_succession();
  void review_succession(Instant now);

  // reception.cc
  /// `accepted`: packets that passed the tunnel's own checks.
  void handle_tunnel_data(Instant now, TunnelNumber number);
  /// Something may come by two tunnels.
  [[nodiscard]] bool is_moving() const {
    return finds() && (selection->is_moving() || has_first_tunnel() || first_closed_until != kNoDeadline);
  }
  void take_packet(Instant now, const DataPacket& packet);
  enum class Way : std::uint8_t { kTunnel, kNative };
  template <typename IsNew>
  [[nodiscard]] bool takes_from(Instant now, Way way, const IpAddress& source, const IpAddress& group, IsNew is_new);
  [[nodiscard]] bool takes(Instant now, Way way, const Payload& payload);
  [[nodiscard]] bool takes(Instant now, Way way, const DataPacket& packet);
  bool drain_native(Instant now);

  static constexpr TunnelNumber kFirstTunnel = 0;

  ClientOptions options;
  Random& random;

  std::map<TunnelNumber, Tunnel> tunnels;
  /// By socket: its tunnel; none: the probes'.
  std::map<SocketId, std::optional<TunnelNumber>> sockets;
  std::uint32_t next_socket = 1;
  /// Sockets with lower numbers were opened for the client before.
  std::uint32_t kept_below = 0;
  Counters<GatewayCounter> closed_counters;
  Counters<GatewayReject> closed_rejects;

  std::optional<RelayNames> names;
  std::map<HostQuestionId, std::size_t> host_questions;
  std::optional<RelaySelection> selection;
  RelayProbes probes;
  std::map<Family, SocketId> probe_sockets;
  /// Probes under way: the address that the selection knows each by.
  std::map<RelayProbes::Ticket, RelayProbeOptions> probe_options;
  std::optional<ServiceSearch> services;
  bool services_changed = false;
  /// `AskServiceDomains` is not answered yet.
  bool asking_domains = false;
  std::map<IpAddress, DriadLookup> driad;
  std::map<DnsQuestionId, DnsPlace> dns_questions;
  std::uint64_t next_question = 1;
  SourceAddresses sources;
  std::deque<Waiting> waiting;
  std::map<IpAddress, std::optional<IpAddress>> known_ways;
  Instant network_check_at = kNoDeadline;

  /// The relay of the first tunnel was asked why its data stopped; until then it may answer.
  Instant first_doubted_until = kNoDeadline;
  /// The first tunnel was left for want of an answer, not for an L flag.
  bool first_is_silent = false;
  Instant first_closes_at = kNoDeadline;
  /// Packets of the first tunnel may still come by another.
  Instant first_closed_until = kNoDeadline;

  std::optional<NativePreference> native;
  /// While anything may come natively and by a tunnel.
  std::optional<DuplicateFilter> native_duplicates;
  std::uint64_t native_packets = 0;
  /// While a source moves from one tunnel to another.
  std::optional<DuplicateFilter> tunnel_duplicates;
  std::uint64_t duplicates = 0;
  PayloadReader payload_reader;

  /// The data of one input.
  std::vector<DataPacket> accepted;
  std::vector<DataPacket> datagrams;
  std::vector<Payload> payloads;
  bool packets_polled = true;

  std::deque<ClientOutput> outputs;
  bool is_shut_down = false;
};

}  // namespace amt
