#pragma once
/// One attempt to reach one relay (RFC 8777 §3.2.3): Relay Discovery where it is due, then a Request, and the Query
/// that answers it. No Update: a probe leaves no state on the relay.

#include <cstdint>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/random.hh"
#include "wire/message.hh"

namespace amt {

struct RelayProbeOptions {
  /// Asked for an Advertisement; with `request_directly` the relay itself.
  Endpoint target;
  /// The D bit was set, or the relay's address was given: no Relay Discovery (D-4.2.2-b).
  bool request_directly = false;
  /// Where an advertised relay is asked.
  std::uint16_t relay_port = kAmtPort;
  Duration timeout = std::chrono::seconds(1);
  std::uint32_t tries = 3;  ///< of each message
};

/// Decides, never sends; time is an argument. Not thread-safe. The first message is due at once.
class RelayProbe {
 public:
  enum class State : std::uint8_t {
    kDiscovering,  ///< waits for an Advertisement
    kRequesting,   ///< waits for a Query
    kConnected,    ///< a Query without L came
    kLimited,      ///< a Query with L: the relay takes no new gateways
    kNoDiscovery,  ///< Relay Discovery was not answered
    kBadRelay,     ///< the Advertisement names an address that no relay can have (X-3.3-a)
    kNoAnswer,     ///< the relay did not answer the Request
  };
  struct Transmit {
    Endpoint to;
    std::vector<std::byte> datagram;
  };

  RelayProbe(const RelayProbeOptions& options, Random& random, Instant now);

  /// Any AMT datagram that arrived. A datagram that is not for this probe is ignored.
  void handle_datagram(Instant now, const Endpoint& from, Bytes datagram);
  /// The socket reported an ICMP error for something sent to `to`: noted; the tries go on (X-3.5-a).
  void handle_unreachable(const Endpoint& to);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const { return due_; }
  [[nodiscard]] std::optional<Transmit> poll_transmit();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_over() const { return state_ != State::kDiscovering && state_ != State::kRequesting; }
  /// The relay, once it is known.
  [[nodiscard]] const std::optional<Endpoint>& relay() const { return relay_; }
  /// From the message that was answered to its answer; none: not answered, or not asked.
  [[nodiscard]] std::optional<Duration> discovery_time() const { return discovery_time_; }
  [[nodiscard]] std::optional<Duration> request_time() const { return request_time_; }
  /// This host's endpoint as the relay sees it, if it said so.
  [[nodiscard]] const std::optional<Endpoint>& seen_as() const { return seen_as_; }
  [[nodiscard]] bool was_unreachable() const { return unreachable_; }

 private:
  void handle_advertisement(Instant now, const Endpoint& from, Bytes datagram);
  void handle_query(Instant now, const Endpoint& from, Bytes datagram);
  void begin_request(Instant now, const Endpoint& relay);
  void transmit(Instant now);
  void end(State state);

  RelayProbeOptions options_;
  Random& random_;
  State state_ = State::kDiscovering;
  wire::DiscoveryNonce discovery_nonce_;
  wire::RequestNonce request_nonce_;
  std::uint32_t tries_ = 0;
  Instant sent_;
  Instant due_;
  std::optional<Transmit> outgoing_;
  std::optional<Endpoint> relay_;
  std::optional<Endpoint> seen_as_;
  std::optional<Duration> discovery_time_;
  std::optional<Duration> request_time_;
  bool unreachable_ = false;
};

}  // namespace amt
