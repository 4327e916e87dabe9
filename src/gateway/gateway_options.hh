#pragma once
/// How a gateway behaves towards its relay.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "ip/address.hh"

namespace amt {

/// Somewhere to find a relay, in order of preference.
struct RelayCandidate {
  enum class Kind : std::uint8_t {
    kRelay,      ///< `endpoint` is the relay's unicast address: Request directly (R-5.2.2-b)
    kDiscovery,  ///< `endpoint` answers Relay Discovery
  };
  Kind kind = Kind::kRelay;
  Endpoint endpoint;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io.choice(self.kind, Kind::kDiscovery);
    io(self.endpoint);
  }

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
  /// When no data of a new membership comes for this long, an early Request is sent, and again after twice, 4 and 8
  /// times as long: every copy of the report may have got lost. 0: never.
  Duration missing = std::chrono::seconds(2);
  /// Largest Update's inner datagram: with 60 octets of headers it passes where IPv6 does, on every path of 1280 (H-e).
  std::size_t update_octets_max = 1220;
  std::uint16_t relay_port = kAmtPort;  ///< where an advertised relay is asked
  SsmRange ssm;
};

}  // namespace amt
