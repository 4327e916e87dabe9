/// The events of a storm.

#include <algorithm>

#include "sim/groups.hh"
#include "sim/world.hh"

namespace amt::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void World::act() {
  // This much for each gateway, for any number of them; and for the world as a whole.
  constexpr Duration kPerGateway = seconds(12);
  constexpr std::size_t kWorldShare = 4;
  next_act_ = now_ + random_.between(milliseconds(1), kPerGateway / gateways_.size());
  if (random_.below(gateways_.size()) < kWorldShare) {
    act_on_world();
  } else {
    act_on_gateway();
  }
}

void World::act_on_gateway() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 55) {
    change_membership();
  } else if (dice < 67) {
    if (scenario_.rebinding_nats && network_.rebind(any_gateway().id)) tally_.add(Event::kRebinds);
  } else if (dice < 74) {
    if (scenario_.gateway_restarts) restart_gateway(any_gateway());
  } else if (dice < 79) {
    if (scenario_.sleeps) suspend(any_gateway(), seconds(60));
  } else if (dice < 84) {
    if (scenario_.clock_jumps) jump_clock(any_gateway());
  } else if (dice < 88) {
    if (scenario_.narrow_paths) change_path(any_gateway());
  } else if (dice < 95) {
    if (scenario_.attackers) forge();
  } else {
    if (scenario_.attackers) replay();
  }
}

void World::act_on_world() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 20) {
    nearest_ = random_.below(relays_.size());
    route_anycast();
    tally_.add(Event::kAnycastMoves);
  } else if (dice < 35) {
    if (scenario_.relay_restarts) toggle_relay();
  } else if (dice < 60) {
    if (scenario_.weather) change_weather();
  } else if (dice < 75) {
    if (scenario_.partitions) partition();
  } else if (dice < 80) {
    if (scenario_.clock_jumps) jump_clock(any_relay());
  } else if (dice < 85) {
    if (scenario_.sleeps) suspend(any_relay(), seconds(20));
  } else {
    change_membership();
  }
}

void World::change_membership() {
  GatewayHost& host = any_gateway();
  const GroupPlan& plan = plans()[random_.below(2)];
  const IpAddress& group = plan.groups[random_.below(plan.groups.size())];
  SourceFilter filter;
  if (random_.below(4) != 0) {
    for (const IpAddress& source : plan.sources) {
      if (random_.below(2) == 0) filter.sources.push_back(source);
    }
    if (!SsmRange().contains(group) && random_.below(2) == 0) filter.mode = FilterMode::kExclude;
  }
  if (is_asleep(host)) return;
  trace("gateway " + host.inside.to_string() + " wants of " + group.to_string() + " " + filter.to_string());
  if (!host.gateway->set_membership(clock_of(host), group, filter)) return fail("a good membership was refused");
  tally_.add(Event::kMembershipChanges);
  const auto of_family = [&] {
    return std::ranges::count_if(host.wanted,
                                 [&](const auto& entry) { return entry.first.family() == group.family(); });
  };
  const auto before = of_family();
  if (filter.is_nothing()) {
    host.wanted.erase(group);
  } else {
    host.wanted[group] = filter;
  }
  // A series ends unanswered when its answer is not needed any more, and another begins when one is needed.
  if (before == 0 || of_family() == 0) forget_nonces(host);
  drain(host);
}

void World::restart_gateway(GatewayHost& host) {
  trace("gateway " + host.inside.to_string() + " restarts");
  tally_.add(Event::kGatewayRestarts);
  if (!is_asleep(host) && random_.below(2) == 0) {  // else it dies without a word
    host.gateway->shutdown(clock_of(host));
    drain(host);
    if (host.deadline != kNoDeadline) fail("a gateway that was shut down still waits for something");
  }
  host.asleep_until = now_;
  start_gateway(host);
}

void World::toggle_relay() {
  RelayHost& host = any_relay();
  trace("relay " + host.v4.to_string() + (host.relay ? " stops" : " starts"));
  if (host.relay) {
    stop_relay(host.id);
  } else {
    start_relay(host);
    tally_.add(Event::kRelayRestarts);
  }
}

void World::change_weather() {
  network_.weather.loss_per_mille = static_cast<unsigned>(random_.below(2) * random_.below(400));
  network_.weather.repeat_per_mille = static_cast<unsigned>(random_.below(300));
  network_.weather.mark_per_mille = static_cast<unsigned>(random_.below(300));
  network_.weather.delay_min = milliseconds(random_.below(100));
  network_.weather.delay_max = network_.weather.delay_min + milliseconds(random_.below(2000));
}

void World::partition() {
  constexpr std::size_t kPartitionsMax = 3;
  if (network_.partitions.size() == kPartitionsMax) {
    network_.partitions.clear();
    trace("partitions end");
    return;
  }
  const std::uint64_t way = random_.below(3);
  network_.partitions.push_back({.relay = any_relay().id,
                                 .to_relay = way != 0,
                                 .from_relay = way != 1,
                                 .salt = random_.u64(),
                                 .eighths = 1 + random_.below(8)});
  tally_.add(Event::kPartitions);
  trace("partition of relay " + std::to_string(network_.partitions.back().relay));
}

void World::jump_clock(Machine& machine) {
  const Duration longest = random_.below(2) == 0 ? Duration(seconds(10)) : Duration(std::chrono::hours(3));
  machine.ahead += random_.between(milliseconds(1), longest);
  tally_.add(Event::kClockJumps);
  trace("clock of machine " + std::to_string(machine.id) + " jumps");
  schedule(machine);
}

void World::suspend(Machine& machine, Duration longest) {
  machine.asleep_until = now_ + random_.between(milliseconds(1), longest);
  tally_.add(Event::kSleeps);
  trace("machine " + std::to_string(machine.id) + " sleeps");
}

void World::change_path(const GatewayHost& host) {
  if (host.is_narrow) return;
  const std::size_t octets_max = random_.below(2) == 0 ? 0 : 600 + random_.below(800);
  network_.set_path_octets_max(host.id, octets_max);
  if (octets_max != 0) tally_.add(Event::kNarrowPaths);
}

void World::replay() {
  if (recorded_.empty()) return;
  constexpr std::uint64_t kReplaysMax = 16;
  for (std::uint64_t left = 1 + random_.below(kReplaysMax); left > 0; --left) {
    network_.send(now_, recorded_[random_.below(recorded_.size())]);
    tally_.add(Event::kReplays);
  }
}

}  // namespace amt::sim
