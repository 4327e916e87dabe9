/// RFC 7450 §5.3.3.4: Membership Update. Authenticated, checked, then applied.

#include "ip/datagram.hh"
#include "relay/relay_impl.hh"
#include "relay/tunnel_gate.hh"

namespace amt {
namespace {

RelayReject reason_of(IpError error) {
  switch (error) {
    case IpError::kTruncated:
      return RelayReject::kInnerTruncated;
    case IpError::kBadVersion:
    case IpError::kBadHeader:
      return RelayReject::kInnerBadHeader;
    case IpError::kBadHeaderChecksum:
      return RelayReject::kInnerBadHeaderChecksum;
  }
  AMT_ASSERT(false);
}

RelayReject reason_of(GroupMessageError error) {
  switch (error) {
    case GroupMessageError::kNotMembership:
      return RelayReject::kInnerNotMembership;
    case GroupMessageError::kFragment:
      return RelayReject::kInnerFragment;
    case GroupMessageError::kTruncated:
      return RelayReject::kInnerTruncated;
    case GroupMessageError::kBadChecksum:
      return RelayReject::kInnerBadChecksum;
    case GroupMessageError::kBadHopLimit:
      return RelayReject::kInnerBadHopLimit;
    case GroupMessageError::kBadDestination:
      return RelayReject::kInnerBadDestination;
    case GroupMessageError::kNoRouterAlert:
      return RelayReject::kInnerNoRouterAlert;
    case GroupMessageError::kBadSource:
      // Not demanded inside AMT (R-5.3.1-d), so it cannot come.
      break;
  }
  AMT_ASSERT(false);
}

/// R-5.3.3.4-a: reports of IGMPv2, IGMPv3, MLDv1, MLDv2, leave and done; neither queries nor IGMPv1 reports.
bool is_update_kind(const GroupMessage& message) {
  if (std::holds_alternative<GroupQuery>(message)) return false;
  const auto* older = std::get_if<OlderReport>(&message);
  return older == nullptr || older->group.family() == Family::kIpv6 || older->version == 2;
}

/// The cost of a message: its records, their sources, and the tunnel's state of the same groups.
std::size_t work_of(const GroupMessage& message, const RouterState* held) {
  const auto* const report = std::get_if<GroupReport>(&message);
  if (report == nullptr) return 1;
  std::size_t work = 0;
  for (const GroupRecord& record : report->records) {
    work += 1 + record.sources.size();
    if (held != nullptr) work += held->membership_count(record.group);
  }
  return work;
}

/// An Update is worth one token; a report of more than this work one for each: tens of microseconds.
constexpr std::size_t kWorkPerToken = 64;

}  // namespace

Relay::Impl::Outcome Relay::Impl::handle_update(Instant now, const TunnelEndpoint& from, const LocalAddress& to,
                                                Bytes message) {
  counters.add(RelayCounter::kUpdatesReceived);
  const auto update = wire::MembershipUpdate::parse(message);
  if (!update) return reject(RelayReject::kBadLength);
  // The MAC before the report: a forger's 64 KB must not cost more than a look at twelve octets.
  const std::optional<TunnelId> id = tunnels.find(from);
  std::optional<bool> ecn_capable;
  if (id && tunnels[*id].nonce == update->nonce && wire::equal_constant_time(tunnels[*id].mac, update->mac)) {
    ecn_capable = tunnels[*id].tunnel.ecn_capable;
  } else {
    ecn_capable = secrets.verify(now, from, update->nonce, update->mac);
  }
  if (!ecn_capable) return reject(RelayReject::kBadMac);
  // Behind the MAC, so that a forged address uses up no other gateway's share (R-6.1-b).
  if (!options.shared->updates.allow(now, from.address)) {
    return refuse(now, {RelayReject::kUpdateRateLimit, subscriber_of(from.address)});
  }

  const auto datagram = DatagramView::parse(update->datagram);
  if (!datagram) return reject(reason_of(datagram.error()));
  const auto report = parse_group_message(*datagram, {.router_alert = options.strict, .link_local_source = false});
  if (!report) return reject(reason_of(report.error()));
  if (!is_update_kind(*report)) return reject(RelayReject::kInnerNotMembership);
  // A hundred records of a hundred sources are not one message's worth of work.
  const std::size_t more_tokens = work_of(*report, id ? &tunnels[*id].router : nullptr) / kWorkPerToken;
  if (more_tokens != 0 && !options.shared->updates.allow(now, from.address, more_tokens)) {
    return refuse(now, {RelayReject::kUpdateRateLimit, subscriber_of(from.address)});
  }

  const UpdateFacts facts{to, *ecn_capable && options.ecn, update->nonce, update->mac};
  const Outcome outcome = id ? update_tunnel(now, *id, facts, *report) : create_tunnel(now, from, facts, *report);
  if (!outcome) return outcome;
  gateway_fields.note_update(from);
  counters.add(RelayCounter::kUpdatesAccepted);
  // X-4.3-a: inside an authenticated unicast tunnel the option has no work to do, and VLC sends zeroed options.
  if (!datagram->router_alert) counters.add(RelayCounter::kUpdatesWithoutRouterAlert);
  return {};
}

Relay::Impl::Outcome Relay::Impl::create_tunnel(Instant now, const TunnelEndpoint& from, const UpdateFacts& facts,
                                                const GroupMessage& report) {
  if (refuses_newcomers(facts.local)) return reject(RelayReject::kDraining);
  TunnelRecord record{.tunnel = {.endpoint = from, .local = facts.local, .ecn_capable = facts.ecn_capable},
                      .router = RouterState(router_options),
                      .expires = now + router_options.group_membership_interval(),
                      .since = now,
                      .nonce = facts.nonce,
                      .mac = facts.mac};
  Gate gate(*this, now, from.address, record.memberships);
  const RouterRejects partial = apply_report(now, record, report, gate);
  std::optional<Refusal> refusal;
  // R-4.2.1.2-b: state is allocated only if the report creates a subscription.
  if (!record.router.empty()) refusal = options.shared->admission.take_tunnel(from.address);
  if (record.router.empty() || refusal) {
    changes.clear();
    gate.release_memberships(record.memberships);
    if (refusal) return refuse(now, *refusal);
    count_partial_rejects(now, from.address, partial);
    return {};
  }
  count_partial_rejects(now, from.address, partial);
  const Instant due = std::min(record.expires, record.router.next_deadline());
  const TunnelId id = tunnels.insert(std::move(record));
  deadlines.set(id, due);
  if (accounts) accounts->begin_tunnel(now, id, tunnels[id].tunnel);
  publish_changes(now, id, EndReason::kLeft);
  options.shared->answers.note_proved(now, from);
  counters.add(RelayCounter::kTunnelsCreated);
  return {};
}

Relay::Impl::Outcome Relay::Impl::update_tunnel(Instant now, TunnelId id, const UpdateFacts& facts,
                                                const GroupMessage& report) {
  TunnelRecord& record = tunnels[id];
  {
    Gate gate(*this, now, record.tunnel.endpoint.address, record.memberships);
    count_partial_rejects(now, record.tunnel.endpoint.address, apply_report(now, record, report, gate));
    publish_changes(now, id, record.router.empty() ? by_gateway(EndReason::kLeft) : EndReason::kLeft);
  }
  if (record.router.empty()) {
    end_tunnel(now, id, by_gateway(EndReason::kLeft));
    return {};
  }
  // RFC 7450 §5.3.3.7: the timer restarts "each time the relay receives a new Membership Update message from the
  // gateway"; a forged one does not get here (R-5.3.3.7-c).
  record.expires = now + router_options.group_membership_interval();
  record.tunnel.local = facts.local;
  record.tunnel.ecn_capable = facts.ecn_capable;
  record.nonce = facts.nonce;
  record.mac = facts.mac;
  record.unreachable = 0;
  schedule(id);
  return {};
}

RouterRejects Relay::Impl::apply_report(Instant now, TunnelRecord& record, const GroupMessage& message, Gate& gate) {
  RouterState& router = record.router;
  if (const auto* report = std::get_if<GroupReport>(&message)) {
    return router.handle_report(now, *report, changes, &gate);
  }
  if (const auto* report = std::get_if<OlderReport>(&message)) {
    return router.handle_older_report(now, *report, changes, &gate);
  }
  return router.handle_leave(now, std::get<OlderLeave>(message), changes, &gate);
}

void Relay::Impl::publish_changes(Instant now, TunnelId id, EndReason reason) {
  if (accounts) accounts->apply(now, id, tunnels[id].tunnel, changes, reason);
  edges.clear();
  for (const FilterChange& change : changes) table.apply(id, change, &edges);
  changes.clear();
  options.shared->admission.hold_channels(edges.begun);
  options.shared->admission.release_channels(edges.ended);
}

void Relay::Impl::count_partial_rejects(Instant now, const IpAddress& address, const RouterRejects& partial) {
  const auto count_refused = [&](RelayReject reason, std::size_t count) {
    if (count != 0) refuse(now, {reason, subscriber_of(address)}, count);
  };
  count_refused(RelayReject::kGroupLimit, partial.groups_limit);
  count_refused(RelayReject::kSourceLimit, partial.sources_limit);
  rejects.add(RelayReject::kLinkScopeGroup, partial.link_scope_group);
  rejects.add(RelayReject::kBadGroup, partial.not_multicast);
  rejects.add(RelayReject::kSsmExclude, partial.exclude_of_ssm_group);
  rejects.add(RelayReject::kSsmOlderReport, partial.older_report_of_ssm_group);
}

}  // namespace amt
