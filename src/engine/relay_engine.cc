#include "engine/relay_engine.hh"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include "engine/answer_batch.hh"
#include "engine/batch_pace.hh"
#include "engine/fan_out.hh"
#include "engine/overload_guard.hh"
#include "engine/too_big.hh"
#include "io/icmp_sender.hh"
#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

// Reads per readiness before others get their turn.
constexpr int kReceivesPerTurn = 16;
constexpr int kBatchesPerTurn = 8;
// A batch is not cut short, but none is begun after so long: under overload data must not keep gateways from leaving.
constexpr Duration kDataTurnMax = std::chrono::milliseconds(2);
constexpr Duration kJoinRetryInterval = std::chrono::seconds(5);
// A retry that helped is followed by the next, with room for others between them.
constexpr Duration kJoinRetryPause = std::chrono::milliseconds(20);
// How soon a deleted upstream interface is missed, and a new one of its name found.
constexpr Duration kUpstreamCheckInterval = std::chrono::seconds(2);

}  // namespace

struct RelayEngine::Impl {
  Impl(EventLoop& event_loop, const RelayEngineOptions& options, Random& random_source)
      : loop(event_loop),
        random(random_source),
        started(monotonic_now()),
        relay(options.relay, random_source, started),
        path_mtu(options.path_mtu),
        pace(options.batch_delay_max),
        too_big(options.relay.ssm, random_source, relay.counters(),
                [this](const IpAddress& source, Bytes message) { return send_icmp(source, message); }),
        protocol_timer(loop, [this] { on_protocol_timer(); }),
        join_timer(loop, [this] { on_join_timer(); }),
        upstream_timer(loop, [this] { on_upstream_timer(); }),
        report_timer(loop, [this] { on_report_timer(); }) {}

  SysResult<void> open(const RelayEngineOptions& options);
  SysResult<void> bind(const Endpoint& address);
  void open_icmp();
  bool send_icmp(const IpAddress& source, Bytes message);

  void on_socket_readable(UdpSocket& socket);
  void on_protocol_timer();
  void on_join_timer();
  void on_upstream_timer();
  void on_report_timer();
  void set_report_timer();
  /// After each input of the relay.
  void drain_outputs();
  /// After the last of those that came together: the answers leave, the timers are set.
  void settle();
  UdpSocket& socket_at(const LocalAddress& local);
  void change_upstream(const FilterChange& change);
  void set_membership(Upstream& upstream, const IpAddress& group, const SourceFilter& filter);

  /// One upstream interface; its place is kept while the interface is away.
  struct UpstreamPlace {
    std::function<SysResult<std::unique_ptr<Upstream>>()> open;
    std::unique_ptr<Upstream> upstream{};
    /// None after the interface was lost.
    std::optional<ReadWatch> watch{};
    bool loss_told = false;
  };
  [[nodiscard]] SysResult<void> open_upstream(UpstreamPlace& place);
  void on_upstream_readable(UpstreamPlace& place);
  bool forward_batch(UpstreamPlace& place, Instant now);

  EventLoop& loop;
  Random& random;
  Instant started;
  Relay relay;
  PathMtuOptions path_mtu;
  BatchPace pace;
  std::vector<std::unique_ptr<UdpSocket>> sockets;
  /// IPv4, IPv6; none where the process may not or the machine has no IPv6.
  std::array<std::optional<IcmpSender>, 2> icmp;
  TooBigReporter too_big;
  std::unique_ptr<FanOut> fan_out;
  OverloadGuard guard;
  ReceiveBatch received;
  AnswerBatch answers;
  Instant next_deadline = kNoDeadline;
  std::vector<CapturedDatagram> captured;
  Timer protocol_timer;
  Timer join_timer;
  Timer upstream_timer;
  Timer report_timer;
  /// After the last retry.
  std::size_t joins_missing = 0;
  // Last: they end before what their handlers use.
  std::vector<ReadWatch> watches;
  /// Handlers refer to the places, so these never move.
  std::deque<UpstreamPlace> upstreams;
};

SysResult<void> RelayEngine::Impl::bind(const Endpoint& address) {
  const bool bound = std::any_of(sockets.begin(), sockets.end(),
                                 [&](const std::unique_ptr<UdpSocket>& socket) { return socket->local() == address; });
  if (bound) return {};
  UdpOptions socket_options;
  socket_options.ignore_path_mtu = path_mtu.ignores_kernel();
  SysResult<UdpSocket> socket = UdpSocket::bind(address, socket_options);
  if (!socket) return Unexpected<SysError>(socket.error());
  sockets.push_back(std::make_unique<UdpSocket>(std::move(*socket)));
  return {};
}

