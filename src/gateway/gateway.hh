#pragma once
/// The gateway side of AMT (RFC 7450 §5.2): one pseudo-interface's connection to one relay at a time.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "amt/time.hh"
#include "base/counters.hh"
#include "base/outbound.hh"
#include "base/random.hh"
#include "base/state_record.hh"
#include "gateway/gateway_counters.hh"
#include "gateway/gateway_options.hh"
#include "ip/data_packet.hh"
#include "membership/host.hh"
#include "wire/message.hh"

namespace amt {

/// Inner and outer ECN field of one datagram.
struct EcnPair {
  Ecn inner = Ecn::kNotEct;
  Ecn outer = Ecn::kNotEct;
};

struct GatewayTransmit {
  Endpoint to;
  ControlDatagram datagram;
};
/// Something that a person would want to know; for the log.
struct GatewayEvent {
  enum class Kind : std::uint8_t {
    kDiscovering,      ///< the endpoint that is asked
    kRelayFound,       ///< endpoint: the advertised relay
    kRelayAnswers,     ///< first Query from this relay
    kRelayLimit,       ///< L flag
    kDataStopped,      ///< data that had been flowing stopped, the relay is asked; often just a source that pauses
    kRelayAlive,       ///< after kDataStopped or kRelaySilent: it answers
    kRelaySilent,      ///< Requests are unanswered
    kUnreachable,      ///< an ICMP error for something sent to the relay in use; nothing else follows from it (X-3.5-a)
    kRelayLost,        ///< given up, next candidate
    kEndpointChanged,  ///< NAT gave another address or port; endpoint: the new one
  };
  Kind kind;
  Endpoint endpoint;
  /// kDataStopped: whose; none: of those that are not wanted by name.
  std::optional<IpAddress> source = {};
};
[[nodiscard]] std::string_view to_string(GatewayEvent::Kind kind);
struct GatewayDeadline {
  Instant at;
};
using GatewayOutput = std::variant<GatewayDeadline, GatewayTransmit, GatewayEvent>;

enum class GatewayPhase : std::uint8_t {
  kIdle,
  kDiscovering,
  kRequesting,
  kConnected,
  kRefused,  ///< every relay takes no new gateways (L flag); they are asked again later
};
[[nodiscard]] std::string_view to_string(GatewayPhase phase);

/// Decides, never sends (sans-I/O). One input, then `poll_output` until it returns the deadline, then the next input.
/// Not thread-safe. `now` never runs backwards. All messages leave from one socket per outer family and port
/// (R-5.1.5-b). With `request_when_idle` the first message is due at once: poll after construction.
class Gateway {
 public:
  Gateway(GatewayOptions options, Random& random, Instant now);
  ~Gateway();

  /// The filter of `group` from now on; INCLUDE({}) leaves it. False: refused, see HostMachine::set_filter.
  [[nodiscard]] bool set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);

  /// In place of those that it had; not empty. A relay that is none of them any more is left at once.
  void set_candidates(Instant now, std::vector<RelayCandidate> candidates);

  /// Takes one AMT control message (Advertisement, Query). Error: why it was ignored, already counted.
  [[nodiscard]] Result<void, GatewayReject> handle_control(Instant now, const Endpoint& from, Bytes message);

  /// The data path: checks one Multicast Data message and gives the inner datagram, ECN combined (E-6040-b) in place,
  /// with its parsed headers. `outer_ecn`: of the received packet. `verify_transport`: check the inner UDP/TCP/ICMPv6
  /// checksum of whole datagrams too. An accepted datagram allocates nothing. An input like any other, but one
  /// `poll_output` after a whole batch is enough: data can only move the deadline of the silence check, and repeat a
  /// leave that got lost.
  [[nodiscard]] Result<DataPacket, GatewayReject> accept_data(Instant now, const Endpoint& from, Ecn outer_ecn,
                                                              MutableBytes message, bool verify_transport = true);

  /// The socket reported an ICMP error for something sent to `to`.
  void handle_unreachable(Instant now, const Endpoint& to);
  void handle_timeout(Instant now);
  /// For another process, which goes on with the relay over the same sockets. Everything has been polled.
  void save(StateRecordWriter& out) const;
  /// Of a gateway that has just been made, in place of whatever it has begun: the relay does not notice. One that the
  /// options do not name any more is left. What cannot be makes `in` bad; this gateway is not to be used then.
  void restore(Instant now, StateRecordReader& in);
  /// Teardown, or an Update that leaves all groups (R-5.2.3.8-a); nothing is sent after it was polled.
  void shutdown(Instant now);
  [[nodiscard]] GatewayOutput poll_output();

  [[nodiscard]] GatewayPhase phase() const;
  /// The relay in use or asked now, if known.
  [[nodiscard]] std::optional<Endpoint> relay() const;
  [[nodiscard]] Counters<GatewayCounter>& counters();
  [[nodiscard]] const Counters<GatewayCounter>& counters() const;
  /// The last combination that was counted as `kEcnMismatch` (E-6040-c).
  [[nodiscard]] EcnPair last_ecn_mismatch() const;
  /// One counter for each reason of a rejection.
  [[nodiscard]] const Counters<GatewayReject>& rejects() const;
  void for_each_membership(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
