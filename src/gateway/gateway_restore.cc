/// A gateway as octets, and back.

#include <algorithm>
#include <utility>

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Asking;
using gateway_state::Attached;
using gateway_state::Discovering;
using gateway_state::kProtocols;
using gateway_state::Resting;
using gateway_state::Settled;

namespace {

/// RFC 3376 §4.1.7: the longest interval that a query can name, 31 744 s, rounded up.
constexpr Duration kQueryIntervalMax = std::chrono::hours(9);

}  // namespace

template <typename Io, typename Self>
void Gateway::Impl::fields(Io& io, Self& self) {
  io(self.state, self.rounds, self.previous, self.teardown_repeats, self.data_source, self.lateness, self.missing,
     self.unwanted, self.counters, self.rejects);
}

void Gateway::Impl::save(StateRecordWriter& out) const {
  out(options.candidates[candidate]);
  for (const HostMachine& host : hosts) host.save(out);
  fields(out, *this);
  for (const FlowWatch& watch : watches) watch.save(out);
  reception.save(out);
}

void Gateway::Impl::restore(Instant now, StateRecordReader& in) {
  RelayCandidate current;
  in(current);
  for (HostMachine& host : hosts) host.restore(now, in);
  fields(in, *this);
  if (in.has_failed()) return;
  follow_filters();
  for (FlowWatch& watch : watches) watch.restore(in);
  reception.restore(in);
  if (in.has_failed()) return;
  outputs.clear();
  limit_times(now);
  candidate = 0;
  set_candidates(now, std::exchange(options.candidates, {current}));
}

void Gateway::Impl::follow_filters() {
  for (const wire::Protocol protocol : kProtocols) {
    hosts[gateway_state::index(protocol)].for_each_group([&](const IpAddress& group, const SourceFilter& filter) {
      flows_expected += flows_of(filter);
      watches[gateway_state::index(protocol)].handle_change({}, filter);
      static_cast<void>(reception.set(group, filter));
    });
  }
  known_flows.make_room(flows_expected);
}

void Gateway::Impl::limit_times(Instant now) {
  const Instant latest = now + options.timeout_max;
  if (auto* resting = std::get_if<Resting>(&state)) resting->until = std::min(resting->until, latest);
  if (auto* discovering = std::get_if<Discovering>(&state)) {
    discovering->next_send = std::min(discovering->next_send, latest);
  }
  if (auto* attached = std::get_if<Attached>(&state)) {
    for (gateway_state::Cycle& cycle : attached->cycles) {
      if (auto* asking = std::get_if<Asking>(&cycle)) asking->next_send = std::min(asking->next_send, latest);
      if (auto* settled = std::get_if<Settled>(&cycle)) {
        settled->query_at = std::min(settled->query_at, now + kQueryIntervalMax);
      }
    }
  }
  lateness = std::min(lateness, options.silence_span);
}

void Gateway::save(StateRecordWriter& out) const { impl_->save(out); }
void Gateway::restore(Instant now, StateRecordReader& in) { impl_->restore(now, in); }

}  // namespace amt
