/// Membership Queries (RFC 7450 §5.2.3.5.4).

#include <algorithm>

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Asking;
using gateway_state::Attached;
using gateway_state::kProtocols;
using gateway_state::Session;
using gateway_state::Settled;

namespace {

/// X-3.4-a.
constexpr Duration kQueryIntervalDefault = std::chrono::seconds(125);
constexpr Duration kQueryIntervalMin = std::chrono::seconds(1);
constexpr std::uint8_t kRobustnessDefault = 2;

Duration query_timer(const GroupQuery& general) {
  if (general.query_interval == Duration::zero()) return kQueryIntervalDefault;
  return std::max(general.query_interval, kQueryIntervalMin);
}

bool waits_for(const Asking* asking, wire::RequestNonce nonce) {
  if (asking == nullptr) return false;
  return (asking->sent_with_ecn && nonce == asking->series.with_ecn) ||
         (asking->sent_plain && nonce == asking->series.plain);
}

/// An IGMPv3 or MLDv2 General Query.
bool is_general_query(const GroupQuery& query, wire::Protocol protocol) {
  return query.version == (protocol == wire::Protocol::kIgmp ? 3 : 2) && query.is_general() && query.sources.empty();
}

void learn(gateway_state::RelayKnowledge& relay, const Asking& asking, wire::Protocol protocol,
           wire::RequestNonce nonce) {
  if (asking.sent_with_ecn && nonce == asking.series.with_ecn) {
    relay.ecn_works = true;
    relay.ecn_failures = 0;
  } else if (asking.sent_with_ecn && relay.ecn_failed_in != nonce) {
    relay.ecn_failed_in = nonce;
    if (relay.ecn_failures < gateway_state::kEcnFailuresMax) ++relay.ecn_failures;
  }
  if (protocol == wire::Protocol::kMld) relay.mirrored = asking.last_mirrored;
}

}  // namespace

Result<void, GatewayReject> Gateway::Impl::handle_query(Instant now, const Endpoint& from, Bytes message) {
  const auto query = wire::MembershipQuery::parse(message);
  if (!query) return reject(reject_for(query.error()));
  auto* attached = std::get_if<Attached>(&state);
  if (attached == nullptr || !attached->asking()) return reject(GatewayReject::kNotWaiting);
  if (from != attached->relay.endpoint) return reject(GatewayReject::kWrongSource);
  const auto waiting = [&](wire::Protocol protocol) {
    return waits_for(std::get_if<Asking>(&attached->cycle(protocol)), query->nonce);
  };
  if (std::none_of(kProtocols.begin(), kProtocols.end(), waiting)) {
    return reject(GatewayReject::kWrongNonce);
  }

  const auto datagram = DatagramView::parse(query->datagram);
  if (!datagram) return reject(reject_for(datagram.error()));
  // From any inner source address (R-5.2.1-g), with or without Router Alert: no router on the way looks at it.
  const auto inner = parse_group_message(*datagram, HeaderRules{});
  if (!inner) return reject(reject_for(inner.error()));
  const auto* general = std::get_if<GroupQuery>(&*inner);
  const wire::Protocol protocol = gateway_state::protocol_of(datagram->family());
  if (general == nullptr || !is_general_query(*general, protocol) || !waiting(protocol)) {
    return reject(GatewayReject::kInnerNotQuery);
  }
  accept_query(now, protocol, *query, *general);
  return {};
}

void Gateway::Impl::accept_query(Instant now, wire::Protocol protocol, const wire::MembershipQuery& query,
                                 const GroupQuery& general) {
  auto& attached = std::get<Attached>(state);
  counters.add(GatewayCounter::kQueriesReceived);
  if (!attached.answered) {
    emit_event(GatewayEvent::Kind::kRelayAnswers, attached.relay.endpoint);
    reception.expect_all();
    missing.start(now);
  }
  if (attached.silence_reported || attached.stop_reported)
    emit_event(GatewayEvent::Kind::kRelayAlive, attached.relay.endpoint);
  attached.answered = true;
  attached.silence_reported = attached.stop_reported = false;
  learn(attached.relay, std::get<Asking>(attached.cycle(protocol)), protocol, query.nonce);

  Session fresh{query.nonce, query.mac, std::nullopt, general.robustness == 0 ? kRobustnessDefault : general.robustness,
                false};
  if (query.gateway) {
    fresh.gateway = query.gateway->endpoint;
    fresh.gateway_is_mapped = query.gateway->ipv4_mapped;
  }
  // One Query per Request: from here on the cycle does not wait (R-5.2.3.5.4-g).
  attached.cycle(protocol) = Settled{fresh, now + query_timer(general)};
  compare_endpoint(now, attached, fresh);

  if (!subscribed()) attached.relay.reported = false;
  if (query.limit) {
    emit_event(GatewayEvent::Kind::kRelayLimit, attached.relay.endpoint);
    // RFC 7450 §5.2.3.5.4: "the gateway SHOULD stop sending periodic Request messages and restart the relay discovery
    // procedure"; with state at this relay it may stay (R-5.2.3.5.4-n).
    if (!attached.relay.reported) {
      leave_limited_relay(now);
      return;
    }
  } else {
    rounds = 0;
  }
  watches[gateway_state::index(protocol)].handle_refresh(now);
  for (FlowWatch& watch : watches) watch.refresh_deadline();
  missing.hold(now);
  hosts[gateway_state::index(protocol)].handle_general_query(now, fresh.robustness);
  flush_reports();
}

void Gateway::Impl::compare_endpoint(Instant now, Attached& attached, const Session& fresh) {
  if (!fresh.gateway) return;
  gateway_state::RelayKnowledge& relay = attached.relay;
  if (teardown_repeats && teardown_repeats->to == relay.endpoint &&
      teardown_repeats->session.gateway == fresh.gateway) {
    // The NAT went back to the endpoint that was being torn down.
    teardown_repeats.reset();
  }
  if (relay.seen_as && relay.seen_as != fresh.gateway) {
    emit_event(GatewayEvent::Kind::kEndpointChanged, *fresh.gateway);
    // To the relay it is a tunnel without any state: channels of the old tunnel may not come through this one.
    reception.expect_all();
    missing.start(now);
    if (relay.teardown && relay.teardown->gateway != fresh.gateway) {
      start_teardown(now, relay.endpoint, *relay.teardown);
    }
    relay.teardown.reset();
    relay.reported = false;
    // A Query of the other protocol that named the old endpoint has a MAC that is no longer valid. Not at once: behind
    // a NAT that changes its mind with every packet that would be a storm.
    for (gateway_state::Cycle& cycle : attached.cycles) {
      auto* settled = std::get_if<Settled>(&cycle);
      if (settled != nullptr && settled->session.gateway != fresh.gateway) {
        settled->query_at = std::min(settled->query_at, now + options.timeout_initial);
      }
    }
  }
  relay.seen_as = fresh.gateway;
}

}  // namespace amt
