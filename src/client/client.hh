#pragma once
/// The gateway side of AMT over all its relays: which relay serves which channel, over sockets that come and go, and
/// the delivery of the data (RFC 7450 §5.2, RFC 8777 §3).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/log_level.hh"
#include "base/state_record.hh"
#include "client/payload_reader.hh"
#include "client/relay_names.hh"
#include "discovery/dns_answer.hh"
#include "discovery/domain_name.hh"
#include "discovery/relay_search.hh"
#include "discovery/service_search.hh"
#include "gateway/gateway.hh"
#include "gateway/native_preference.hh"
#include "ip/received.hh"

namespace amt {

/// One UDP socket of the caller's; the client draws the numbers and never uses one twice.
enum class SocketId : std::uint32_t {};
enum class DnsQuestionId : std::uint64_t {};
enum class HostQuestionId : std::uint64_t {};

struct ClientOptions {
  /// With `candidates` nothing else is asked: one has its tunnel at once, several are raced, in this order. Without:
  /// relays are found. Each relay in use has a tunnel of its own.
  GatewayOptions gateway;
  /// Candidates that are relays, as they were given; empty: none was given by name. Names are looked up again.
  std::vector<NamedRelay> names = {};
  RelaySearchOptions search;
  /// Outer source address; none: that of the route to each relay.
  std::optional<IpAddress> local;
  /// Outer source port of the first tunnel; 0: the caller chooses.
  std::uint16_t port = 0;
  /// Handed on in `OpenSocket`, by the name of which a caller may keep a port over restarts.
  std::string port_purpose = {};
  /// DRIAD and DNS-SD are used as far as `search.order` names them.
  bool has_dns = true;
  /// Where DNS-SD looks; empty: `AskServiceDomains` asks for this host's.
  std::vector<DomainName> service_domains;
  /// Channels are joined on the local network first (RFC 8777 §3.1.1).
  bool native = false;
  /// Inner checksums are verified before data is handed on. With `payloads` they always are.
  bool verify_transport = true;
  /// Data is handed on as the payloads of UDP datagrams, reassembled. Otherwise as whole IP datagrams, fragments too.
  bool payloads = false;
  /// With `payloads`: the destination port; none: any.
  std::optional<std::uint16_t> payload_port;
};

/// A socket is wanted; `handle_socket_failed` says that there is none. It receives the outer ECN field.
struct OpenSocket {
  SocketId socket{};
  Family family = Family::kIpv4;
  /// None: any address of the family.
  std::optional<IpAddress> local;
  /// 0: see `purpose`.
  std::uint16_t port = 0;
  /// The purpose of the socket, for a port that stays over restarts; empty: any port.
  std::string purpose;
};
struct CloseSocket {
  SocketId socket{};
};
struct ClientTransmit {
  SocketId socket{};
  Endpoint to;
  ControlDatagram datagram;
};
/// Answered by `handle_dns_answer`, or never.
struct AskDns {
  DnsQuestionId question{};
  std::string name;
  std::uint16_t type = 0;
};
/// Which addresses has the host of this name, by the means that this host is set up with (hosts file, DNS)? To be
/// answered by `handle_host_answer`, also where there are none.
struct AskHost {
  HostQuestionId question{};
  std::string name;
};
/// From which address of this host is `destination` reached? Answered by `handle_source_answer`.
struct AskSource {
  IpAddress destination;
};
/// Which domains are this host's (RFC 6763 §11)? Answered by `handle_service_domains`.
struct AskServiceDomains {};
/// A tunnel to this relay begins.
struct RelayChosen {
  IpAddress relay;
};
/// Something that a person would want to know: one sentence for the log.
struct ClientEvent {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};
/// Data that is wanted, each packet once, in order of arrival. Valid until the next input; the octets are where they
/// were received.
struct ClientPackets {
  /// Empty with `ClientOptions::payloads`.
  std::span<const DataPacket> datagrams;
  /// Empty without.
  std::span<const Payload> payloads;
};
struct ClientDeadline {
  Instant at;
};
using ClientOutput = std::variant<ClientDeadline, ClientPackets, ClientTransmit, OpenSocket, CloseSocket, AskDns,
                                  AskHost, AskSource, AskServiceDomains, JoinNatively, RelayChosen, ClientEvent>;

/// Decides, never sends (sans-I/O). One input, then `poll_output` until it returns the deadline, then the next input.
/// The first poll comes after construction. An output that asks a question, or that fails, may be answered before the
/// next poll: `handle_dns_answer`, `handle_host_answer`, `handle_source_answer`, `handle_service_domains`,
/// `handle_socket_failed` and `handle_send_error` keep outputs that were not polled yet. Not thread-safe. `now` never
/// runs backwards. No allocation for a packet that is accepted and whole.
class Client {
 public:
  Client(ClientOptions options, Random& random, Instant now);
  /// Goes on with what another client saved, so that no relay notices: over the same sockets (`for_each_socket`), and
  /// perhaps by other options. Where those find relays in another way than before it begins anew. What cannot be makes
  /// `kept` bad; the client is not to be used then.
  Client(ClientOptions options, Random& random, Instant now, StateRecordReader& kept);
  ~Client();

