#include "engine/relay/relay_worker.hh"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

// Reads per readiness before others get their turn.
constexpr int kReceivesPerTurn = 16;
constexpr int kBatchesPerTurn = 8;
// A batch is not cut short, but none is begun after this long: under overload data must not keep gateways from leaving.
constexpr Duration kDataTurnMax = std::chrono::milliseconds(2);
// Groups reported to the owner of the upstream at a time: a fraction of a millisecond's work for this thread.
constexpr std::size_t kGroupsToldMax = 64;
// All channels of all tunnels are looked at once a second where they are few; else this many at a time, a tenth of a
// millisecond's work, with a pause for others.
constexpr Duration kFlowInterval = std::chrono::seconds(1);
constexpr std::uint32_t kFlowsAtOnceMax = 1024;
constexpr Duration kFlowPause = std::chrono::milliseconds(5);

/// Each reason once a minute (`RefusalLog`).
void tell_refusal(const RefusalReport& report) {
  log_warn("refused {} ({}), {} since the last line of this kind; {} sets the limit", report.whose.to_string(),
           to_string(report.reason), report.count, option_behind(report.reason));
}

std::vector<UdpSocket*> pointers_to(std::deque<UdpSocket>& sockets) {
  std::vector<UdpSocket*> pointers;
  for (UdpSocket& socket : sockets) pointers.push_back(&socket);
  return pointers;
}

OverloadGuard::Waiting waiting_in(const UpstreamCapture& capture) {
  if (!capture.has_waiting(1)) return OverloadGuard::Waiting::kNone;
  return capture.has_waiting(OverloadGuard::kManyWaiting) ? OverloadGuard::Waiting::kMany
                                                          : OverloadGuard::Waiting::kFew;
}

}  // namespace

RelayWorker::RelayWorker(EventLoop& loop, std::size_t index, const Steering& steering, const RelayOptions& options,
                         const DataPathOptions& data_path, std::vector<UdpSocket> sockets,
                         std::unique_ptr<ReplicationBackEnd> back_end, Random& random, RelayColleagues& colleagues)
    : loop_(loop),
      index_(index),
      steering_(steering),
      colleagues_(colleagues),
      relay_(options, random, monotonic_now()),
      sockets_(std::make_move_iterator(sockets.begin()), std::make_move_iterator(sockets.end())),
      back_end_(std::move(back_end)),
      fan_out_(relay_, pointers_to(sockets_), *back_end_, random, data_path.path_mtu, this, data_path.rate_cap),
      pace_(data_path.batch_delay_max),
      screen_(relay_, random, [this](const ReturnedPacket& packet) { colleagues_.report_return(packet); }),
      protocol_timer_(loop,
                      [this] {
                        relay_.handle_timeout(monotonic_now());
                        settle();
                      }),
      publish_timer_(loop, [this] { publish_kernel_counts(); }),
      flows_(data_path.flows),
      flow_timer_(loop, [this] { on_flow_timer(); }) {
  if (flows_) flow_timer_.set(monotonic_now() + kFlowInterval);
  for (UdpSocket& socket : sockets_) watch(socket);
  settle();
}

void RelayWorker::watch(UdpSocket& socket) {
  watches_.emplace_back(loop_, socket.poll_fd(), [this, &socket] { on_socket_readable(socket); });
}

void RelayWorker::report(Instant, Bytes datagram, std::size_t inner_octets_max) {
  if (colleagues_.report_too_big(datagram, inner_octets_max)) return;
  relay_.counters().add(RelayCounter::kTooBigNotReported);
}

void RelayWorker::on_socket_readable(UdpSocket& socket) {
  const LocalAddress local{socket.local()};
  const Instant now = monotonic_now();
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const SysResult<std::size_t> count = socket.receive(received_);
    if (!count) {
      log_warn_limited(local.to_string(), "{}", count.error().to_string());
      break;
    }
    if (*count == 0) break;
    for (const Received& message : received_.received()) relay_.prefetch_index(message.from);
    for (const Received& message : received_.received()) relay_.prefetch_tunnel(message.from);
    for (const Received& message : received_.received()) {
      message.for_each_datagram(
          [&](Bytes datagram) { take_datagram(now, TunnelEndpoint{message.from}, local, datagram); });
    }
    answers_.flush();
  }
  socket.poll_errors([&](const SocketError& error) {
    // Without a port the kernel speaks of a path that this worker has sent on.
    const std::size_t owner = error.to.port == 0 ? index_ : steering_.worker_of(error.to);
    if (owner == index_) {
      handle_error(now, error);
    } else {
      hand_over_error(owner, error);
    }
  });
  settle();
  publish(now);
}

