#include "load/fleet.hh"

#include <algorithm>
#include <cmath>

#include "base/assert.hh"
#include "load/fleet_impl.hh"

namespace amt {
namespace {

/// How exact `patience` and refreshes are; all gateways are looked at as often.
constexpr Duration kSweepInterval = std::chrono::milliseconds(20);
/// The robustness variable's default, once more for a busy relay (RFC 3376 §8.1).
constexpr unsigned kRepeatsMax = 2;
constexpr unsigned kLeaveTriesMax = 3;
/// Where a Query says nothing useful (RFC 3376 §8.2).
constexpr Duration kQueryIntervalDefault = std::chrono::seconds(125);
/// More than so late, a channel change is not made up for.
constexpr Duration kChangesLateMax = std::chrono::seconds(1);
/// Below 2^16 is where gateways are that count their Requests; relays treat them apart.
constexpr std::uint32_t kRandomNonceBit = 1U << 31;

}  // namespace

Fleet::Impl::Impl(FleetOptions fleet_options, Random& random_source, Instant start)
    : options(std::move(fleet_options)), random(random_source), now(start), next_sweep(start + kSweepInterval) {
  AMT_ASSERT(options.gateways > 0 && !options.channels.empty() && options.in_flight_max > 0);
  members.resize(options.gateways);
  due_at.assign(options.gateways, kNoDeadline);
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    members[i].channel = static_cast<std::uint32_t>(i % options.channels.size());
    enqueue(i);
  }
  if (options.task == FleetTask::kStay && options.changes_per_second > 0) {
    AMT_ASSERT(options.channels.size() > 1);
    next_change = now + change_interval();
  }
}

Duration Fleet::Impl::change_interval() const {
  const double changes_per_second = options.changes_per_second * static_cast<double>(members.size());
  return std::max(Duration(1), Duration(std::llround(1e9 / changes_per_second)));
}

void Fleet::Impl::enqueue(std::uint32_t index) {
  Member& member = members[index];
  member.state = State::kWaiting;
  member.requests = 0;
  due_at[index] = kNoDeadline;
  waiting.push_back(index);
}

void Fleet::Impl::begin_turn(std::uint32_t index) {
  Member& member = members[index];
  const bool is_new = member.requests == 0;
  if (is_new) {
    // "Within one unanswered series" the nonce stays (R-5.2.3.5.3), and the time is that of the first.
    member.nonce = {random.u32() | kRandomNonceBit};
    member.asked = now;
  }
  if (member.has_tunnel && (is_leaving || options.task == FleetTask::kHandshakes)) {
    outputs.push_back({Due::Kind::kTeardown, index});
    // Where it leaves for good, as often as it asks.
    member.has_tunnel = is_leaving;
    end_numbers(member);
  }
  outputs.push_back({Due::Kind::kRequest, index});
  tally.counters.add(LoadCounter::kRequestsSent);
  if (!is_new) tally.counters.add(LoadCounter::kRequestsRepeated);
  ++member.requests;
  member.state = State::kAsking;
  ++in_flight;
  due_at[index] = now + options.patience;
}

void Fleet::Impl::finish(std::uint32_t index) {
  members[index].state = State::kGone;
  due_at[index] = kNoDeadline;
  ++gone;
}

void Fleet::Impl::handle_datagram(Instant at, Instant arrived_at, std::size_t gateway, Bytes datagram) {
  now = at;
  arrived = arrived_at;
  const auto index = static_cast<std::uint32_t>(gateway);
  const Result<wire::MessageType, wire::ParseError> type = wire::peek_type(datagram);
  if (type && *type == wire::MessageType::kMulticastData) {
    handle_data(index, datagram);
  } else if (type && *type == wire::MessageType::kMembershipQuery) {
    handle_query(index, datagram);
  } else {
    tally.counters.add(LoadCounter::kBadAnswers);
  }
}

void Fleet::Impl::handle_query(std::uint32_t index, Bytes datagram) {
  Member& member = members[index];
  const auto query = wire::MembershipQuery::parse(datagram);
  if (!query || member.state != State::kAsking || query->nonce != member.nonce) {
    // An answer to a Request that was repeated meanwhile is such a one, too.
    tally.counters.add(LoadCounter::kBadAnswers);
    return;
  }
  --in_flight;
  if (member.granted.value == 0) ++answered;
  tally.counters.add(LoadCounter::kQueriesReceived);
  if (query->limit) tally.counters.add(LoadCounter::kQueriesWithLimit);
  tally.handshake.add(std::max(Duration::zero(), arrived - member.asked));
  member.granted = query->nonce;
  member.mac = query->mac;
  member.seen_as = query->gateway;
  if (is_leaving) return finish(index);
  if (options.task == FleetTask::kRequests) return enqueue(index);

  outputs.push_back({Due::Kind::kJoin, index});
  tally.counters.add(LoadCounter::kHandshakes);
  if (!member.has_tunnel) {
    tally.counters.add(LoadCounter::kJoins);
    member.joined = now;
    member.is_heard = false;
    member.repeats = 0;
  }
  member.has_tunnel = true;
  if (options.task == FleetTask::kHandshakes) return enqueue(index);

  member.state = State::kConnected;
  Duration interval = kQueryIntervalDefault;
  if (const auto inner = DatagramView::parse(query->datagram)) {
    const auto message = parse_group_message(*inner, {});
    const auto* general = message ? std::get_if<GroupQuery>(&*message) : nullptr;
    if (general != nullptr && general->query_interval > Duration::zero()) interval = general->query_interval;
  }
  member.refresh = now + interval;
  due_at[index] = std::min(member.refresh, now + options.patience);
}