  /// For another process. Everything has been polled; questions that are open and probes are left out.
  void save(StateRecordWriter& out) const;
  /// Those of the client before that this one goes on with.
  void for_each_socket(const std::function<void(SocketId socket, Family family)>& visit) const;

  /// False: no relay would take that (link scope, not multicast, EXCLUDE of an SSM group).
  [[nodiscard]] bool may_join(const IpAddress& group, const SourceFilter& filter) const;
  /// The filter of `group` from now on; INCLUDE({}) leaves it. False: `may_join` is false, or the client was shut down,
  /// and nothing changed.
  [[nodiscard]] bool set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);

  /// Datagrams that arrived at a socket; octets may be changed in place (ECN).
  void handle_datagrams(Instant now, SocketId socket, std::span<const Received> batch);
  /// ICMP Destination Unreachable for something sent to `to` from this socket.
  void handle_unreachable(Instant now, SocketId socket, const Endpoint& to);
  /// The last message to `to` could not be sent. `problem`: as a person reads it.
  void handle_send_error(Instant now, SocketId socket, const Endpoint& to, const std::string& problem);
  /// The socket could not be opened.
  void handle_socket_failed(Instant now, SocketId socket, const std::string& problem);
  void handle_dns_answer(Instant now, DnsQuestionId question, const DnsAnswer& answer);
  void handle_host_answer(Instant now, HostQuestionId question, const HostAnswer& answer);
  /// None: there is no way to it.
  void handle_source_answer(Instant now, const IpAddress& destination, const std::optional<IpAddress>& source);
  void handle_service_domains(Instant now, const ServiceDomains& domains);
  /// Whether `handle_network_change` has any effect: relays are found, or one of several is chosen.
  [[nodiscard]] bool follows_network() const;
  /// This host's interfaces, addresses or routes changed.
  void handle_network_change(Instant now);
  /// Data of the local network, of channels that `JoinNatively` named: datagrams, or with `payloads` payloads.
  void handle_native(Instant now, std::span<const Bytes> datagrams);
  void handle_native(Instant now, std::span<const Payload> payloads);
  void handle_timeout(Instant now);
  /// Leaves everything: Teardown or leave goes to each relay (R-5.2.3.8-a). Only `poll_output` may follow.
  void shutdown(Instant now);

  [[nodiscard]] ClientOutput poll_output();

  /// Why nothing comes, as far as that can be seen from here; one clause for a person.
  [[nodiscard]] std::string reason_of_silence() const;
  /// Each relay in use, or asked.
  void for_each_relay(const std::function<void(const Endpoint& relay, const Gateway& gateway)>& visit) const;
  void for_each_membership(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;
  /// With `native`: the way that brings each channel.
  void for_each_channel(const std::function<void(const Channel& channel, ServedBy served)>& visit) const;

  /// Of all tunnels, those that are closed too.
  [[nodiscard]] Counters<GatewayCounter> counters() const;
  [[nodiscard]] Counters<GatewayReject> rejects() const;
  [[nodiscard]] PayloadDrops payload_drops() const;
  /// Packets that came by two ways and were handed on once.
  [[nodiscard]] std::uint64_t duplicates() const;
  /// Packets that came natively and were handed on.
  [[nodiscard]] std::uint64_t native_packets() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
