#pragma once
/// From a channel to the tunnels that want it (RFC 7450 §5.3.3.4, "forwarding state"; R-5.3.3.4-m,n), and
/// what all of them want together (RFC 4605 §4.1).

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "amt/channel.hh"
#include "base/keyed_hash.hh"
#include "forward/tunnel_set.hh"
#include "ip/address.hh"
#include "membership/source_filter.hh"

namespace amt {

/// The tunnels that a packet of one (S,G) goes to: all of `include`, and all of `any` that are not in `blocked`.
/// No tunnel is in both `include` and `any`. Valid until the table changes.
struct ReplicationTargets {
  TunnelSlots include;
  TunnelSlots any;
  /// A subset of `any`.
  TunnelSlots blocked;

  [[nodiscard]] std::size_t size() const { return include.size() + any.size() - blocked.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// `f(TunnelId)` for each, in a circle that begins at the `start`-th of the slots in which they are stored.
  template <typename F>
  void for_each(F&& f, std::size_t start = 0) const;
};

/// Where a walk through all channels stands, between two slices of it.
struct ChannelCursor {
  /// Of the group to go on with.
  std::uint32_t number = 0;
  /// Inside of a group with very many sources: the last that was visited. The number may be another group's by now.
  struct Inside {
    IpAddress group;
    IpAddress source;
  };
  std::optional<Inside> inside{};
};

/// Limits of the merged membership.
struct MergeOptions {
  /// An any-source group of which more sources than this would be listed is asked for as a whole, (*,G): the table
  /// filters anyway, and for an upstream each listed source costs more than the packets that it keeps away.
  std::size_t sources_listed_max = SIZE_MAX;
  /// These groups can be asked for by their sources alone.
  SsmRange ssm;
};

/// Channels that a first tunnel began, and that the last one ended.
struct ChannelEdges {
  std::vector<Channel> begun;
  std::vector<Channel> ended;

  void clear() {
    begun.clear();
    ended.clear();
  }
};

/// Looked up once a packet: one hash probe, a second one where a group has several sources, whatever the number of
/// channels and tunnels. The cost of a change grows with its sources. `poll_change` visits all sources of a changed
/// group once, after any number of changes. Owned by one worker, not thread-safe.
class ReplicationTable {
 public:
  /// `hash`: keyed, since gateways choose the channels.
  explicit ReplicationTable(const KeyedHash& hash = KeyedHash());
  /// The same, for who polls the merged membership.
  ReplicationTable(const KeyedHash& hash, MergeOptions merge);
  ~ReplicationTable();

  /// `change.before` is what the table holds of this tunnel and group. What began or ended is appended to `edges`.
  void apply(TunnelId tunnel, const FilterChange& change, ChannelEdges* edges = nullptr);
  /// The next group whose merged filter differs from the last one polled, with the change. Any number of `apply` in
  /// between is one change, or none. Merge rule: any EXCLUDE gives EXCLUDE(sources that all excluders exclude, less
  /// those that anyone includes); else INCLUDE(union) (H-a, P-d); and then `MergeOptions`.
  std::optional<FilterChange> poll_change();
  [[nodiscard]] ReplicationTargets find(const IpAddress& source, const IpAddress& group) const;

  /// Whether some tunnel includes `source`, or, where that is null, some tunnel excludes.
  [[nodiscard]] bool has_channel(const IpAddress* source, const IpAddress& group) const;

  /// Accounting of packets that were looked up: at (S,G) where a member includes S, else at (*,G); not at all where no
  /// member wants the group. Constant cost.
  void count(const IpAddress& source, const IpAddress& group, std::uint64_t packets, std::uint64_t octets);

  struct ChannelUse {
    Channel channel;
    std::size_t tunnels = 0;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
  };
  /// (S,G) for every source that a member includes, (*,G) where a member excludes; in no order.
  void for_each_channel(const std::function<void(const ChannelUse&)>& visit) const;
  [[nodiscard]] std::size_t channel_count() const;
  /// The same a slice at a time: about `channels_max` channels, or as many numbers of groups that are free. A channel
  /// that exists during the whole walk is visited exactly once. True: there may be more.
  bool visit_channels(ChannelCursor& cursor, std::size_t channels_max,
                      const std::function<void(const ChannelUse&)>& visit) const;
  /// Nothing: no member wants it. Constant cost.
  [[nodiscard]] std::optional<ChannelUse> use_of(const Channel& channel) const;

  /// What is wanted of each group by all tunnels together; in no order.
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;
  /// Removes any one group, to empty the table: after that nothing is applied any more, and `poll_change` must have
  /// returned nothing before. The change from its merged filter; nothing when the table is empty.
  std::optional<FilterChange> take_group();
  /// True when no tunnel wants anything.
  [[nodiscard]] bool empty() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <typename F>
void ReplicationTargets::for_each(F&& f, std::size_t start) const {
  const std::span<const TunnelId> first = include.slots();
  const std::span<const TunnelId> second = any.slots();
  const std::size_t stored = first.size() + second.size();
  if (stored == 0) return;
  start %= stored;
  const auto visit = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, first.size()); ++i) {
      if (first[i] != kNoTunnel) f(first[i]);
    }
    for (std::size_t i = std::max(begin, first.size()); i < end; ++i) {
      const TunnelId id = second[i - first.size()];
      if (id != kNoTunnel && (blocked.empty() || !blocked.contains(id))) f(id);
    }
  };
  visit(start, stored);
  visit(0, start);
}

}  // namespace amt
