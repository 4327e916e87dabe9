#pragma once
/// A running relay: the state machine `Relay` with its sockets, upstream interfaces and timers.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/event_loop.hh"
#include "engine/narrow_paths.hh"
#include "engine/rate_cap.hh"
#include "engine/router_upstream.hh"
#include "engine/upstream.hh"
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
  /// Router mode: the pseudo-interface to create.
  std::optional<RouterUpstreamOptions> router;
  PathMtuOptions path_mtu{};
  /// The most that a packet may wait for others of its channel, when packets come faster than they go out.
  Duration batch_delay_max = std::chrono::milliseconds(2);
  RateCapOptions rate_cap{};
};

/// Lives on its event loop's thread. Everything is bound, opened and joined in `create`; nothing is left behind by a
/// failure.
class RelayEngine {
 public:
  static SysResult<std::unique_ptr<RelayEngine>> create(EventLoop& loop, const RelayEngineOptions& options,
                                                        Random& random);
  ~RelayEngine();

  /// Leaves upstream and forgets all tunnels (R-5.3.4-a). Nothing is answered or forwarded afterwards.
  void shutdown();

  [[nodiscard]] const Relay& relay() const;
  [[nodiscard]] Instant started() const;
  /// Datagrams that the kernel dropped for want of socket buffer, over all sockets.
  [[nodiscard]] std::uint64_t receive_drops() const;
  void for_each_upstream(const std::function<void(Upstream&)>& visit);

 private:
  struct Impl;
  explicit RelayEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