void Fleet::Impl::handle_timeout(Instant at) {
  now = at;
  if (now >= next_sweep) sweep();
  if (is_leaving) return;
  if (now - next_change > kChangesLateMax && next_change != kNoDeadline) next_change = now;
  while (next_change <= now) {
    change_channel(static_cast<std::uint32_t>(changes % members.size()));
    ++changes;
    next_change += change_interval();
  }
}

void Fleet::Impl::sweep() {
  next_sweep = now + kSweepInterval;
  for (std::uint32_t index = 0; index < members.size(); ++index) {
    if (due_at[index] > now) continue;
    Member& member = members[index];
    due_at[index] = kNoDeadline;
    if (member.state == State::kAsking) {
      --in_flight;
      if (is_leaving && member.requests >= kLeaveTriesMax) {
        finish(index);
      } else {
        member.state = State::kWaiting;
        waiting.push_back(index);
      }
    } else if (member.state == State::kConnected && now >= member.refresh) {
      enqueue(index);
    } else if (member.state == State::kConnected) {
      due_at[index] = member.refresh;
      if (member.is_heard || member.repeats >= kRepeatsMax) continue;
      ++member.repeats;
      outputs.push_back({Due::Kind::kJoin, index});
      tally.counters.add(LoadCounter::kUpdatesRepeated);
      due_at[index] = std::min(member.refresh, now + options.patience);
    }
  }
}

void Fleet::Impl::change_channel(std::uint32_t index) {
  Member& member = members[index];
  // While it refreshes, too: it has the answer to an earlier Request.
  if (!member.has_tunnel) return;
  const std::uint32_t left = member.channel;
  const auto others = static_cast<std::uint32_t>(options.channels.size() - 1);
  member.channel = (left + 1 + static_cast<std::uint32_t>(random.below(others))) % (others + 1);
  end_numbers(member);
  member.is_heard = false;
  member.repeats = 0;
  member.joined = now;
  outputs.push_back({Due::Kind::kChange, index, left});
  tally.counters.add(LoadCounter::kChannelChanges);
  tally.counters.add(LoadCounter::kJoins);
  if (member.state == State::kConnected) due_at[index] = std::min(member.refresh, now + options.patience);
}

void Fleet::Impl::leave(Instant at) {
  now = at;
  is_leaving = true;
  next_change = kNoDeadline;
  waiting.clear();
  in_flight = 0;
  for (std::uint32_t index = 0; index < members.size(); ++index) {
    if (members[index].state == State::kGone) continue;
    if (members[index].has_tunnel) {
      enqueue(index);
    } else {
      finish(index);
    }
  }
}

FleetOutput Fleet::Impl::poll_output() {
  if (polled == outputs.size()) {
    outputs.clear();
    polled = 0;
    while (outputs.empty() && in_flight < options.in_flight_max && !waiting.empty()) {
      const std::uint32_t index = waiting.front();
      waiting.pop_front();
      begin_turn(index);
    }
  }
  if (outputs.empty()) return FleetDeadline{std::min(next_sweep, next_change)};
  const Due due = outputs[polled++];
  return FleetTransmit{due.member, write(due)};
}

Fleet::Fleet(FleetOptions options, Random& random, Instant now)
    : impl_(std::make_unique<Impl>(std::move(options), random, now)) {}
Fleet::~Fleet() = default;

void Fleet::handle_datagram(Instant now, Instant arrived, std::size_t gateway, Bytes datagram) {
  impl_->handle_datagram(now, arrived, gateway, datagram);
}
void Fleet::handle_timeout(Instant now) { impl_->handle_timeout(now); }
void Fleet::leave(Instant now) { impl_->leave(now); }
FleetOutput Fleet::poll_output() { return impl_->poll_output(); }
bool Fleet::is_complete() const { return impl_->answered == impl_->members.size(); }
bool Fleet::is_done() const { return impl_->is_leaving && impl_->gone == impl_->members.size(); }
const Counters<LoadCounter>& Fleet::counters() const { return impl_->tally.counters; }

LoadTally Fleet::tally() const {
  LoadTally tally = impl_->tally;
  for (const Impl::Member& member : impl_->members) tally.counters.add(LoadCounter::kLost, Impl::lost_of(member));
  return tally;
}

}  // namespace amt
