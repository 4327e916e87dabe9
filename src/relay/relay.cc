#include "relay/relay.hh"

#include <utility>

#include "relay/relay_impl.hh"

namespace amt {
namespace {

/// "The QRI value SHOULD be at least 10 seconds" in state timers, for any value in the Queries (R-5.3.3.7-e).
constexpr Duration kQueryResponseInterval = std::chrono::seconds(10);

RouterOptions router_options_of(const RelayOptions& options) {
  RouterOptions router;
  router.robustness = options.robustness;
  router.query_interval = options.query_interval;
  router.query_response_interval = kQueryResponseInterval;
  router.single_reporter = true;
  router.groups_max = options.groups_per_tunnel_max;
  router.sources_per_group_max = options.sources_per_group_max;
  router.ssm = options.ssm;
  return router;
}

RelayOptions with_shared(RelayOptions options, Random& random, Instant now) {
  if (options.shared) return options;
  options.shared = std::make_shared<RelayShared>(options, random, now);
  return options;
}

RelayReject reason_of(wire::ParseError error) {
  switch (error) {
    case wire::ParseError::kEmpty:
      return RelayReject::kEmpty;
    case wire::ParseError::kBadVersion:
      return RelayReject::kBadVersion;
    case wire::ParseError::kUnknownType:
      return RelayReject::kUnknownType;
    case wire::ParseError::kBadLength:
      return RelayReject::kBadLength;
  }
  AMT_ASSERT(false);
}

Relay::ChannelStatus status_of(const ReplicationTable::ChannelUse& use) {
  return {use.channel, use.tunnels, use.packets, use.octets};
}

}  // namespace

RelayShared::RelayShared(const RelayOptions& options, Random& random, Instant now)
    : since(now),
      admission(options.limits, KeyedHash(random)),
      answers(options.answers, KeyedHash(random)),
      updates(options.updates_per_second_max, KeyedHash(random), options.limited_prefixes_max) {
  random.fill(seed.octets());
}

Relay::Impl::Impl(const RelayOptions& relay_options, Random& random_source, Instant now)
    : options(with_shared(relay_options, random_source, now)),
      router_options(router_options_of(relay_options)),
      hash(random_source),
      secrets(options, *options.shared),
      gateway_fields(relay_options.gateway_fields, hash, relay_options.query_interval, relay_options.contacts_max),
      tunnels(hash, relay_options.limits.tunnels_max),
      deadlines(std::min(relay_options.limits.tunnels_max, TunnelStore::kReservedMax)),
      table(hash, {relay_options.sources_listed_max, relay_options.ssm}) {
  AMT_ASSERT(options.robustness >= 1 && options.robustness <= 7);
  if (options.with_events) accounts.emplace(hash, options.limits.tunnels_max);
  build_general_queries();
}

Relay::Impl::Outcome Relay::Impl::handle_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to,
                                                  Bytes datagram) {
  // An answer that was not polled would be lost.
  AMT_ASSERT(!pending_transmit);
  if (is_shut_down) return reject(RelayReject::kShutDown);
  if (secrets.advance(now)) counters.add(RelayCounter::kSecretsChanged);
  const auto type = wire::peek_type(datagram);
  if (!type) return reject(reason_of(type.error()));
  switch (*type) {
    case wire::MessageType::kRelayDiscovery:
      return handle_discovery(now, from, to, datagram);
    case wire::MessageType::kRequest:
      return handle_request(now, from, to, datagram);
    case wire::MessageType::kMembershipUpdate:
      return handle_update(now, from, to, datagram);
    case wire::MessageType::kTeardown:
      return handle_teardown(now, datagram);
    case wire::MessageType::kRelayAdvertisement:
    case wire::MessageType::kMembershipQuery:
    case wire::MessageType::kMulticastData:
      // R-5.3.3.1-a
      return reject(RelayReject::kWrongRole);
  }
  AMT_ASSERT(false);
}

Unexpected<RelayReject> Relay::Impl::reject(RelayReject reason) {
  rejects.add(reason);
  return Unexpected<RelayReject>(reason);
}

Unexpected<RelayReject> Relay::Impl::refuse(Instant now, const Refusal& refusal, std::size_t count) {
  rejects.add(refusal.reason, count);
  options.shared->refusals.add(now, refusal);
  refusals_touched = true;
  return Unexpected<RelayReject>(refusal.reason);
}

ControlDatagram& Relay::Impl::transmit(const TunnelEndpoint& to, const LocalAddress& from) {
  // R-5.3.3.2-b,c and R-5.3.3.3-a: back to where it came from, out of where it arrived.
  std::optional<RelayTransmit>& slot = pending_transmit ? second_transmit : pending_transmit;
  return slot.emplace(RelayTransmit{to, from, {}}).datagram;
}

Relay::Relay(const RelayOptions& options, Random& random, Instant now)
    : impl_(std::make_unique<Impl>(options, random, now)) {}
Relay::~Relay() = default;

Result<void, RelayReject> Relay::handle_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to,
                                                 Bytes datagram) {
  return impl_->handle_datagram(now, from, to, datagram);
}

void Relay::prefetch_index(const Endpoint& from) const { impl_->tunnels.prefetch_index(from); }
void Relay::prefetch_tunnel(const Endpoint& from) const { impl_->tunnels.prefetch_record(from); }
Result<void, RelayReject> Relay::admit_teardown(Instant now, const wire::Teardown& teardown) {
  return impl_->admit_teardown(now, teardown);
}

