#include "gateway/gateway.hh"

#include <algorithm>

#include "base/backoff.hh"
#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Asking;
using gateway_state::Attached;
using gateway_state::Discovering;
using gateway_state::Dormant;
using gateway_state::Idle;
using gateway_state::index;
using gateway_state::kProtocols;
using gateway_state::Resting;
using gateway_state::Settled;

namespace gateway_state {

const Session* session_of(const Cycle& cycle) {
  if (const auto* settled = std::get_if<Settled>(&cycle)) return &settled->session;
  if (const auto* asking = std::get_if<Asking>(&cycle)) return asking->session ? &*asking->session : nullptr;
  return nullptr;
}

bool Attached::asking() const {
  return std::any_of(cycles.begin(), cycles.end(), [](const Cycle& c) { return std::holds_alternative<Asking>(c); });
}

}  // namespace gateway_state

namespace {

/// The records that fit into one Update.
std::size_t report_octets_max(const GatewayOptions& options) {
  return std::min(options.update_octets_max, kControlOctetsMax - wire::kUpdateHeaderOctets);
}

/// Then the source is taken to be silent.
constexpr unsigned kMissingAsksMax = 4;
/// After 1, 3, 7, 15, 31 and 63 s: some relays forward by group alone, and no report will stop them.
constexpr Duration kLeaveRepeatFirst = std::chrono::seconds(1);
constexpr unsigned kLeaveRepeatsMax = 6;

HostMachine make_host(const GatewayOptions& options, Family family, Random& random) {
  HostOptions host;
  host.family = family;
  host.report_octets_max = report_octets_max(options);
  host.ssm = options.ssm;
  return {std::move(host), random};
}

}  // namespace

Gateway::Impl::Impl(GatewayOptions given, Random& source)
    : options(std::move(given)),
      random(source),
      hosts{make_host(options, Family::kIpv4, source), make_host(options, Family::kIpv6, source)},
      watches{FlowWatch(options.silence), FlowWatch(options.silence)},
      lateness(new_lateness()),
      missing(options.missing, options.missing > Duration::zero() ? kMissingAsksMax : 0),
      unwanted(kLeaveRepeatFirst, kLeaveRepeatsMax) {
  AMT_ASSERT(!options.candidates.empty());
  AMT_ASSERT(options.timeout_initial > Duration::zero());
}

std::size_t Gateway::Impl::flows_of(const SourceFilter& filter) {
  constexpr std::size_t kFlowsOfAnySource = 4;
  return filter.mode == FilterMode::kInclude ? filter.sources.size() : kFlowsOfAnySource;
}

void Gateway::Impl::emit_event(GatewayEvent::Kind kind, const Endpoint& endpoint, std::optional<IpAddress> source) {
  outputs.emplace_back(GatewayEvent{kind, endpoint, source});
}

Unexpected<GatewayReject> Gateway::Impl::reject(GatewayReject reason) {
  rejects.add(reason);
  return Unexpected<GatewayReject>(reason);
}

bool Gateway::Impl::subscribed() const {
  return std::any_of(hosts.begin(), hosts.end(), [](const HostMachine& host) { return !host.empty(); });
}

bool Gateway::Impl::active(wire::Protocol protocol) const {
  const HostMachine& host = hosts[index(protocol)];
  // A leave that is still being repeated keeps its session.
  if (!host.empty() || host.next_deadline() != kNoDeadline) return true;
  return protocol == wire::Protocol::kIgmp && options.request_when_idle && !subscribed();
}

bool Gateway::Impl::active() const { return active(wire::Protocol::kIgmp) || active(wire::Protocol::kMld); }

Duration Gateway::Impl::backoff(std::uint32_t retry_count) {
  const Duration cap = subscribed() ? options.timeout_max_subscribed : options.timeout_max;
  return random_backoff(random, options.timeout_initial, cap, retry_count);
}

bool Gateway::Impl::set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) {
  if (const auto* idle = std::get_if<Idle>(&state); idle != nullptr && idle->stopped) return false;
  const wire::Protocol protocol = gateway_state::protocol_of(group.family());
  HostMachine& host = hosts[index(protocol)];
  const SourceFilter before = host.filter(group);
  if (!host.set_filter(now, group, filter)) return false;
  if (before != filter) {
    flows_expected += flows_of(filter);
    flows_expected -= flows_of(before);
    known_flows.make_room(flows_expected);
    watches[index(protocol)].handle_change(before, filter);
    if (reception.set(group, filter) || !before.is_nothing()) missing.start(now);
    unwanted.start(now);
  }
  if (before.is_nothing() && !filter.is_nothing()) hurry(now, protocol);
  flush_reports();
  return true;
}

void Gateway::Impl::handle_timeout(Instant now) {
  if (const auto* resting = std::get_if<Resting>(&state); resting != nullptr && resting->until <= now) {
    if (active()) {
      begin_candidate(now);
    } else {
      state = Idle{};
    }
  }
  discovery_timeout(now);
  for (const wire::Protocol protocol : kProtocols) cycle_timeout(now, protocol);
  silence_timeout(now);
  teardown_timeout(now);
  for (HostMachine& host : hosts) host.handle_timeout(now);
  flush_reports();
}

