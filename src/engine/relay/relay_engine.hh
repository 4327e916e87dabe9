#pragma once
/// A running relay: its workers, and their shared parts.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "egress/narrow_paths.hh"
#include "engine/relay/relay_inheritance.hh"
#include "engine/relay/relay_worker.hh"
#include "engine/relay/router_upstream.hh"
#include "engine/relay/upstream.hh"
#include "engine/relay/upstream_owner.hh"
#include "engine/runtime/event_loop.hh"
#include "relay/relay.hh"
#include "sys/error.hh"

namespace amt {

/// Beginnings and ends, of one worker at a time, in order. Called on the workers' threads, which must not wait;
/// `at_end`: on the loop's thread, when those have ended.
using RelayEventSink = std::function<void(std::vector<RelayEvent> events, bool at_end)>;

struct RelayEngineOptions {
  RelayOptions relay;
  /// Unicast addresses that the relay is reached on; the advertised ones among them.
  std::vector<Endpoint> local;
  /// Further (anycast) addresses on which Discovery is answered.
  std::vector<Endpoint> discovery;
  /// Host mode: interfaces to join on and capture from.
  std::vector<std::string> upstream;
  /// Router mode: the pseudo-interface to create. It has one reader, so there is one worker then.
  std::optional<RouterUpstreamOptions> router;
  DataPathOptions data_path{};
  /// Given: `relay.with_events` is set.
  RelayEventSink on_events{};
  /// Called on the loop's thread with changes of the upstream.
  UpstreamOwner::Watcher on_upstream{};
  /// Threads among which the gateways are divided, 1 to `Steering::kWorkersMax`.
  std::size_t workers = 1;
  /// Of this process; joins leave some of them to the rest of the program (`descriptors_for_joins`).
  std::size_t descriptors_max = 1024;
  /// Called when all sockets and interfaces of the start are open, before the first worker's thread begins: privileges
  /// that are given up here are given up in all threads. An error ends the start.
  std::function<SysResult<void>()> on_opened;
  /// Goes on with the tunnels of another process. It has as many workers as that one, where it gets its sockets.
  std::optional<RelayInheritance> inheritance{};
};

/// Every worker has a thread of its own. The control side lives on the event loop of `create`: joins and leaves
/// upstream, reports to sources. All functions are called on that loop's thread, or while it does not run. Everything
/// is bound and opened in `create`; a failure leaves nothing behind.
class RelayEngine {
 public:
  /// `random` is used by all threads at once where there are several.
  static SysResult<std::unique_ptr<RelayEngine>> create(EventLoop& loop, const RelayEngineOptions& options,
                                                        Random& random);
  /// How many workers there will be.
  [[nodiscard]] static std::size_t workers_for(const RelayEngineOptions& options);
  ~RelayEngine();
  RelayEngine(const RelayEngine&) = delete;
  RelayEngine& operator=(const RelayEngine&) = delete;

  /// Leaves upstream and forgets all tunnels (R-5.3.4-a), which end for `reason`. Nothing is answered or forwarded
  /// afterwards, and the threads have ended.
  void shutdown(EndReason reason = EndReason::kShutDown);
  /// Takes over the options of `fresh` that can change while tunnels live: those of `RelayWorker::set_options` and
  /// `RelayShared::set_limits`, more addresses, upstream interfaces. An address that is not in it any more takes no new
  /// gateways; its tunnels go on. Error: an address or interface cannot be used, and nothing has changed.
  [[nodiscard]] SysResult<void> reload(const RelayEngineOptions& fresh);
  /// See `Relay::set_draining`.
  void set_draining(bool draining);
  [[nodiscard]] bool is_draining() const;
  /// See `UpstreamOwner::all_are_up`.
  [[nodiscard]] bool all_upstreams_are_up() const;
  /// Of all workers, as each was a moment ago.
  [[nodiscard]] std::size_t tunnel_count() const;

  [[nodiscard]] Instant started() const;
  [[nodiscard]] std::size_t worker_count() const;
  /// Different channels that the tunnels want, all workers together.
  [[nodiscard]] std::size_t channel_count() const;
  /// For functions that any thread may call.
  [[nodiscard]] const RelayWorker& worker(std::size_t index) const;
  /// Counters of this object, not of a worker.
  [[nodiscard]] const Counters<RelayCounter>& counters() const;
  /// Calls `visit` on the worker's thread, and then `done` here; not if the engine is shut down first. Data waits for
  /// `visit`: no more than a fraction of a millisecond.
  void ask_worker(std::size_t index, std::function<void(RelayWorker&)> visit, std::function<void()> done);
  /// `number`: its place in `RelayWorker::Published::captures`.
  void for_each_upstream(const std::function<void(const Upstream&, std::size_t number)>& visit) const;

  /// A document of the state as it is while the relay runs, a slice at a time: no tunnel is missing that is there all
  /// the time. `done` is not called if the engine is shut down first.
  void collect_state(const BootId& boot, StateParts parts, std::function<void(std::vector<std::byte>)> done);

  // For a process that takes over (docs/relay-threads.md, "Hand-over to another process"), in this order:
  /// Control messages wait in the sockets from now on, or no more; `done`: no tunnel changes any more. Data goes on.
  void hold_control(bool held, std::function<void()> done);
  /// Nothing is sent any more: arriving datagrams wait in sockets and captures.
  void stop_workers();
  /// The same as `collect_state` at once, when the workers have stopped.
  [[nodiscard]] std::vector<std::byte> state(const BootId& boot, StateParts parts);
  [[nodiscard]] std::vector<LentDescriptor> descriptors() const;
  /// No process has taken over: everything goes on where it stopped.
  void start_workers();
  /// A process has taken over: this engine ends without leaves, Teardowns or events.
  void abandon();

 private:
  struct Impl;
  /// `done` here when all have.
  void ask_all_workers(const std::function<void(RelayWorker&)>& visit, std::function<void()> done);
  explicit RelayEngine(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