void Relay::handle_timeout(Instant now) { impl_->handle_timeout(now); }

RelayOutput Relay::poll_output() {
  if (impl_->pending_transmit) {
    RelayOutput output(std::move(*impl_->pending_transmit));
    impl_->pending_transmit = std::exchange(impl_->second_transmit, std::nullopt);
    return output;
  }
  if (impl_->refusals_touched) {
    if (auto refused = impl_->options.shared->refusals.poll()) return RelayRefusal{std::move(*refused)};
    impl_->refusals_touched = false;
  }
  return Deadline{impl_->next_deadline()};
}

std::optional<FilterChange> Relay::poll_upstream() {
  std::optional<FilterChange> change = impl_->table.poll_change();
  // Tunnels that still have to be ended take their channels out of the table themselves.
  const bool is_over = impl_->is_shut_down && impl_->tunnels.size() == 0;
  return change || !is_over ? change : impl_->table.take_group();
}

void Relay::set_options(Instant now, const RelayOptions& options) { impl_->set_options(now, options); }
void Relay::set_draining(bool draining) { impl_->is_draining = draining; }
bool Relay::shutdown(Instant now, EndReason reason) { return impl_->shutdown(now, reason); }

std::optional<std::uint32_t> Relay::report_flows(Instant now, std::uint32_t from, std::uint32_t numbers_max,
                                                 const FlowTimeouts& timeouts) {
  if (!impl_->accounts) return std::nullopt;
  return impl_->accounts->report_flows(now, from, numbers_max, timeouts,
                                       [this](TunnelId id) -> const RelayTunnel& { return impl_->tunnels[id].tunnel; });
}

std::vector<RelayEvent> Relay::take_events() {
  return impl_->accounts ? impl_->accounts->take_events() : std::vector<RelayEvent>{};
}

ReplicationTargets Relay::targets(const IpAddress& source, const IpAddress& group) const {
  // After the end only groups that are about to be left are in the table.
  return impl_->is_shut_down ? ReplicationTargets{} : impl_->table.find(source, group);
}

RelayTunnel& Relay::tunnel(TunnelId id) { return impl_->tunnels[id].tunnel; }

void Relay::count_channel(const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                          std::uint64_t octets) {
  impl_->table.count(source, group, packets, octets);
}

void Relay::count_sent(TunnelId id, const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                       std::uint64_t octets) {
  if (impl_->accounts) impl_->accounts->count(id, source, group, packets, octets);
}

void Relay::handle_unreachable(Instant now, const TunnelEndpoint& endpoint, bool is_proven) {
  impl_->handle_unreachable(now, endpoint, is_proven);
}

void Relay::for_each_wanted(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  impl_->table.for_each_group(visit);
}

std::size_t Relay::tunnel_count() const { return impl_->tunnels.size(); }
bool Relay::has_tunnel_at(const Endpoint& endpoint) const {
  return endpoint.port == 0 ? impl_->options.shared->admission.usage_of(endpoint.address).tunnels != 0
                            : impl_->tunnels.find(endpoint).has_value();
}
const RelayTunnel* Relay::tunnel_at(const Endpoint& endpoint) const {
  const std::optional<TunnelId> id = impl_->tunnels.find(endpoint);
  return id ? &impl_->tunnels[*id].tunnel : nullptr;
}
Counters<RelayCounter>& Relay::counters() { return impl_->counters; }
const Counters<RelayCounter>& Relay::counters() const { return impl_->counters; }
const Counters<RelayReject>& Relay::rejects() const { return impl_->rejects; }

void Relay::for_each_tunnel(
    const std::function<void(const RelayTunnel&, const RouterState&, Instant expires)>& visit) const {
  impl_->tunnels.for_each([&](TunnelId id) {
    const TunnelRecord& record = impl_->tunnels[id];
    visit(record.tunnel, record.router, record.expires);
  });
}

void Relay::for_each_channel(const std::function<void(const ChannelStatus&)>& visit) const {
  impl_->table.for_each_channel([&](const ReplicationTable::ChannelUse& use) { visit(status_of(use)); });
}

std::optional<std::uint32_t> Relay::visit_tunnels(std::uint32_t from, std::size_t numbers_max,
                                                  const std::function<bool(const TunnelView&)>& visit) const {
  const TunnelStore& tunnels = impl_->tunnels;
  const std::size_t stop = std::min<std::size_t>(from + numbers_max, tunnels.end());
  for (std::uint32_t number = from; number < stop; ++number) {
    if (!tunnels.contains(TunnelId{number})) continue;
    const TunnelRecord& record = tunnels[TunnelId{number}];
    const Instant heard = record.expires - impl_->router_options.group_membership_interval();
    if (!visit({number, record.tunnel, record.router, record.since, heard, record.expires})) return number;
  }
  return stop < tunnels.end() ? std::optional(static_cast<std::uint32_t>(stop)) : std::nullopt;
}

bool Relay::visit_channels(ChannelCursor& cursor, std::size_t channels_max,
                           const std::function<void(const ChannelStatus&)>& visit) const {
  return impl_->table.visit_channels(cursor, channels_max,
                                     [&](const ReplicationTable::ChannelUse& use) { visit(status_of(use)); });
}

std::optional<Relay::ChannelStatus> Relay::channel(const Channel& channel) const {
  const std::optional<ReplicationTable::ChannelUse> use = impl_->table.use_of(channel);
  if (!use) return std::nullopt;
  return status_of(*use);
}

}  // namespace amt