Instant Gateway::Impl::next_deadline() const {
  Instant deadline = silence_deadline();
  if (teardown_repeats) deadline = std::min(deadline, teardown_repeats->next);
  if (const auto* resting = std::get_if<Resting>(&state)) deadline = std::min(deadline, resting->until);
  if (const auto* discovering = std::get_if<Discovering>(&state)) deadline = std::min(deadline, discovering->next_send);
  if (const auto* attached = std::get_if<Attached>(&state)) {
    for (const wire::Protocol protocol : kProtocols) {
      const gateway_state::Cycle& cycle = attached->cycle(protocol);
      if (const auto* asking = std::get_if<Asking>(&cycle)) deadline = std::min(deadline, asking->next_send);
      if (const auto* settled = std::get_if<Settled>(&cycle)) deadline = std::min(deadline, settled->query_at);
      if (session_of(cycle) != nullptr) deadline = std::min(deadline, hosts[index(protocol)].next_deadline());
    }
  }
  return deadline;
}

Gateway::Gateway(GatewayOptions options, Random& random, Instant now)
    : impl_(std::make_unique<Impl>(std::move(options), random)) {
  if (impl_->active()) impl_->begin_candidate(now);
}

Gateway::~Gateway() = default;

bool Gateway::set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) {
  impl_->known_flows.forget();
  return impl_->set_membership(now, group, filter);
}

void Gateway::set_candidates(Instant now, std::vector<RelayCandidate> candidates) {
  impl_->known_flows.forget();
  impl_->set_candidates(now, std::move(candidates));
}

Result<void, GatewayReject> Gateway::handle_control(Instant now, const Endpoint& from, Bytes message) {
  impl_->known_flows.forget();
  const auto type = wire::peek_type(message);
  if (!type) return impl_->reject(Impl::reject_for(type.error()));
  switch (*type) {
    case wire::MessageType::kRelayAdvertisement:
      return impl_->handle_advertisement(now, from, message);
    case wire::MessageType::kMembershipQuery:
      return impl_->handle_query(now, from, message);
    case wire::MessageType::kRelayDiscovery:
    case wire::MessageType::kRequest:
    case wire::MessageType::kMembershipUpdate:
    case wire::MessageType::kMulticastData:
    case wire::MessageType::kTeardown:
      break;
  }
  // RFC 7450 §5.2.3.2: "A gateway MUST ignore any datagram it receives that cannot be interpreted as a Relay
  // Advertisement, Membership Query, or Multicast Data message." Data comes by `accept_data`.
  return impl_->reject(GatewayReject::kWrongRole);
}

Result<DataPacket, GatewayReject> Gateway::accept_data(Instant now, const Endpoint& from, Ecn outer_ecn,
                                                       MutableBytes message, bool verify_transport) {
  return impl_->accept_data(now, from, outer_ecn, message, verify_transport);
}

void Gateway::handle_unreachable(Instant, const Endpoint& to) {
  impl_->counters.add(GatewayCounter::kUnreachables);
  if (to == relay()) impl_->emit_event(GatewayEvent::Kind::kUnreachable, to);
}

void Gateway::handle_timeout(Instant now) {
  impl_->known_flows.forget();
  impl_->handle_timeout(now);
}

void Gateway::shutdown(Instant now) {
  impl_->known_flows.forget();
  impl_->shutdown(now);
}

GatewayOutput Gateway::poll_output() {
  if (impl_->outputs.empty()) return GatewayDeadline{impl_->next_deadline()};
  GatewayOutput output = std::move(impl_->outputs.front());
  impl_->outputs.pop_front();
  return output;
}

GatewayPhase Gateway::phase() const {
  if (std::holds_alternative<Discovering>(impl_->state)) return GatewayPhase::kDiscovering;
  if (std::holds_alternative<Resting>(impl_->state)) return GatewayPhase::kRefused;
  const auto* attached = std::get_if<Attached>(&impl_->state);
  if (attached == nullptr) return GatewayPhase::kIdle;
  const auto& cycles = attached->cycles;
  // A session of a relay that does not answer any more is none.
  if (!attached->silence_reported &&
      std::any_of(cycles.begin(), cycles.end(), [](const auto& cycle) { return session_of(cycle) != nullptr; })) {
    return GatewayPhase::kConnected;
  }
  return attached->asking() ? GatewayPhase::kRequesting : GatewayPhase::kIdle;
}

std::optional<Endpoint> Gateway::relay() const {
  const auto* attached = std::get_if<Attached>(&impl_->state);
  return attached == nullptr ? std::nullopt : std::optional(attached->relay.endpoint);
}

Counters<GatewayCounter>& Gateway::counters() { return impl_->counters; }
const Counters<GatewayCounter>& Gateway::counters() const { return impl_->counters; }
EcnPair Gateway::last_ecn_mismatch() const { return impl_->last_ecn_mismatch; }
const Counters<GatewayReject>& Gateway::rejects() const { return impl_->rejects; }

void Gateway::for_each_membership(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const HostMachine& host : impl_->hosts) host.for_each_group(visit);
}

}  // namespace amt
