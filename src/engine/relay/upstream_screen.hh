#pragma once
/// Between the upstreams and the fan-out: each packet is taken once.

#include <functional>
#include <optional>
#include <vector>

#include "forward/ingress_choice.hh"
#include "forward/loop_filter.hh"
#include "ip/captured.hh"
#include "relay/relay.hh"
#include "sys/next_hop.hh"

namespace amt {

/// A packet came back to the relay that had forwarded it.
struct ReturnedPacket {
  std::uint32_t first = 0;  ///< the number of the upstream by which it came first
  std::uint32_t again = 0;
  IpAddress source;
  IpAddress group;
};

/// Drops packets from a batch that another upstream brings (`IngressChoice`), and packets that have been through this
/// relay already (`LoopFilter`). Costs nothing with one upstream that no gateway writes to and no program of this host
/// sends out of. Owned by one worker, not thread-safe.
class UpstreamScreen {
 public:
  using OnReturn = std::function<void(const ReturnedPacket&)>;
  /// `relay` outlives this object. `on_return` is called once a minute at most.
  UpstreamScreen(Relay& relay, Random& random, OnReturn on_return);

  /// Upstream `number` has this interface, and data of this relay may come back by it.
  void set_upstream(std::uint32_t number, int interface, bool may_return);
  /// A datagram of this host came by an upstream: a returning datagram could, too.
  void note_local_senders(Instant now) { loops_until_ = now + kLocalSendersMemory; }

  void screen(Instant now, std::uint32_t upstream, std::vector<CapturedDatagram>& batch) {
    if (upstreams_.size() > 1 || may_return_ || now < loops_until_) screen_each(now, upstream, batch);
  }

 private:
  struct Place {
    int interface = 0;
    bool may_return = false;
  };
  static constexpr Duration kLocalSendersMemory = std::chrono::seconds(10);

  void screen_each(Instant now, std::uint32_t upstream, std::vector<CapturedDatagram>& batch);
  [[nodiscard]] bool take(Instant now, std::uint32_t upstream, const CapturedDatagram& datagram);
  void note_return(Instant now, const ReturnedPacket& packet);
  void poll_routes(Instant now);
  [[nodiscard]] std::optional<std::uint32_t> upstream_towards(const IpAddress& source);

  Relay& relay_;
  OnReturn on_return_;
  std::vector<Place> upstreams_;
  bool may_return_ = false;
  Instant loops_until_{};
  Instant next_poll_{};
  Instant next_return_{};
  IngressChoice choice_;
  LoopFilter loops_;
  /// None with one upstream, or where netlink fails: then no route counts.
  std::optional<NextHopQueries> routes_;
};

}  // namespace amt
