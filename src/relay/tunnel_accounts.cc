#include "relay/tunnel_accounts.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace amt {

TunnelAccounts::TunnelAccounts(const KeyedHash& hash, std::size_t tunnels_max) : hash_(hash) {
  by_channel_.reserve(std::min(tunnels_max, kReservedMax));
}

std::uint64_t TunnelAccounts::hash_of(TunnelId id, const Channel& channel) const {
  const std::uint64_t of_channel = channel.source ? hash_(*channel.source, channel.group) : hash_(channel.group);
  return hash_(of_channel ^ static_cast<std::uint32_t>(id));
}

std::optional<std::uint32_t> TunnelAccounts::find(TunnelId id, const Channel& channel) const {
  return by_channel_.find(hash_of(id, channel), [&](std::uint32_t candidate) {
    const Use& use = uses_[candidate];
    return use.tunnel == id && use.channel == channel;
  });
}

void TunnelAccounts::begin_tunnel(Instant now, TunnelId id, const RelayTunnel& tunnel) {
  const auto number = static_cast<std::uint32_t>(id);
  if (number >= tunnels_.size()) tunnels_.resize(number + 1);
  tunnels_[number] = {};
  events_.push_back({.kind = RelayEvent::Kind::kTunnelBegin, .endpoint = tunnel.endpoint, .at = now, .since = now});
}

void TunnelAccounts::apply(Instant now, TunnelId id, RelayTunnel& tunnel, std::span<const FilterChange> changes,
                           EndReason reason) {
  if (changes.empty()) return;
  Tunnel& account = tunnels_[static_cast<std::uint32_t>(id)];
  bring_up_to_date(tunnel, account);
  for (const FilterChange& change : changes) {
    for (const Channel& channel : channels_only_in(change.before, change.after, change.group)) {
      end_channel(now, id, tunnel, channel, reason);
    }
    for (const Channel& channel : channels_only_in(change.after, change.before, change.group)) {
      begin_channel(now, id, tunnel, channel);
    }
  }
  bring_up_to_date(tunnel, account);
  tunnel.counts_channels = account.channels > 1;
}

void TunnelAccounts::bring_up_to_date(const RelayTunnel& tunnel, Tunnel& account) {
  const std::uint64_t packets = tunnel.packets - std::exchange(account.packets, tunnel.packets);
  const std::uint64_t octets = tunnel.bytes - std::exchange(account.octets, tunnel.bytes);
  if (account.channels != 1 || tunnel.counts_channels) return;
  uses_[account.uses].packets += packets;
  uses_[account.uses].octets += octets;
}

std::optional<std::uint32_t> TunnelAccounts::report_flows(Instant now, std::uint32_t from, std::uint32_t numbers_max,
                                                          const FlowTimeouts& timeouts, const TunnelOf& tunnel_of) {
  const std::uint32_t end = std::min(uses_.end(), from + std::min(numbers_max, uses_.end()));
  for (std::uint32_t number = from; number < end; ++number) {
    if (!uses_.contains(number)) continue;
    Use& use = uses_[number];
    const RelayTunnel& tunnel = tunnel_of(use.tunnel);
    bring_up_to_date(tunnel, tunnels_[static_cast<std::uint32_t>(use.tunnel)]);
    if (use.packets != use.seen_packets) {
      use.seen_packets = use.packets;
      use.seen_at = now;
    }
    if (use.packets == use.told.packets) continue;
    const bool is_idle = now - use.seen_at >= timeouts.idle;
    if (!is_idle && now - use.told.until < timeouts.active) continue;
    events_.push_back({.kind = RelayEvent::Kind::kFlow,
                       .endpoint = tunnel.endpoint,
                       .channel = use.channel,
                       .at = is_idle ? use.seen_at : now,
                       .since = use.since,
                       .packets = use.packets,
                       .octets = use.octets,
                       .told = use.told,
                       .is_idle = is_idle});
    use.told = {now, use.packets, use.octets};
  }
  return end < uses_.end() ? std::optional(end) : std::nullopt;
}

