/// Early Requests when data stops (R-5.2.3.5.4-k; GatewayOptions::silence).

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Attached;

namespace {
/// From here on the periodic Request is soon enough.
constexpr Duration kAskIntervalMax = std::chrono::seconds(64);
}  // namespace

Instant Gateway::Impl::silence_deadline() const {
  const auto* attached = std::get_if<Attached>(&state);
  // Whoever is being asked already need not be asked again.
  if (attached == nullptr || attached->asking() || !attached->relay.reported || !subscribed()) return kNoDeadline;
  return watch.ask_at();
}

void Gateway::Impl::silence_timeout(Instant now) {
  if (silence_deadline() > now) return;
  counters.add(GatewayCounter::kSilences);
  tell(GatewayEvent::Kind::kDataStopped, std::get<Attached>(state).relay.endpoint);
  watch.note_asked(now, kAskIntervalMax);
  start_cycle(now);
}

}  // namespace amt
