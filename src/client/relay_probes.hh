#pragma once
/// Several relays are asked at once whether they would serve this host.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "discovery/relay_probe.hh"

namespace amt {

struct ProbeResult {
  RelayProbe::State state = RelayProbe::State::kNoAnswer;
  std::optional<Endpoint> relay;
  std::optional<Endpoint> seen_as;
  std::optional<Duration> discovery_time;
  std::optional<Duration> request_time;
  /// An ICMP error came back.
  bool unreachable = false;
  /// Why the first message could not even be sent, as a person reads it; empty: it was.
  std::string send_problem;
};

/// Why a relay does not serve, the relay being the subject: "refuses new gateways (L flag)", "does not answer a
/// Request". Of `kBadRelay` an address is the object: "(an address that) no relay can have".
[[nodiscard]] std::string explain_failure(const ProbeResult& result);

/// Decides, never sends: one input, then `poll_transmit` and `poll_result` until they give nothing. Time is an
/// argument. Not thread-safe. A message costs a look at each probe that is under way.
class RelayProbes {
 public:
  using Ticket = std::uint64_t;
  struct Transmit {
    Ticket ticket = 0;
    RelayProbe::Transmit message;
  };
  struct Result {
    Ticket ticket = 0;
    ProbeResult result;
  };

  explicit RelayProbes(Random& random) : random_(random) {}

  Ticket start(Instant now, const RelayProbeOptions& options);
  /// Nothing more is sent for it, and it has no result.
  void stop(Ticket ticket);

  void handle_datagram(Instant now, const Endpoint& from, Bytes datagram);
  void handle_unreachable(const Endpoint& to);
  /// The last message of `ticket` could not be sent: the probe is over.
  void handle_send_error(Ticket ticket, std::string problem);
  void handle_timeout(Instant now);

  [[nodiscard]] std::optional<Transmit> poll_transmit();
  [[nodiscard]] std::optional<Result> poll_result();
  [[nodiscard]] Instant next_deadline() const;

 private:
  void collect_results();

  Random& random_;
  Ticket next_ticket_ = 1;
  std::map<Ticket, RelayProbe> probes_;
  std::deque<Result> results_;
};

}  // namespace amt