void TunnelAccounts::begin_channel(Instant now, TunnelId id, const RelayTunnel& tunnel, const Channel& channel) {
  events_.push_back({.kind = RelayEvent::Kind::kChannelBegin,
                     .endpoint = tunnel.endpoint,
                     .channel = channel,
                     .at = now,
                     .since = now});
  const std::uint64_t hash = hash_of(id, channel);
  const std::uint32_t number = uses_.insert({.tunnel = id, .channel = channel, .since = now, .told = {now, 0, 0}});
  by_channel_.insert(hash, number);
  Tunnel& account = tunnels_[static_cast<std::uint32_t>(id)];
  ++account.channels;
  account.uses ^= number;
}

void TunnelAccounts::end_channel(Instant now, TunnelId id, const RelayTunnel& tunnel, const Channel& channel,
                                 EndReason reason) {
  const std::optional<std::uint32_t> number = find(id, channel);
  // Each channel of `FilterChange::before` has begun.
  AMT_ASSERT(number.has_value());
  const Use& use = uses_[*number];
  events_.push_back({.kind = RelayEvent::Kind::kChannelEnd,
                     .reason = reason,
                     .endpoint = tunnel.endpoint,
                     .channel = channel,
                     .at = now,
                     .since = use.since,
                     .packets = use.packets,
                     .octets = use.octets,
                     .told = use.told});
  by_channel_.erase(hash_of(id, channel), *number);
  uses_.erase(*number);
  Tunnel& account = tunnels_[static_cast<std::uint32_t>(id)];
  --account.channels;
  account.uses ^= *number;
}

void TunnelAccounts::end_tunnel(Instant now, const RelayTunnel& tunnel, Instant since, EndReason reason) {
  events_.push_back({.kind = RelayEvent::Kind::kTunnelEnd,
                     .reason = reason,
                     .endpoint = tunnel.endpoint,
                     .at = now,
                     .since = since,
                     .packets = tunnel.packets,
                     .octets = tunnel.bytes});
}

void TunnelAccounts::count(TunnelId id, const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                           std::uint64_t octets) {
  std::optional<std::uint32_t> number = find(id, Channel{source, group});
  if (!number) number = find(id, Channel{std::nullopt, group});
  if (!number) return;
  Use& use = uses_[*number];
  use.packets += packets;
  use.octets += octets;
}

void TunnelAccounts::append_uses(TunnelId id, const RelayTunnel& tunnel, std::span<const Channel> channels,
                                 std::vector<TunnelUse::ChannelUse>& out) {
  bring_up_to_date(tunnel, tunnels_[static_cast<std::uint32_t>(id)]);
  for (const Channel& channel : channels) {
    const std::optional<std::uint32_t> number = find(id, channel);
    if (!number) continue;
    const Use& use = uses_[*number];
    out.push_back({channel, use.since, use.packets, use.octets, use.told});
  }
}

void TunnelAccounts::restore(Instant now, TunnelId id, const RelayTunnel& tunnel,
                             std::span<const TunnelUse::ChannelUse> channels) {
  Tunnel& account = tunnels_[static_cast<std::uint32_t>(id)];
  account.packets = tunnel.packets;
  account.octets = tunnel.bytes;
  for (const TunnelUse::ChannelUse& had : channels) {
    const std::optional<std::uint32_t> number = find(id, had.channel);
    if (!number) continue;
    Use& use = uses_[*number];
    use.since = std::min(had.since, now);
    use.packets = use.seen_packets = had.packets;
    use.octets = had.octets;
    use.told = {std::min(had.told.until, now), std::min(had.told.packets, had.packets),
                std::min(had.told.octets, had.octets)};
    use.seen_at = now;
  }
}

std::vector<RelayEvent> TunnelAccounts::take_events() { return std::exchange(events_, {}); }

}  // namespace amt
