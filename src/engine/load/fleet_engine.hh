#pragma once
/// A running fleet of simulated gateways: the state machine `Fleet` with its sockets and timer.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/runtime/event_loop.hh"
#include "io/peer_sockets.hh"
#include "load/fleet.hh"

namespace amt {

struct FleetEngineOptions {
  Endpoint relay;
  /// Source addresses that gateways take in turn; empty: the kernel's choice.
  std::vector<IpAddress> local;
  FleetOptions fleet;
};

/// Lives on its event loop's thread.
class FleetEngine {
 public:
  /// Opens all sockets; the first Requests leave at once. Needs as many descriptors as there are gateways: see
  /// `raise_descriptor_limit`.
  static SysResult<std::unique_ptr<FleetEngine>> create(EventLoop& loop, const FleetEngineOptions& options,
                                                        Random& random);

  /// All gateways leave. `on_left` once they have, or after ten seconds of trying.
  void leave(std::function<void()> on_left);

  [[nodiscard]] const Fleet& fleet() const { return fleet_; }
  [[nodiscard]] Instant started() const { return started_; }
  /// When the last gateway had its first answer, and the counts of that moment; none yet.
  struct Milestone {
    Instant at;
    Counters<LoadCounter> counters;
  };
  [[nodiscard]] const std::optional<Milestone>& complete() const { return complete_; }
  /// Datagrams for which this side was too slow: dropped by the kernel for want of socket buffer.
  [[nodiscard]] std::uint64_t receive_drops() const { return sockets_.receive_drops(); }
  /// The last errno of a datagram that could not be sent, and how many there were.
  [[nodiscard]] int send_error() const { return send_error_; }
  [[nodiscard]] std::uint64_t send_errors() const { return send_errors_; }

 private:
  FleetEngine(EventLoop& loop, const FleetEngineOptions& options, PeerSockets sockets, Random& random);
  void on_readable();
  void on_timer();
  void drain();

  Instant started_;
  PeerSockets sockets_;
  Fleet fleet_;
  std::optional<Milestone> complete_;
  std::function<void()> on_left_;
  Instant leave_until_ = kNoDeadline;
  int send_error_ = 0;
  std::uint64_t send_errors_ = 0;
  Timer timer_;
  ReadWatch watch_;
};

}  // namespace amt
