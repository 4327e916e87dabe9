#include "observe/relay_events.hh"

#include "observe/event_json.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

RelayEvents::RelayEvents(EventLoop& loop, LineOutput output)
    : log_(std::move(output)), second_(loop, [this] { on_second(); }) {}

void RelayEvents::add(std::vector<RelayEvent> events, bool at_end) {
  if (at_end) log_.begin_end();
  log_.add(std::move(events));
}

void RelayEvents::add(const UpstreamOwner::Change& change) { log_.add(upstream_event(wall_now(), change)); }

void RelayEvents::watch(const RelayEngine& engine) {
  engine_ = &engine;
  refused_.begin(rejects());
  second_.set(monotonic_now() + kLookInterval);
}

Counters<RelayReject> RelayEvents::rejects() const {
  Counters<RelayReject> sum;
  for (std::size_t i = 0; i < engine_->worker_count(); ++i) sum.add_all(engine_->worker(i).relay().rejects());
  return sum;
}

void RelayEvents::add_refused(const std::vector<RefusedCounts::Refused>& refused) {
  for (const RefusedCounts::Refused& one : refused) log_.add(refused_event(wall_now(), one.reason, one.count));
}

void RelayEvents::on_second() {
  const Instant now = monotonic_now();
  add_refused(refused_.take(now, rejects()));
  second_.set(now + kLookInterval);
}

void RelayEvents::add(std::string_view name, const std::vector<std::pair<std::string_view, std::string>>& fields) {
  log_.add(named_event(wall_now(), name, fields));
}

void RelayEvents::finish() {
  second_.set(kNoDeadline);
  if (engine_ != nullptr) add_refused(refused_.take_rest(rejects()));
  engine_ = nullptr;
}

}  // namespace amt
