/// Tunnels as values, with which another process can go on.

#include "relay/relay_impl.hh"
#include "relay/tunnel_gate.hh"

namespace amt {

bool Relay::Impl::restore_tunnel(Instant now, const TunnelState& state) {
  if (tunnels.find(state.endpoint)) return false;
  const Instant latest = now + router_options.group_membership_interval();
  TunnelRecord record{.tunnel = {.endpoint = state.endpoint, .local = state.local, .ecn_capable = state.ecn_capable},
                      .router = RouterState(router_options),
                      .expires = std::min(state.expires, latest),
                      .since = std::min(state.since, now),
                      .nonce = state.nonce,
                      .mac = state.mac};
  Gate gate(*this, now, state.endpoint.address, record.memberships);
  const RouterRejects partial = record.router.restore(now, state.groups, changes, &gate);
  std::optional<Refusal> refusal;
  if (!record.router.empty()) refusal = options.shared->admission.take_tunnel(state.endpoint.address);
  if (record.router.empty() || refusal) {
    changes.clear();
    gate.release_memberships(record.memberships);
    if (refusal) static_cast<void>(refuse(now, *refusal));
    return false;
  }
  count_partial_rejects(now, state.endpoint.address, partial);
  const Instant due = std::min(record.expires, record.router.next_deadline());
  const TunnelId id = tunnels.insert(std::move(record));
  deadlines.set(id, due);
  if (accounts) accounts->begin_tunnel(now, id, tunnels[id].tunnel);
  publish_changes(now, id, EndReason::kLeft);
  // It began in the process before, and that was reported.
  if (accounts) static_cast<void>(accounts->take_events());
  return true;
}

void Relay::Impl::restore_use(Instant now, const TunnelUse& use) {
  const std::optional<TunnelId> id = tunnels.find(use.endpoint);
  if (!id) return;
  RelayTunnel& tunnel = tunnels[*id].tunnel;
  tunnel.packets = use.packets;
  tunnel.bytes = use.octets;
  if (accounts) accounts->restore(now, *id, tunnel, use.channels);
}

std::optional<std::uint32_t> Relay::visit_states(std::uint32_t from, std::size_t numbers_max,
                                                 const std::function<bool(const TunnelState&)>& visit) const {
  TunnelState state;
  return visit_tunnels(from, numbers_max, [&](const TunnelView& view) {
    const TunnelRecord& record = impl_->tunnels[TunnelId{view.number}];
    state.endpoint = view.tunnel.endpoint;
    state.local = view.tunnel.local;
    state.ecn_capable = view.tunnel.ecn_capable;
    state.nonce = record.nonce;
    state.mac = record.mac;
    state.since = view.since;
    state.expires = view.expires;
    state.groups.clear();
    view.router.for_each_state([&](const RouterGroupState& group) { state.groups.push_back(group); });
    return visit(state);
  });
}

std::optional<std::uint32_t> Relay::visit_uses(std::uint32_t from, std::size_t numbers_max,
                                               const std::function<bool(const TunnelUse&)>& visit) {
  TunnelUse use;
  return visit_tunnels(from, numbers_max, [&](const TunnelView& view) {
    use.endpoint = view.tunnel.endpoint;
    use.packets = view.tunnel.packets;
    use.octets = view.tunnel.bytes;
    use.channels.clear();
    if (impl_->accounts) {
      view.router.for_each_group([&](const IpAddress& group, const SourceFilter& filter) {
        impl_->accounts->append_uses(TunnelId{view.number}, view.tunnel, channels_only_in(filter, {}, group),
                                     use.channels);
      });
    }
    return visit(use);
  });
}

bool Relay::restore_tunnel(Instant now, const TunnelState& state) { return impl_->restore_tunnel(now, state); }
void Relay::restore_use(Instant now, const TunnelUse& use) { impl_->restore_use(now, use); }

void Relay::restore_channel(const ChannelStatus& status) {
  const std::optional<ChannelStatus> held = channel(status.channel);
  if (!held || status.packets <= held->packets || status.bytes <= held->bytes) return;
  const IpAddress& group = status.channel.group;
  // No tunnel includes the unspecified address, so this counts for (*,G).
  const IpAddress source = status.channel.source.value_or(IpAddress::unspecified(group.family()));
  impl_->table.count(source, group, status.packets - held->packets, status.bytes - held->bytes);
}

void Relay::restore_counter(std::string_view name, std::uint64_t value) {
  const auto add_to = [&](auto& counters, auto first) {
    using Counter = decltype(first);
    for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
      if (counter_name(static_cast<Counter>(i)) == name) counters.add(static_cast<Counter>(i), value);
    }
  };
  add_to(impl_->counters, RelayCounter{});
  add_to(impl_->rejects, RelayReject{});
}

}  // namespace amt
