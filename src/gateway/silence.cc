/// Early Requests when data stops, or does not begin (R-5.2.3.5.4-k; GatewayOptions::silence).

#include <algorithm>

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Attached;
using gateway_state::index;
using gateway_state::kProtocols;

namespace {
/// From here on the periodic Request is soon enough.
constexpr Duration kAskIntervalMax = std::chrono::seconds(64);
}  // namespace

Instant Gateway::Impl::silence_deadline() const {
  const auto* attached = std::get_if<Attached>(&state);
  // A relay that is being asked already need not be asked again.
  if (attached == nullptr || attached->asking() || !attached->relay.reported || !subscribed()) return kNoDeadline;
  Instant deadline = missing_deadline();
  for (const wire::Protocol protocol : kProtocols) {
    if (!hosts[index(protocol)].empty()) deadline = std::min(deadline, watches[index(protocol)].ask_at());
  }
  return deadline == kNoDeadline ? deadline : deadline + lateness;
}

Instant Gateway::Impl::missing_deadline() const {
  // A packet or two are heard, but their end would go unnoticed.
  const bool is_quiet = std::any_of(kProtocols.begin(), kProtocols.end(), [this](wire::Protocol protocol) {
    return !hosts[index(protocol)].empty() && !watches[index(protocol)].is_flowing();
  });
  return is_quiet || reception.is_anything_unheard() ? missing.next() : kNoDeadline;
}

Duration Gateway::Impl::new_lateness() {
  if (options.silence_span == Duration::zero()) return Duration::zero();
  return random.between(Duration::zero(), options.silence_span);
}

void Gateway::Impl::silence_timeout(Instant now) {
  if (silence_deadline() > now) return;
  for (FlowWatch& watch : watches) watch.refresh_deadline();
  if (silence_deadline() > now) return;
  counters.add(GatewayCounter::kSilences);
  const Instant due = now - lateness;
  lateness = new_lateness();
  if (missing_deadline() <= due) {
    missing.note(now);
    if (missing.next() == kNoDeadline) reception.stop_expecting();
  }
  auto& attached = std::get<Attached>(state);
  for (FlowWatch& watch : watches) {
    for (const std::optional<IpAddress>& source : watch.ask(due, now, kAskIntervalMax)) {
      attached.stop_reported = true;
      emit_event(GatewayEvent::Kind::kDataStopped, attached.relay.endpoint, source);
    }
  }
  start_cycle(now);
}

}  // namespace amt