void RelayWorker::take_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram) {
  if (steering_.workers() == 1) return handle_datagram(now, from, to, datagram);
  // A Teardown comes from the endpoint that is, about the one that was (RFC 7450 §5.3.3.5).
  const auto type = wire::peek_type(datagram);
  if (type && *type == wire::MessageType::kTeardown) {
    const auto teardown = wire::Teardown::parse(datagram);
    const std::size_t owner = teardown ? steering_.worker_of(teardown->gateway.endpoint) : index_;
    if (owner == index_) return handle_datagram(now, from, to, datagram);
    // A reject is counted by the relay.
    if (!relay_.admit_teardown(now, *teardown)) return;
    // The stream moves here: this worker's captures are open before the other ends its tunnel, and the other sends its
    // captured packets first.
    open_captures();
    return hand_over_datagram(owner, from, to, datagram, true);
  }
  const std::size_t owner = steering_.worker_of(from);
  if (owner == index_) return handle_datagram(now, from, to, datagram);
  hand_over_datagram(owner, from, to, datagram, false);
}

void RelayWorker::hand_over_datagram(std::size_t owner, const TunnelEndpoint& from, const LocalAddress& to,
                                     Bytes datagram, bool urgent) {
  std::vector<std::byte> octets(datagram.begin(), datagram.end());
  count_hand_over(colleagues_.hand_over(owner, urgent, [=, octets = std::move(octets)](RelayWorker& colleague) {
    if (urgent) colleague.forward_waiting();
    colleague.handle_datagram(monotonic_now(), from, to, octets);
    colleague.settle();
  }));
}

void RelayWorker::hand_over_error(std::size_t owner, const SocketError& error) {
  count_hand_over(colleagues_.hand_over(owner, false, [error](RelayWorker& colleague) {
    colleague.handle_error(monotonic_now(), error);
    colleague.settle();
  }));
}

void RelayWorker::count_hand_over(bool taken) {
  relay_.counters().add(taken ? RelayCounter::kHandedOver : RelayCounter::kHandOverLost);
}

void RelayWorker::handle_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram) {
  // The relay counts a reject; no output follows.
  static_cast<void>(relay_.handle_datagram(now, from, to, datagram));
  drain_outputs();
}

void RelayWorker::handle_error(Instant now, const SocketError& error) { fan_out_.handle_error(now, error); }

void RelayWorker::on_upstream_readable(CapturePlace& place) {
  const Instant turn_end = monotonic_now() + kDataTurnMax;
  for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
    const Instant began = monotonic_now();
    if (began > turn_end || !forward_batch(place, began)) return;
    const auto waiting = [&](std::size_t packets) { return place.capture->has_waiting(packets); };
    switch (pace_.next(waiting)) {
      case BatchPace::Next::kWhenReadable:
        return;
      case BatchPace::Next::kAtOnce:
        break;
      case BatchPace::Next::kAfterRest:
        const Instant now = monotonic_now();
        return place.watch->rest_until(now + pace_.rest(now - began));
    }
  }
}

bool RelayWorker::forward_batch(CapturePlace& place, Instant now) {
  UpstreamCapture& capture = *place.capture;
  captured_.clear();
  const SysResult<void> received_data = capture.receive(now, captured_, guard_.begin_turn(now));
  const std::size_t datagrams = captured_.size();
  if (capture.took_local()) screen_.note_local_senders(now);
  screen_.screen(now, place.number, captured_);
  const std::uint64_t copies = relay_.counters()[RelayCounter::kDataPacketsSent];
  const std::size_t shed = guard_.shed(captured_, [this](const IpAddress& source, const IpAddress& group) {
    return relay_.targets(source, group).size();
  });
  relay_.counters().add(RelayCounter::kDataOverload, shed);
  if (!captured_.empty()) {
    fan_out_.replicate(now, captured_, capture.mode() == UpstreamMode::kHost ? HopLimit::kLower : HopLimit::kKeep);
  }
  if (const std::optional<OversizeReport> report = fan_out_.poll_oversize(now)) log_warn("{}", report->to_string());
  capture.release();
  if (std::vector<HeardQuery> queries = capture.take_queries(); !queries.empty()) {
    colleagues_.report_queries(place.number, std::move(queries));
  }
  guard_.end_turn(monotonic_now(), datagrams, relay_.counters()[RelayCounter::kDataPacketsSent] - copies,
                  waiting_in(capture));
  // Gateways that cannot be reached may have lost their tunnels.
  settle();
  publish(now);
  if (!received_data) {
    place.watch.reset();
    colleagues_.report_lost_capture();
  }
  return received_data.has_value();
}

