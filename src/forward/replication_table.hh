#pragma once
/// From a channel to the tunnels that want it (RFC 7450 §5.3.3.4, "forwarding state"; CONFORMANCE R-5.3.3.4-m,n).

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "amt/channel.hh"
#include "base/keyed_hash.hh"
#include "membership/source_filter.hh"

namespace amt {

/// Index of a tunnel in its relay's table.
enum class TunnelId : std::uint32_t {};

/// The tunnels that a packet of one (S,G) goes to: all of `include`, and all of `any` that are not in `blocked`.
/// No tunnel is in both `include` and `any`. Valid until the table changes.
struct ReplicationTargets {
  std::span<const TunnelId> include;
  std::span<const TunnelId> any;
  /// Ascending; a subset of `any`.
  std::span<const TunnelId> blocked;

  [[nodiscard]] std::size_t size() const { return include.size() + any.size() - blocked.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// `f(TunnelId)` for each, in a circle that begins at the `start`-th of those that are stored.
  template <typename F>
  void for_each(F&& f, std::size_t start = 0) const;

 private:
  [[nodiscard]] bool is_blocked(TunnelId id) const;
};

/// Looked up once a packet: two hash probes, whatever the number of channels and tunnels. A change costs what changes
/// (removal by swap with the last; no scan of other tunnels), but for one: a source that n tunnels in EXCLUDE mode
/// block has a sorted list of n, and one more moves half of it. Owned by one worker, not thread-safe.
class ReplicationTable {
 public:
  /// `hash`: keyed, since gateways choose the channels.
  explicit ReplicationTable(const KeyedHash& hash = KeyedHash());
  ~ReplicationTable();

  /// `change.before` is what the table holds of this tunnel and group.
  void apply(TunnelId tunnel, const FilterChange& change);
  [[nodiscard]] ReplicationTargets find(const IpAddress& source, const IpAddress& group) const;

  /// Accounting of packets that were looked up: at (S,G) where somebody includes S, else at (*,G); nothing where
  /// nobody wants the group. Constant cost.
  void count(const IpAddress& source, const IpAddress& group, std::uint64_t packets, std::uint64_t octets);

  struct ChannelUse {
    Channel channel;
    std::size_t tunnels = 0;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
  };
  /// (S,G) for every source that somebody includes, (*,G) where somebody excludes; in no order.
  void for_each_channel(const std::function<void(const ChannelUse&)>& visit) const;
  [[nodiscard]] std::size_t channel_count() const;
  /// True when no tunnel wants anything.
  [[nodiscard]] bool empty() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <typename F>
void ReplicationTargets::for_each(F&& f, std::size_t start) const {
  const std::size_t stored = include.size() + any.size();
  if (stored == 0) return;
  start %= stored;
  const auto visit = [&](std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < std::min(end, include.size()); ++i) f(include[i]);
    for (std::size_t i = std::max(first, include.size()); i < end; ++i) {
      const TunnelId id = any[i - include.size()];
      if (blocked.empty() || !is_blocked(id)) f(id);
    }
  };
  visit(start, stored);
  visit(0, start);
}

inline bool ReplicationTargets::is_blocked(TunnelId id) const {
  return std::binary_search(blocked.begin(), blocked.end(), id);
}

}  // namespace amt
