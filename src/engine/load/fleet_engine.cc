#include "engine/load/fleet_engine.hh"

#include <utility>

#include "sys/clock.hh"

namespace amt {
namespace {

/// Rounds over readable sockets before timers and signals get their turn.
constexpr int kRoundsPerTurn = 8;
constexpr Duration kLeaveTimeMax = std::chrono::seconds(10);

}  // namespace

SysResult<std::unique_ptr<FleetEngine>> FleetEngine::create(EventLoop& loop, const FleetEngineOptions& options,
                                                            Random& random) {
  SysResult<PeerSockets> sockets = PeerSockets::open(options.relay, options.local, options.fleet.gateways);
  if (!sockets) return Unexpected<SysError>(sockets.error());
  return std::unique_ptr<FleetEngine>(new FleetEngine(loop, options, std::move(*sockets), random));
}

FleetEngine::FleetEngine(EventLoop& loop, const FleetEngineOptions& options, PeerSockets sockets, Random& random)
    : started_(monotonic_now()),
      sockets_(std::move(sockets)),
      fleet_(options.fleet, random, started_),
      timer_(loop, [this] { on_timer(); }),
      watch_(loop, sockets_.fd(), [this] { on_readable(); }) {
  drain();
}

void FleetEngine::on_readable() {
  bool more = true;
  for (int round = 0; more && round < kRoundsPerTurn; ++round) {
    more = sockets_.receive([this](std::size_t gateway, Bytes datagram, Instant now, Instant arrived) {
      fleet_.handle_datagram(now, arrived, gateway, datagram);
    });
    drain();
  }
}

void FleetEngine::on_timer() {
  const Instant now = monotonic_now();
  fleet_.handle_timeout(now);
  drain();
  if (on_left_ && now >= leave_until_) std::exchange(on_left_, nullptr)();
}

void FleetEngine::drain() {
  for (;;) {
    const FleetOutput output = fleet_.poll_output();
    if (const auto* deadline = std::get_if<FleetDeadline>(&output)) {
      timer_.set(deadline->at);
      break;
    }
    const auto& transmit = std::get<FleetTransmit>(output);
    if (const int code = sockets_.send(transmit.gateway, transmit.datagram); code != 0) {
      send_error_ = code;
      ++send_errors_;
    }
  }
  if (!complete_ && fleet_.is_complete()) complete_ = Milestone{monotonic_now(), fleet_.counters()};
  if (on_left_ && fleet_.is_done()) std::exchange(on_left_, nullptr)();
}

void FleetEngine::leave(std::function<void()> on_left) {
  const Instant now = monotonic_now();
  on_left_ = std::move(on_left);
  leave_until_ = now + kLeaveTimeMax;
  fleet_.leave(now);
  drain();
}

}  // namespace amt
