#pragma once
/// The inside of `RelayEngine`. Only for this room.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/relay/memory_return.hh"
#include "engine/relay/relay_engine.hh"
#include "engine/relay/too_big_desk.hh"
#include "engine/runtime/loop_thread.hh"
#include "sys/clock.hh"

namespace amt {

struct RelayEngine::Impl final : RelayColleagues, std::enable_shared_from_this<RelayEngine::Impl> {
  Impl(EventLoop& event_loop, const RelayEngineOptions& options, Random& random_source)
      : loop(event_loop),
        started(monotonic_now()),
        ssm(options.relay.ssm),
        random(random_source),
        steering(steering_of(options, random_source)),
        handed_over(steering.workers()),
        upstream(
            loop, steering.workers(), options.relay.ssm,
            [this](std::size_t worker, std::size_t number, auto capture) {
              hand_out(worker, number, std::move(capture));
            },
            [this](bool wanted) {
              for (std::size_t i = 0; i < workers.size(); ++i) {
                post_to(i, [wanted](RelayWorker& worker) { worker.set_local_senders(wanted); });
              }
            },
            options.on_upstream),
        on_events(options.on_events),
        earlier_joins_timer(loop, [this] { earlier_joins.clear(); }) {}

  static Steering steering_of(const RelayEngineOptions& options, Random& random_source);
  SysResult<void> open(const RelayEngineOptions& options);
  SysResult<void> make_workers(const RelayEngineOptions& options, std::vector<std::vector<UdpSocket>> sockets);
  SysResult<void> open_upstreams(const RelayEngineOptions& options);
  /// By worker, for those of `addresses` that are not among `bound`, which they join.
  SysResult<std::vector<std::vector<UdpSocket>>> bind_more(const std::vector<Endpoint>& addresses);
  SysResult<void> add_upstream(const std::string& interface, const std::vector<Endpoint>& own);
  /// Error: nothing has changed.
  SysResult<void> change_upstreams(const RelayEngineOptions& fresh);
  SysResult<void> reload(const RelayEngineOptions& fresh);
  void hand_out(std::size_t worker, std::size_t number, std::unique_ptr<UpstreamCapture> capture);
  void shutdown(EndReason reason);
  void start_workers();

  // relay_engine_inherit.cc
  /// Tunnels, and with them sockets and captures where there are any.
  SysResult<void> inherit(const RelayInheritance& inheritance);
  SysResult<void> adopt_sockets(const SharedState& shared);
  [[nodiscard]] std::optional<GivenCapture> given_capture(const std::string& interface, std::size_t worker);
  /// Until this process has joined the same.
  void keep_earlier_joins();

  // relay_engine_state.cc
  [[nodiscard]] SharedState shared_state() const;
  void append_counters(StateRecords& records) const;
  /// A document with the records that belong to no single worker.
  [[nodiscard]] StateDocument begin_document(const BootId& boot, Instant written, StateParts parts) const;

  /// Any thread.
  void post_to(std::size_t worker, std::function<void(RelayWorker&)> work);
  void post_to_owner(std::function<void(Impl&)> work);

  void change_upstream(RelayWorker& worker, std::vector<FilterChange> changes) override;
  void report_queries(std::size_t upstream_number, std::vector<HeardQuery> queries) override;
  void report_lost_capture() override;
  void report_return(const ReturnedPacket& packet) override;
  bool report_too_big(Bytes datagram, std::size_t inner_octets_max) override;
  void report_events(std::vector<RelayEvent> events, bool at_end) override { on_events(std::move(events), at_end); }
  bool hand_over(std::size_t to, bool urgent, std::function<void(RelayWorker&)> work) override;

  EventLoop& loop;
  Instant started;
  SsmRange ssm;
  Random& random;
  Steering steering;
  /// Addresses that there are sockets for.
  std::vector<Endpoint> bound;
  std::vector<std::string> interfaces;
  std::shared_ptr<RelayShared> shared;
  bool is_draining = false;
  bool is_shut_down = false;
  /// By worker: hand-overs of others that wait for it.
  std::vector<std::atomic<std::size_t>> handed_over;
  /// Reports that wait for `too_big`.
  std::atomic<std::size_t> reports_waiting = 0;
  /// Of this loop's thread.
  Counters<RelayCounter> counters;
  // The threads end before the workers, and both before the members that they use; the upstream after the captures.
  UpstreamOwner upstream;
  RelayEventSink on_events;
  std::vector<std::unique_ptr<LoopThread>> threads;
  std::vector<std::unique_ptr<RelayWorker>> workers;
  std::optional<TooBigDesk> too_big;
  std::optional<MemoryReturn> memory_return;
  /// Descriptors of another process that have not been taken yet.
  std::vector<GivenDescriptor> given;
  std::vector<GivenDescriptor> earlier_joins;
  Timer earlier_joins_timer;
};

}  // namespace amt
