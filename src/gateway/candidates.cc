/// The choice among the configured candidates, and the state that is kept of a relay that was left.

#include <algorithm>

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Attached;
using gateway_state::Resting;

void Gateway::Impl::begin_candidate(Instant now) {
  const RelayCandidate& chosen = options.candidates[candidate];
  if (chosen.kind == RelayCandidate::Kind::kDiscovery) {
    start_discovery(now, chosen.endpoint);
  } else {
    attach(now, chosen.endpoint);
  }
}

void Gateway::Impl::attach(Instant now, const Endpoint& relay) {
  Attached attached;
  attached.relay.endpoint = relay;
  if (previous && previous->endpoint == relay) {
    attached.relay = *previous;
  } else if (previous) {
    counters.add(GatewayCounter::kRelayChanges);
    // RFC 7450 §5.2.3.4.4: "differs from the address returned in a previous Relay Advertisement message, then the
    // gateway SHOULD send a Teardown message (if supported) to the old Relay Address". Once: it may well be dead.
    if (previous->teardown) send_teardown(previous->endpoint, *previous->teardown);
  }
  previous.reset();
  state = std::move(attached);
  start_cycle(now);
}

void Gateway::Impl::detach() {
  if (const auto* attached = std::get_if<Attached>(&state)) previous = attached->relay;
  for (FlowWatch& watch : watches) watch.reset();
  // Nothing is queued for the next relay; its first Query draws a report of everything (R-5.2.3.6.1-b).
  for (HostMachine& host : hosts) host.discard_pending();
}

void Gateway::Impl::next_candidate(Instant now) {
  candidate = (candidate + 1) % options.candidates.size();
  if (candidate == 0) ++rounds;
  begin_candidate(now);
}

void Gateway::Impl::set_candidates(Instant now, std::vector<RelayCandidate> candidates) {
  AMT_ASSERT(!candidates.empty());
  const RelayCandidate current = options.candidates[candidate];
  options.candidates = std::move(candidates);
  const auto same = std::ranges::find(options.candidates, current);
  candidate = same == options.candidates.end() ? 0 : static_cast<std::size_t>(same - options.candidates.begin());
  if (same != options.candidates.end()) return;
  if (!std::holds_alternative<Attached>(state) && !std::holds_alternative<gateway_state::Discovering>(state)) return;
  if (std::holds_alternative<Attached>(state)) detach();
  if (active()) {
    begin_candidate(now);
  } else {
    state = gateway_state::Idle{};
  }
}

void Gateway::Impl::give_up_relay(Instant now) {
  const auto& attached = std::get<Attached>(state);
  const bool answered = attached.answered;
  emit_event(GatewayEvent::Kind::kRelayLost, attached.relay.endpoint);
  detach();
  // Discovery may name another relay in the place of one that served us; one that never answered may be named again.
  if (answered && options.candidates[candidate].kind == RelayCandidate::Kind::kDiscovery) {
    begin_candidate(now);
  } else {
    next_candidate(now);
  }
}

void Gateway::Impl::leave_limited_relay(Instant now) {
  detach();
  candidate = (candidate + 1) % options.candidates.size();
  if (candidate != 0) {
    begin_candidate(now);
    return;
  }
  ++rounds;
  state = Resting{now + backoff(rounds)};
}

}  // namespace amt