void RelayWorker::forward_waiting() {
  for (CapturePlace& place : captures_) {
    if (place.watch) static_cast<void>(forward_batch(place, monotonic_now()));
  }
}

void RelayWorker::drain_outputs() {
  for (;;) {
    RelayOutput output = relay_.poll_output();
    if (const auto* transmit = std::get_if<RelayTransmit>(&output)) {
      answers_.add(socket_at(transmit->from), transmit->to, transmit->datagram);
    } else if (const auto* refusal = std::get_if<RelayRefusal>(&output)) {
      tell_refusal(refusal->report);
    } else {
      next_deadline_ = std::get<Deadline>(output).at;
      return;
    }
  }
}

void RelayWorker::settle() {
  drain_outputs();
  answers_.flush();
  report_events(false);
  // Before the report to the upstream: the first data of a join must find the capture open.
  open_captures();
  tell_upstream();
  protocol_timer_.set(is_control_held_ ? kNoDeadline : next_deadline_);
}

void RelayWorker::open_captures() {
  const bool wanted = relay_.tunnel_count() != 0;
  if (wanted == std::exchange(wanted_, wanted)) return;
  for (const CapturePlace& place : captures_) {
    if (place.capture) place.capture->set_wanted(wanted);
  }
}

UdpSocket& RelayWorker::socket_at(const LocalAddress& local) {
  const auto socket =
      std::ranges::find_if(sockets_, [&](const UdpSocket& candidate) { return candidate.local() == local; });
  AMT_ASSERT(socket != sockets_.end());
  return *socket;
}

void RelayWorker::tell_upstream() {
  // One message at a time: gateways that zap faster than the kernel joins make changes supersede each other in the
  // relay, not messages pile up at the owner.
  if (owner_is_busy_) return;
  std::vector<FilterChange> changes;
  while (changes.size() < kGroupsToldMax) {
    std::optional<FilterChange> change = relay_.poll_upstream();
    if (!change) break;
    changes.push_back(std::move(*change));
  }
  if (changes.empty()) return;
  owner_is_busy_ = true;
  colleagues_.change_upstream(*this, std::move(changes));
}

void RelayWorker::report_events(bool at_end) {
  std::vector<RelayEvent> events = relay_.take_events();
  if (!events.empty()) colleagues_.report_events(std::move(events), at_end);
}

void RelayWorker::on_flow_timer() {
  const Instant now = monotonic_now();
  const std::optional<std::uint32_t> next = relay_.report_flows(now, flows_from_, kFlowsAtOnceMax, *flows_);
  flows_from_ = next.value_or(0);
  flow_timer_.set(now + (next ? kFlowPause : kFlowInterval));
  report_events(false);
}

void RelayWorker::upstream_changed() {
  owner_is_busy_ = false;
  tell_upstream();
}

void RelayWorker::publish(Instant now) {
  const ReplicationBackEnd::Statistics sent = back_end_->statistics();
  published_.xdp_frames.set(sent.xdp_frames);
  published_.xdp_drops.set(sent.xdp_drops);
  published_.order_copies.set(sent.order_copies);
  published_.order_refusals.set(sent.order_refusals);
  if (!publish_timer_.is_set()) publish_timer_.set(now + kPublishInterval);
}

void RelayWorker::publish_kernel_counts() {
  std::uint64_t drops = 0;
  for (const UdpSocket& socket : sockets_) drops += socket.receive_drops();
  published_.receive_drops.set(drops);
  for (CapturePlace& place : captures_) {
    UpstreamCapture::Statistics all = place.before;
    if (place.capture) all += place.capture->statistics();
    Published::Capture& shown = published_.captures[place.number];
    shown.dropped.set(all.dropped);
    shown.malformed.set(all.malformed);
    shown.segmented.set(all.segmented);
  }
}

}  // namespace amt
