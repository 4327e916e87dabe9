#pragma once
/// Many small AMT gateways at once, each with one channel: load for a relay.
///
/// A `Gateway` can do much that load does not need (relay discovery, ECN, two protocols, any number of groups) and is
/// worth kilobytes; a member of a fleet does the handshake of RFC 7450 §5.2.3 in some 250 octets.

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "amt/channel.hh"
#include "amt/time.hh"
#include "base/random.hh"
#include "load/tally.hh"
#include "media/sequence_tracker.hh"
#include "wire/message.hh"

namespace amt {

/// The work that each member repeats, as fast as the relay answers.
enum class FleetTask : std::uint8_t {
  kStay,        ///< nothing: it joins, refreshes that when it is time, and receives
  kRequests,    ///< Request and Query; nothing is joined
  kHandshakes,  ///< Teardown of the old tunnel, Request, Query, Update
};

struct FleetOptions {
  std::size_t gateways = 1;
  /// Not empty. Gateway number i begins with channel i modulo their number.
  std::vector<Channel> channels;
  FleetTask task = FleetTask::kStay;
  /// `kStay`: channel changes per gateway and second, to any other channel; 0: none. Needs two channels.
  double changes_per_second = 0;
  /// Requests without their Query, of all gateways: one burst must fit the relay's socket buffer.
  std::size_t in_flight_max = 512;
  /// Until a Request, or the Update that joins, is sent again.
  Duration patience = std::chrono::seconds(1);
};

struct FleetTransmit {
  std::size_t gateway = 0;
  /// Valid until the next `poll_output`.
  Bytes datagram;
};
struct FleetDeadline {
  Instant at;
};
using FleetOutput = std::variant<FleetDeadline, FleetTransmit>;

/// Decides, never sends: one input, then `poll_output` until it returns the deadline, then the next input (several may
/// be given before polling where a common `now` will do). `now` never runs backwards. Not thread-safe.
class Fleet {
 public:
  /// The first Requests are due at once: poll.
  Fleet(FleetOptions options, Random& random, Instant now);
  ~Fleet();

  /// One datagram, and when it came to this gateway's socket, not after `now`: its wait there is no latency.
  void handle_datagram(Instant now, Instant arrived, std::size_t gateway, Bytes datagram);
  void handle_timeout(Instant now);
  /// Ends all tunnels: Teardown (RFC 7450 §5.2.3.7), or leaves where the relay gave no gateway fields, followed by a
  /// Request, whose Query says that the relay has come so far. Repeat until `is_done`.
  void leave(Instant now);
  [[nodiscard]] FleetOutput poll_output();

  /// Everyone has joined (`kStay`), or had the first answer.
  [[nodiscard]] bool is_complete() const;
  /// After `leave`: everyone has left, or given up.
  [[nodiscard]] bool is_done() const;

  /// Losses so far included. Of all gateways.
  [[nodiscard]] LoadTally tally() const;
  /// A quick look, without the walk over all gateways of `tally`.
  [[nodiscard]] const Counters<LoadCounter>& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
