#include "observe/relay_slices.hh"

#include <algorithm>

#include "sys/clock.hh"

namespace amt {
namespace {

// The cost that a slice may have: a tunnel or a group costs a cache miss or two.
constexpr std::size_t kTunnelNumbersMax = 512;
constexpr std::size_t kWeightMax = 256;
constexpr std::size_t kSourcesPerWeight = 8;
constexpr std::size_t kChannelsMax = 256;

bool matches(const TunnelWanted& wanted, const Relay::TunnelView& view) {
  const Endpoint& endpoint = view.tunnel.endpoint;
  if (wanted.only) return endpoint == *wanted.only;
  if (wanted.after && !(*wanted.after < endpoint)) return false;
  if (wanted.address && !wanted.address->contains(endpoint.address)) return false;
  return !wanted.group || view.router.has_group_in(*wanted.group);
}

TunnelStatus status_of(Instant now, const Relay::TunnelView& view, const ReplicationBackEnd& back_end) {
  TunnelStatus status;
  status.endpoint = view.tunnel.endpoint;
  status.number = view.number;
  status.group_count = view.router.group_count();
  status.packets = view.tunnel.packets;
  status.bytes = view.tunnel.bytes;
  status.since = now - view.since;
  status.heard = now - view.heard;
  status.expires = std::max(view.expires - now, Duration::zero());
  status.path = back_end.path_of(view.number, view.tunnel.endpoint);
  return status;
}

/// One walk, with the rest of its weight.
class TunnelCollector {
 public:
  TunnelCollector(const RelayWorker& worker, const TunnelWanted& wanted, TunnelSlice& slice)
      : worker_(worker), wanted_(wanted), slice_(slice), inside_(std::exchange(slice.cursor.inside, std::nullopt)) {}

  /// False: enough.
  bool visit(const Relay::TunnelView& view) {
    if (weight_ >= kWeightMax) return false;
    ++weight_;
    const std::optional<TunnelCursor::Inside> inside = std::exchange(inside_, std::nullopt);
    const bool goes_on = inside && inside->endpoint == view.tunnel.endpoint;
    if (inside && !goes_on) end_part();
    if (!goes_on && !matches(wanted_, view)) return true;
    TunnelPart part{.begins = !goes_on, .ends = true, .tunnel = status_of(now_, view, worker_.back_end())};
    if (wanted_.with_groups) add_groups(view, goes_on ? inside->group : std::nullopt, part);
    slice_.parts.push_back(std::move(part));
    return slice_.parts.back().ends;
  }

  /// After the walk.
  void finish() {
    if (inside_) end_part();
  }

 private:
  /// The tunnel of which a part was reported is gone.
  void end_part() { slice_.parts.push_back({.begins = false, .ends = true}); }

  void add_groups(const Relay::TunnelView& view, std::optional<IpAddress> after, TunnelPart& part) {
    part.ends = view.router.for_each_group_after(after, [&](const IpAddress& group, const SourceFilter& filter) {
      if (weight_ >= kWeightMax) return false;
      weight_ += 1 + filter.sources.size() / kSourcesPerWeight;
      part.tunnel.groups.push_back({group, filter});
      after = group;
      return true;
    });
    if (!part.ends) slice_.cursor.inside = TunnelCursor::Inside{view.tunnel.endpoint, after};
  }

  const RelayWorker& worker_;
  const TunnelWanted& wanted_;
  TunnelSlice& slice_;
  std::optional<TunnelCursor::Inside> inside_;
  Instant now_ = monotonic_now();
  std::size_t weight_ = 0;
};

}  // namespace

void collect_tunnels(const RelayWorker& worker, const TunnelWanted& wanted, TunnelSlice& slice) {
  slice.parts.clear();
  TunnelCollector collector(worker, wanted, slice);
  const std::optional<std::uint32_t> next =
      worker.relay().visit_tunnels(slice.cursor.number, wanted.only ? 1 : kTunnelNumbersMax,
                                   [&](const Relay::TunnelView& view) { return collector.visit(view); });
  collector.finish();
  slice.has_more = next.has_value() && (!wanted.only || slice.cursor.inside);
  if (next) slice.cursor.number = *next;
}

void collect_channels(const RelayWorker& worker, const StatusQuery& query, ChannelSlice& slice) {
  slice.rows.clear();
  slice.has_more = worker.relay().visit_channels(slice.cursor, kChannelsMax, [&](const Relay::ChannelStatus& one) {
    const Channel& channel = one.channel;
    if (query.group && !query.group->contains(channel.group)) return;
    if (query.address && !(channel.source && query.address->contains(*channel.source))) return;
    slice.rows.push_back({.channel = {channel.group, channel.source, one.tunnels, one.packets, one.bytes}});
  });
}

void add_channels(const RelayWorker& worker, bool told_before, ChannelSlice& slice) {
  for (ChannelRow& row : slice.rows) {
    ChannelStatus& whole = row.channel;
    const std::optional<Relay::ChannelStatus> part = worker.relay().channel({whole.source, whole.group});
    if (!part) continue;
    row.is_known |= told_before;
    whole.tunnels += part->tunnels;
    // Each worker takes in the same packets, from when the first of its gateways joined.
    whole.packets = std::max(whole.packets, part->packets);
    whole.bytes = std::max(whole.bytes, part->bytes);
  }
}

}  // namespace amt
