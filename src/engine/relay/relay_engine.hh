#pragma once
/// A running relay: its workers, and what they have in common.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "egress/narrow_paths.hh"
#include "engine/relay/relay_worker.hh"
#include "engine/relay/router_upstream.hh"
#include "engine/relay/upstream.hh"
#include "engine/runtime/event_loop.hh"
#include "relay/relay.hh"
#include "sys/error.hh"

namespace amt {

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
  /// Threads among which the gateways are divided, 1 to `Steering::kWorkersMax`.
  std::size_t workers = 1;
  /// Of this process; joins leave some of them to the rest of the program (`descriptors_for_joins`).
  std::size_t descriptors_max = 1024;
};

/// Every worker has a thread of its own. What controls them lives on the event loop of `create`: joins and leaves
/// upstream, reports to sources. All functions are called on that loop's thread, or while it does not run. Everything
/// is bound and opened in `create`; nothing is left behind by a failure.
class RelayEngine {
 public:
  /// `random` is used by all threads at once where there are several.
  static SysResult<std::unique_ptr<RelayEngine>> create(EventLoop& loop, const RelayEngineOptions& options,
                                                        Random& random);
  ~RelayEngine();
  RelayEngine(const RelayEngine&) = delete;
  RelayEngine& operator=(const RelayEngine&) = delete;

  /// Leaves upstream and forgets all tunnels (R-5.3.4-a). Nothing is answered or forwarded afterwards, and the threads
  /// have ended.
  void shutdown();

  [[nodiscard]] Instant started() const;
  [[nodiscard]] std::size_t worker_count() const;
  /// For what may be read from any thread.
  [[nodiscard]] const RelayWorker& worker(std::size_t index) const;
  /// What is counted here and not by a worker.
  [[nodiscard]] const Counters<RelayCounter>& counters() const;
  /// Calls `visit` on the worker's thread, and then `done` here; not if the engine is shut down first. Data waits for
  /// `visit`: no more than a fraction of a millisecond.
  void ask_worker(std::size_t index, std::function<void(RelayWorker&)> visit, std::function<void()> done);
  void for_each_upstream(const std::function<void(const Upstream&)>& visit) const;

 private:
  struct Impl;
  explicit RelayEngine(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
