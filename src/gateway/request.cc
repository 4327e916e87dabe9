/// Requests and their retransmission (RFC 7450 §5.2.3.5.1 to .3, .5, .6).

#include <algorithm>

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Asking;
using gateway_state::Attached;
using gateway_state::Cycle;
using gateway_state::Discovering;
using gateway_state::Dormant;
using gateway_state::Idle;
using gateway_state::index;
using gateway_state::kProtocols;
using gateway_state::other;
using gateway_state::RelayKnowledge;
using gateway_state::Resting;
using gateway_state::Series;
using gateway_state::Settled;

namespace {

/// How one Request of a series looks.
struct RequestForm {
  bool ecn = false;
  bool mirrored = false;
};

/// Some relays drop a message with a reserved bit set that they do not know: to them the E flag is one, and to the
/// Linux kernel's relay, which reads the octet's bits mirrored, so is P. So the forms of a series take turns.
RequestForm request_form(const RelayKnowledge& relay, wire::Protocol protocol, bool ecn_capable, std::uint32_t tries) {
  const bool is_mld = protocol == wire::Protocol::kMld;
  if (is_mld && relay.mirrored) return {.ecn = false, .mirrored = tries % 2 == 0};
  std::uint32_t tries_with_ecn = 0;
  if (ecn_capable && !relay.mirrored && relay.ecn_failures < gateway_state::kEcnFailuresMax) {
    tries_with_ecn = relay.ecn_works ? 2 : 1;
  }
  if (tries < tries_with_ecn) return {.ecn = true, .mirrored = false};
  return {.ecn = false, .mirrored = is_mld && (tries - tries_with_ecn) % 2 == 1};
}

}  // namespace

Series Gateway::Impl::new_series() {
  // RFC 7450 §5.2.3.5.6: "A new nonce MUST be generated each time the gateway starts the membership query process."
  Series series{{random.u32()}, {random.u32()}};
  while (series.plain == series.with_ecn) series.plain.value = random.u32();
  return series;
}

void Gateway::Impl::start_cycle(Instant now) {
  const Series series = new_series();
  for (const wire::Protocol protocol : kProtocols) {
    if (active(protocol)) {
      ask(now, protocol, series);
    } else {
      std::get<Attached>(state).cycle(protocol) = Dormant{};
    }
  }
}

void Gateway::Impl::start_protocol(Instant now, wire::Protocol protocol) {
  auto& attached = std::get<Attached>(state);
  const auto* asking = std::get_if<Asking>(&attached.cycle(other(protocol)));
  if (asking == nullptr) {
    start_cycle(now);
    return;
  }
  // The other protocol waits for its answer: join its series, unless we have had ours from it.
  const gateway_state::Session* session = session_of(attached.cycle(protocol));
  const bool answered = session != nullptr && asking->series.contains(session->nonce);
  ask(now, protocol, answered ? new_series() : asking->series);
}

void Gateway::Impl::ask(Instant now, wire::Protocol protocol, const Series& series) {
  Cycle& cycle = std::get<Attached>(state).cycle(protocol);
  Asking asking;
  asking.series = series;
  if (const gateway_state::Session* session = session_of(cycle)) asking.session = *session;
  cycle = std::move(asking);
  send_request(now, protocol);
}

void Gateway::Impl::send_request(Instant now, wire::Protocol protocol) {
  auto& attached = std::get<Attached>(state);
  auto& asking = std::get<Asking>(attached.cycle(protocol));
  const RequestForm form = request_form(attached.relay, protocol, options.ecn_capable, asking.tries);
  wire::Request request;
  request.nonce = form.ecn ? asking.series.with_ecn : asking.series.plain;
  request.protocol = protocol;
  request.ecn_capable = form.ecn;
  request.mirrored_flags = form.mirrored;

  GatewayTransmit transmit{attached.relay.endpoint, {}};
  transmit.datagram.resize(wire::kRequestOctets);
  ByteWriter out({transmit.datagram.data(), transmit.datagram.size()});
  request.write(out);
  outputs.emplace_back(std::move(transmit));
  counters.add(GatewayCounter::kRequestsSent);

  (form.ecn ? asking.sent_with_ecn : asking.sent_plain) = true;
  asking.last_mirrored = form.mirrored;
  asking.last_sent = now;
  asking.next_send = now + backoff(asking.tries + rounds);
  ++asking.tries;
}

void Gateway::Impl::cycle_timeout(Instant now, wire::Protocol protocol) {
  auto* attached = std::get_if<Attached>(&state);
  if (attached == nullptr) return;
  Cycle& cycle = attached->cycle(protocol);
  const auto* settled = std::get_if<Settled>(&cycle);
  const auto* asking = std::get_if<Asking>(&cycle);
  const bool due = (settled != nullptr && settled->query_at <= now) || (asking != nullptr && asking->next_send <= now);
  if (!due) return;

  if (!active(protocol)) {
    cycle = Dormant{};
    const wire::Protocol rest = other(protocol);
    // The last subscription is gone: the idle cycle takes over where this one ends.
    if (active(rest) && std::holds_alternative<Dormant>(attached->cycle(rest))) start_protocol(now, rest);
    return;
  }
  if (settled != nullptr) {
    start_protocol(now, protocol);
    return;
  }
  if (asking->tries >= options.request_tries) {
    if (!attached->silence_reported) emit_event(GatewayEvent::Kind::kRelaySilent, attached->relay.endpoint);
    attached->silence_reported = true;
    // A relay that answers for the other protocol is alive. Without another relay to ask the series goes on.
    const bool alive = std::holds_alternative<Settled>(attached->cycle(other(protocol)));
    const bool alone =
        options.candidates.size() == 1 && options.candidates.front().kind == RelayCandidate::Kind::kRelay;
    if (!alive && !alone) {
      give_up_relay(now);
      return;
    }
  }
  send_request(now, protocol);
}

void Gateway::Impl::hurry(Instant now, wire::Protocol protocol) {
  if (std::holds_alternative<Idle>(state)) {
    begin_candidate(now);
  } else if (auto* resting = std::get_if<Resting>(&state)) {
    resting->until = std::min(resting->until, now + options.timeout_max_subscribed);
  } else if (auto* discovering = std::get_if<Discovering>(&state)) {
    discovering->next_send = std::min(discovering->next_send, discovering->last_sent + options.timeout_initial);
    discovery_timeout(now);
  } else if (auto* attached = std::get_if<Attached>(&state)) {
    if (auto* asking = std::get_if<Asking>(&attached->cycle(protocol))) {
      asking->next_send = std::min(asking->next_send, asking->last_sent + options.timeout_initial);
      cycle_timeout(now, protocol);
    } else if (std::holds_alternative<Dormant>(attached->cycle(protocol))) {
      start_protocol(now, protocol);
    }
  }
}

}  // namespace amt