SysResult<void> RelayEngine::Impl::open(const RelayEngineOptions& options) {
  for (const std::vector<Endpoint>& addresses : {options.local, options.discovery}) {
    for (const Endpoint& address : addresses) {
      if (SysResult<void> bound = bind(address); !bound) return bound;
    }
  }
  for (const std::string& interface : options.upstream) {
    upstreams.push_back({.open = [interface] { return open_host_upstream(interface); }});
  }
  if (options.router) {
    upstreams.push_back(
        {.open = [&random = random, router = *options.router] { return open_router_upstream(router, random); }});
  }
  for (UpstreamPlace& place : upstreams) {
    if (SysResult<void> opened = open_upstream(place); !opened) return opened;
  }

  std::vector<UdpSocket*> all;
  for (const std::unique_ptr<UdpSocket>& socket : sockets) all.push_back(socket.get());
  fan_out = std::make_unique<FanOut>(relay, all, path_mtu, &too_big, options.rate_cap);
  for (UdpSocket* socket : all) {
    watches.emplace_back(loop, socket->fd(), [this, socket] { on_socket_readable(*socket); });
  }
  if (!upstreams.empty()) open_icmp();
  if (!upstreams.empty()) upstream_timer.set(monotonic_now() + kUpstreamCheckInterval);
  settle();
  return {};
}

void RelayEngine::Impl::open_icmp() {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    SysResult<IcmpSender> sender = IcmpSender::open(family);
    if (sender) {
      icmp[family == Family::kIpv4 ? 0 : 1] = std::move(*sender);
    } else {
      log_debug("sources will not be told what is too big for a tunnel: {}", sender.error().to_string());
    }
  }
}

bool RelayEngine::Impl::send_icmp(const IpAddress& source, Bytes message) {
  std::optional<IcmpSender>& sender = icmp[source.is_v4() ? 0 : 1];
  if (!sender) return false;
  const SysResult<void> sent = sender->send(source, message);
  if (!sent) log_debug("{}", sent.error().to_string());
  return sent.has_value();
}

void RelayEngine::Impl::on_socket_readable(UdpSocket& socket) {
  const LocalAddress local{socket.local()};
  const Instant now = monotonic_now();
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const SysResult<std::size_t> count = socket.receive(received);
    if (!count) {
      log_warn("{}", count.error().to_string());
      break;
    }
    if (*count == 0) break;
    for (const Received& message : received.received()) relay.prefetch_index(message.from);
    for (const Received& message : received.received()) relay.prefetch_tunnel(message.from);
    for (const Received& message : received.received()) {
      message.for_each_datagram([&](Bytes datagram) {
        // A reject is counted by the relay; there is nobody to tell.
        static_cast<void>(relay.handle_datagram(now, TunnelEndpoint{message.from}, local, datagram));
        drain_outputs();
      });
    }
    answers.flush();
  }
  socket.poll_errors([&](const SocketError& error) {
    if (error.code == EMSGSIZE) {
      fan_out->note_path_mtu(now, error);
    } else if (error.is_unreachable) {
      relay.handle_unreachable(now, TunnelEndpoint{error.to});
    }
  });
  settle();
}

void RelayEngine::Impl::on_upstream_readable(UpstreamPlace& place) {
  const Instant turn_end = monotonic_now() + kDataTurnMax;
  for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
    const Instant began = monotonic_now();
    if (began > turn_end || !forward_batch(place, began)) return;
    const auto waiting = [&](std::size_t packets) { return place.upstream->has_waiting(packets); };
    switch (pace.next(waiting)) {
      case BatchPace::Next::kWhenReadable:
        return;
      case BatchPace::Next::kAtOnce:
        break;
      case BatchPace::Next::kAfterRest:
        const Instant now = monotonic_now();
        return place.watch->rest_until(now + pace.rest(now - began));
    }
  }
}

/// False: the upstream interface is lost.
bool RelayEngine::Impl::forward_batch(UpstreamPlace& place, Instant now) {
  Upstream& upstream = *place.upstream;
  captured.clear();
  const SysResult<void> received_data = upstream.receive(now, captured, guard.begin_turn(now));
  const std::size_t datagrams = captured.size();
  const std::uint64_t copies = relay.counters()[RelayCounter::kDataPacketsSent];
  const std::size_t shed = guard.shed(captured, [this](const IpAddress& source, const IpAddress& group) {
    return relay.targets(source, group).size();
  });
  relay.counters().add(RelayCounter::kDataOverload, shed);
  if (!captured.empty()) {
    fan_out->replicate(now, captured, upstream.mode() == UpstreamMode::kHost ? HopLimit::kLower : HopLimit::kKeep);
  }
  upstream.release();
  guard.end_turn(monotonic_now(), datagrams, relay.counters()[RelayCounter::kDataPacketsSent] - copies,
                 upstream.has_waiting(1));
  // Gateways that cannot be reached may have lost their tunnels.
  settle();
  if (!received_data) {
    place.watch.reset();
    upstream_timer.set(now);
  }
  return received_data.has_value();
}

void RelayEngine::Impl::on_protocol_timer() {
  relay.handle_timeout(monotonic_now());
  settle();
}

void RelayEngine::Impl::drain_outputs() {
  for (;;) {
    const RelayOutput output = relay.poll_output();
    if (const auto* transmit = std::get_if<RelayTransmit>(&output)) {
      answers.add(socket_at(transmit->from), transmit->to, transmit->datagram);
    } else if (const auto* change = std::get_if<UpstreamChange>(&output)) {
      change_upstream(change->change);
    } else {
      next_deadline = std::get<Deadline>(output).at;
      return;
    }
  }
}

