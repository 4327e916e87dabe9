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
#include "ip/data_packet.hh"
#include "membership/host.hh"
#include "wire/message.hh"

namespace amt {

/// Somewhere to find a relay, in order of preference.
struct RelayCandidate {
  enum class Kind : std::uint8_t {
    kRelay,      ///< `endpoint` is the relay's unicast address: Request directly (R-5.2.2-b)
    kDiscovery,  ///< `endpoint` answers Relay Discovery
  };
  Kind kind = Kind::kRelay;
  Endpoint endpoint;

  friend bool operator==(const RelayCandidate&, const RelayCandidate&) = default;
};

struct GatewayOptions {
  std::vector<RelayCandidate> candidates;              ///< not empty
  Duration timeout_initial = std::chrono::seconds(1);  ///< R-5.2.3.4.3-a, R-5.2.3.5.3-a
  Duration timeout_max = std::chrono::seconds(120);
  /// While someone waits for data the back-off stays below this; still inside RFC 7450's window.
  Duration timeout_max_subscribed = std::chrono::seconds(15);
  std::uint32_t discovery_tries = 4;  ///< then the next candidate
  std::uint32_t request_tries = 4;
  /// Ask for a Query of this protocol even while nothing is subscribed (so that a dead relay is known early).
  bool request_when_idle = true;
  bool ecn_capable = true;  ///< the socket reads the outer ECN: set E (RFC 9601), retry without when unanswered
  /// Data that had been flowing and stops for this long, or four times the longest recent gap if that is more, is asked
  /// about by an early Request (R-5.2.3.5.4-k); unanswered, that finds a restarted or dead relay long before the query
  /// interval.
  Duration silence = std::chrono::seconds(1);
  /// And up to this long more, by chance: a relay's gateways miss the same packets at the same moment. So wide that the
  /// other relays can take 100 000 gateways (`make storm`), so narrow that a viewer is served again in less than 2 s.
  Duration silence_span = std::chrono::milliseconds(500);
  /// What was joined, or is wanted of another relay, and does not come for this long is asked about by an early
  /// Request, too, and after twice, 4 and 8 times as long again: the report may have got lost, each time it was sent.
  /// 0: never.
  Duration missing = std::chrono::seconds(2);
  /// Largest Update's inner datagram: with 60 octets of headers it passes where IPv6 does, on every path of 1280 (H-e).
  std::size_t update_octets_max = 1220;
  std::uint16_t relay_port = kAmtPort;  ///< where an advertised relay is asked
  SsmRange ssm;
};

/// Inner and outer ECN field of one datagram.
struct EcnPair {
  Ecn inner = Ecn::kNotEct;
  Ecn outer = Ecn::kNotEct;
};

enum class GatewayCounter : std::uint8_t {
  kDiscoveriesSent,
  kAdvertisementsReceived,
  kRequestsSent,
  kQueriesReceived,
  kUpdatesSent,
  kTeardownsSent,
  kDataReceived,       ///< accepted
  kDataBytesReceived,  ///< octets of inner datagrams
  kRelayChanges,
  kSilences,      ///< early Requests
  kUnreachables,  ///< ICMP errors reported by the socket; noted, no effect (X-3.5-a)
  kEcnMismatch,   ///< combinations marked ! in CONFORMANCE section 5
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(GatewayCounter counter);

enum class GatewayReject : std::uint8_t {
  kEmpty,
  kBadVersion,
  kUnknownType,
  kBadLength,
  kWrongRole,   ///< R-5.2.3.2-a
  kNotWaiting,  ///< an Advertisement or Query that nobody waits for
  kWrongNonce,
  kWrongSource,      ///< not from where it was asked
  kBadRelayAddress,  ///< X-3.3-a
  kInnerTruncated,
  kInnerBadHeader,
  kInnerBadHeaderChecksum,
  kInnerBadChecksum,
  kInnerNotQuery,     ///< not a General Query of IGMPv3 / MLDv2, or not of the protocol asked for
  kDataNotMulticast,  ///< R-5.2.3.3-c
  kDataNotWanted,     ///< no such group and source in the reception state (R-6.2-a)
  kDataBadChecksum,   ///< R-6.3-a: the transport checksum of a whole datagram
  kDataEcnDrop,       ///< E-6040-b: Not-ECT inside, CE outside
  kCount,
};
/// Named `reject_wrong_nonce`.
[[nodiscard]] const CounterInfo& counter_info(GatewayReject reject);

struct GatewayTransmit {
  Endpoint to;
  ControlDatagram datagram;
};
/// Something that a person would want to know; for the log.
struct GatewayEvent {
  enum class Kind : std::uint8_t {
    kDiscovering,      ///< endpoint: whom we ask
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

  /// What is wanted of `group` from now on; INCLUDE({}) leaves it. False: refused, see HostMachine::set_filter.
  [[nodiscard]] bool set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);

  /// In place of those that it had; not empty. A relay that is none of them any more is left at once.
  void set_candidates(Instant now, std::vector<RelayCandidate> candidates);

  /// Takes one AMT control message (Advertisement, Query). Error: why it was ignored, already counted.
  [[nodiscard]] Result<void, GatewayReject> handle_control(Instant now, const Endpoint& from, Bytes message);

  /// The data path: checks one Multicast Data message and gives the inner datagram, ECN combined (E-6040-b) in place,
  /// with what its headers say.
  /// `outer_ecn`: of the received packet. `verify_transport`: check the inner UDP/TCP/ICMPv6 checksum of whole
  /// datagrams too. No allocation for what is accepted. An input like any other, but one
  /// `poll_output` after a whole batch of them is enough: all that they can do is to start or move the deadline of the
  /// silence check, and to make a leave that got lost be repeated.
  [[nodiscard]] Result<DataPacket, GatewayReject> accept_data(Instant now, const Endpoint& from, Ecn outer_ecn,
                                                              MutableBytes message, bool verify_transport = true);

  /// The socket reported an ICMP error for something sent to `to`.
  void handle_unreachable(Instant now, const Endpoint& to);
  void handle_timeout(Instant now);
  /// Teardown (or an Update that leaves everything) for what is joined (R-5.2.3.8-a); nothing is sent after it was
  /// polled.
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