void RelayEngine::Impl::settle() {
  drain_outputs();
  answers.flush();
  protocol_timer.set(next_deadline);
  set_report_timer();
}

UdpSocket& RelayEngine::Impl::socket_at(const LocalAddress& local) {
  const auto socket = std::ranges::find_if(
      sockets, [&](const std::unique_ptr<UdpSocket>& candidate) { return candidate->local() == local; });
  AMT_ASSERT(socket != sockets.end());
  return **socket;
}

void RelayEngine::Impl::change_upstream(const FilterChange& change) {
  // The text names every source, which may be thousands.
  if (log_enabled(LogLevel::kDebug)) {
    log_debug("upstream {} is now {}", change.group.to_string(), change.after.to_string());
  }
  for (const UpstreamPlace& place : upstreams) set_membership(*place.upstream, change.group, change.after);
}

void RelayEngine::Impl::set_membership(Upstream& upstream, const IpAddress& group, const SourceFilter& filter) {
  const SysResult<void> joined = upstream.set_membership(monotonic_now(), group, filter);
  // Told once, not for each that gateways make fail; and none of them puts the retry off.
  if (joined || join_timer.is_set()) return;
  log_warn("cannot join {} on {} yet: {}", group.to_string(), upstream.interface(), joined.error().to_string());
  join_timer.set(monotonic_now() + kJoinRetryInterval);
}

void RelayEngine::Impl::on_join_timer() {
  std::size_t missing = 0;
  for (const UpstreamPlace& place : upstreams) missing += place.upstream->retry_memberships();
  const Duration pause = missing < joins_missing ? kJoinRetryPause : kJoinRetryInterval;
  joins_missing = missing;
  if (missing != 0) join_timer.set(monotonic_now() + pause);
}

SysResult<void> RelayEngine::Impl::open_upstream(UpstreamPlace& place) {
  SysResult<std::unique_ptr<Upstream>> upstream = place.open();
  if (!upstream) return Unexpected<SysError>(upstream.error());
  // The watch first: it must let go of the old descriptor before that is closed.
  place.watch.reset();
  place.upstream = std::move(*upstream);
  place.watch.emplace(loop, place.upstream->fd(), [this, &place] { on_upstream_readable(place); });
  place.loss_told = false;
  return {};
}

void RelayEngine::Impl::on_upstream_timer() {
  for (UpstreamPlace& place : upstreams) {
    if (!place.upstream->is_lost()) continue;
    const std::string interface = place.upstream->interface();
    const bool is_ours = place.upstream->mode() == UpstreamMode::kRouter;
    if (!place.loss_told) {
      log_warn("upstream {} is gone; {}", interface,
               is_ours ? "making it anew" : "waiting for an interface of that name");
    }
    place.loss_told = true;
    if (!open_upstream(place)) continue;
    log_info("upstream {} is back", interface);
    relay.for_each_wanted(
        [&](const IpAddress& group, const SourceFilter& filter) { set_membership(*place.upstream, group, filter); });
  }
  set_report_timer();
  upstream_timer.set(monotonic_now() + kUpstreamCheckInterval);
}

void RelayEngine::Impl::on_report_timer() {
  const Instant now = monotonic_now();
  for (const UpstreamPlace& place : upstreams) place.upstream->handle_timeout(now);
  set_report_timer();
}

void RelayEngine::Impl::set_report_timer() {
  Instant next = kNoDeadline;
  for (const UpstreamPlace& place : upstreams) next = std::min(next, place.upstream->next_deadline());
  report_timer.set(next);
}

SysResult<std::unique_ptr<RelayEngine>> RelayEngine::create(EventLoop& loop, const RelayEngineOptions& options,
                                                            Random& random) {
  auto impl = std::make_unique<Impl>(loop, options, random);
  if (const SysResult<void> opened = impl->open(options); !opened) return Unexpected<SysError>(opened.error());
  return std::unique_ptr<RelayEngine>(new RelayEngine(std::move(impl)));
}

RelayEngine::RelayEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelayEngine::~RelayEngine() = default;

void RelayEngine::shutdown() {
  impl_->watches.clear();
  impl_->upstream_timer.set(kNoDeadline);
  impl_->relay.shutdown(monotonic_now());
  impl_->settle();
  // What the upstream interfaces have to say about the end.
  impl_->on_report_timer();
  impl_->report_timer.set(kNoDeadline);
  impl_->protocol_timer.set(kNoDeadline);
  impl_->join_timer.set(kNoDeadline);
}

const Relay& RelayEngine::relay() const { return impl_->relay; }
Instant RelayEngine::started() const { return impl_->started; }

std::uint64_t RelayEngine::receive_drops() const {
  std::uint64_t drops = 0;
  for (const std::unique_ptr<UdpSocket>& socket : impl_->sockets) drops += socket->receive_drops();
  return drops;
}

void RelayEngine::for_each_upstream(const std::function<void(Upstream&)>& visit) {
  for (const Impl::UpstreamPlace& place : impl_->upstreams) visit(*place.upstream);
}

}  // namespace amt
