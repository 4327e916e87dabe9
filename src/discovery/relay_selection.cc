#include "discovery/relay_selection.hh"

#include <algorithm>

namespace amt {

RelaySelection::RelaySelection(RelaySearchOptions options, Random& random)
    : options_(std::move(options)), random_(random) {}

void RelaySelection::set_defaults(Instant now, std::vector<RelayOption> defaults) {
  defaults_ = std::move(defaults);
  for (auto need = needs_.begin(); need != needs_.end(); ++need) {
    need->second.search.handle_network_change(now, defaults_);
    drain(now, need);
  }
  refresh_deadline();
}

void RelaySelection::set_services(Instant now, ServiceRelays services) {
  services_ = std::move(services);
  for (auto need = needs_.begin(); need != needs_.end(); ++need) {
    need->second.search.handle_services(now, services_);
    drain(now, need);
  }
  refresh_deadline();
}

void RelaySelection::set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) {
  split_.set_wanted(group, filter);
  if (filter.mode == FilterMode::kExclude) {
    add_need(now, std::nullopt);
  } else {
    for (const IpAddress& source : filter.sources) add_need(now, source);
  }
  for (auto need = needs_.begin(); need != needs_.end();) {
    const auto current = need++;
    if (!split_.is_wanted(current->first)) remove_need(now, current);
  }
  refresh_deadline();
}

void RelaySelection::add_need(Instant now, const WantedSource& source) {
  if (needs_.contains(source)) return;
  const auto need = needs_.emplace(source, Need{RelaySearch(options_, source, hold_downs_, random_)}).first;
  const DriadConditions conditions{.source_known = source.has_value(), .anycast_relay = is_served_by_better_origin()};
  need->second.search.handle_services(now, services_);
  need->second.search.start(now, defaults_, may_use_driad(conditions));
  drain(now, need);
}

bool RelaySelection::is_served_by_better_origin() const {
  const auto rank = [this](RelayOrigin origin) { return std::ranges::find(options_.order, origin); };
  return std::ranges::any_of(tunnels_, [&](const auto& entry) {
    return entry.second.good && rank(entry.second.origin) < rank(RelayOrigin::kDriad);
  });
}

void RelaySelection::remove_need(Instant now, Needs::iterator need) {
  std::vector<IpAddress> targets;
  for (const auto& [target, waiting] : probes_) targets.push_back(target);
  for (const IpAddress& target : targets) stop_probe(need->first, target);
  set_tunnels(now, need, std::nullopt, std::nullopt);
  needs_.erase(need);
}

void RelaySelection::handle_records(Instant now, const IpAddress& source, const SourceRecords& records) {
  const auto need = needs_.find(source);
  if (need == needs_.end()) return;
  need->second.search.handle_records(now, records);
  drain(now, need);
  refresh_deadline();
}

void RelaySelection::handle_probe(Instant now, const IpAddress& target, const ProbeOutcome& outcome) {
  const auto probe = probes_.find(target);
  if (probe == probes_.end()) return;
  const std::vector<WantedSource> waiting = std::move(probe->second);
  probes_.erase(probe);
  for (const WantedSource& source : waiting) {
    const auto need = needs_.find(source);
    if (need == needs_.end()) continue;
    need->second.search.handle_probe(now, target, outcome);
    drain(now, need);
  }
  refresh_deadline();
}

void RelaySelection::handle_tunnel(Instant now, TunnelNumber number, TunnelEvent event, const WantedSource& source) {
  const auto tunnel = tunnels_.find(number);
  if (tunnel == tunnels_.end()) return;
  if (event != TunnelEvent::kUnreachable) {
    tunnel->second.good = event == TunnelEvent::kAnswers || event == TunnelEvent::kAlive;
  }
  for (auto need = needs_.begin(); need != needs_.end(); ++need) {
    if (need->second.tunnel != number) continue;
    RelaySearch& search = need->second.search;
    switch (event) {
      case TunnelEvent::kAnswers:
        search.handle_reported(now);
        break;
      case TunnelEvent::kStopped:
        if (need->first == source) {
          search.handle_stopped(now);
        } else {
          search.handle_doubt(now);
        }
        break;
      case TunnelEvent::kAlive:
        search.handle_alive(now);
        break;
      case TunnelEvent::kSilent:
        search.handle_silent(now);
        break;
      case TunnelEvent::kUnreachable:
        search.handle_unreachable(now);
        break;
      case TunnelEvent::kLimit:
        search.handle_limit(now);
        break;
    }
    drain(now, need);
  }
  refresh_deadline();
}

void RelaySelection::handle_traffic(Instant now, TunnelNumber number, const IpAddress& source) {
  auto need = needs_.find(source);
  if (need == needs_.end() || need->second.tunnel != number) need = needs_.find(std::nullopt);
  if (need == needs_.end() || need->second.tunnel != number) return;
  Need& served = need->second;
  const bool first = served.former && served.former_until > now + kOverlap;
  if (served.search.is_delivering() && !first) return;
  if (first) served.former_until = now + kOverlap;
  if (const auto tunnel = tunnels_.find(number); tunnel != tunnels_.end()) tunnel->second.good = true;
  served.search.handle_traffic(now);
  drain(now, need);
  refresh_deadline();
}

void RelaySelection::handle_timeout(Instant now) {
  for (auto need = needs_.begin(); need != needs_.end(); ++need) {
    if (need->second.moved_at <= now) need->second.moved_at = kNoDeadline;
    if (need->second.former_until <= now) {
      set_tunnels(now, need, need->second.tunnel, std::nullopt);
      need->second.moved_at = now + kLag;
    }
    if (need->second.search.next_deadline() > now) continue;
    need->second.search.handle_timeout(now);
    drain(now, need);
  }
  for (auto tunnel = tunnels_.begin(); tunnel != tunnels_.end();) {
    if (tunnel->second.close_at > now) {
      ++tunnel;
      continue;
    }
    steps_.emplace_back(CloseTunnel{tunnel->first});
    tunnel = tunnels_.erase(tunnel);
  }
  refresh_deadline();
}

void RelaySelection::drain(Instant now, Needs::iterator need) {
  while (std::optional<SearchStep> step = need->second.search.poll_step()) {
    if (std::holds_alternative<LookUp>(*step)) {
      steps_.emplace_back(LookUpSource{*need->first});
    } else if (const auto* start = std::get_if<StartProbe>(&*step)) {
      start_probe(now, need, start->option);
    } else if (const auto* stop = std::get_if<StopProbe>(&*step)) {
      stop_probe(need->first, stop->target);
    } else if (const auto* choice = std::get_if<UseRelay>(&*step)) {
      use(now, need, *choice);
    } else if (std::holds_alternative<UseNoRelay>(*step)) {
      set_tunnels(now, need, std::nullopt, std::nullopt);
    } else {
      steps_.emplace_back(std::get<LogNotice>(std::move(*step)));
    }
  }
}

void RelaySelection::start_probe(Instant now, Needs::iterator need, const RelayOption& option) {
  const IpAddress& target = option.destination.address;
  for (const auto& [number, tunnel] : tunnels_) {
    const bool led_here = std::ranges::find(tunnel.targets, target) != tunnel.targets.end();
    if (!tunnel.good || !led_here) continue;
    // A relay that serves this gateway already need not be asked.
    need->second.search.handle_probe(now, target, {ProbeOutcome::Kind::kConnected, tunnel.relay, {}, {}});
    return;
  }
  std::vector<WantedSource>& waiting = probes_[target];
  if (waiting.empty()) steps_.emplace_back(StartProbe{option});
  waiting.push_back(need->first);
}

void RelaySelection::stop_probe(const WantedSource& source, const IpAddress& target) {
  const auto probe = probes_.find(target);
  if (probe == probes_.end() || std::erase(probe->second, source) == 0 || !probe->second.empty()) return;
  probes_.erase(probe);
  steps_.emplace_back(StopProbe{target});
}

TunnelNumber RelaySelection::tunnel_to(const UseRelay& choice) {
  const IpAddress& target = choice.option.destination.address;
  for (auto& [number, tunnel] : tunnels_) {
    if (tunnel.relay != choice.relay) continue;
    if (std::ranges::find(tunnel.targets, target) == tunnel.targets.end()) tunnel.targets.push_back(target);
    return number;
  }
  const TunnelNumber number = next_tunnel_++;
  tunnels_[number] = Tunnel{.relay = choice.relay, .origin = choice.option.origin, .targets = {target}};
  steps_.emplace_back(OpenTunnel{number, choice.relay});
  return number;
}

void RelaySelection::use(Instant now, Needs::iterator need, const UseRelay& choice) {
  const TunnelNumber number = tunnel_to(choice);
  if (need->second.tunnel == number) return;
  const std::optional<TunnelNumber> former = need->second.tunnel;
  set_tunnels(now, need, number, former);
  // A tunnel that is up reports at once; of a new one `kAnswers` comes.
  if (tunnels_.at(number).good) need->second.search.handle_reported(now);
}

void RelaySelection::set_tunnels(Instant now, Needs::iterator need, std::optional<TunnelNumber> tunnel,
                                 std::optional<TunnelNumber> former) {
  Need& served = need->second;
  const auto release = [&](const std::optional<TunnelNumber>& number) {
    if (!number) return;
    Tunnel& one = tunnels_.at(*number);
    if (--one.users == 0) one.close_at = now + kIdle;
  };
  const auto take = [&](const std::optional<TunnelNumber>& number) {
    if (!number) return;
    Tunnel& one = tunnels_.at(*number);
    ++one.users;
    one.close_at = kNoDeadline;
  };
  take(tunnel);
  take(former);
  release(served.tunnel);
  release(served.former);
  served.tunnel = tunnel;
  served.former = former;
  served.former_until = former ? now + kOverlapMax : kNoDeadline;
  std::vector<TunnelNumber> tunnels;
  for (const auto& number : {tunnel, former}) {
    if (number) tunnels.push_back(*number);
  }
  split_.set_tunnels(need->first, std::move(tunnels));
}

void RelaySelection::refresh_deadline() {
  while (std::optional<TunnelFilter> change = split_.poll_change()) steps_.emplace_back(std::move(*change));
  deadline_ = kNoDeadline;
  watching_ = moving_ = false;
  for (const auto& [source, need] : needs_) {
    deadline_ = std::min({deadline_, need.search.next_deadline(), need.former_until, need.moved_at});
    watching_ = watching_ || (need.tunnel && !need.search.is_delivering()) || need.former;
    // From the search on, so that packets of the old relay are known when the new one sends them, too.
    const bool moved = need.moved_at != kNoDeadline;
    moving_ = moving_ || need.former || moved || (need.tunnel && need.search.is_racing());
  }
  for (const auto& [number, tunnel] : tunnels_) deadline_ = std::min(deadline_, tunnel.close_at);
}

std::optional<SelectionStep> RelaySelection::poll_step() {
  if (steps_.empty()) return std::nullopt;
  SelectionStep step = std::move(steps_.front());
  steps_.pop_front();
  return step;
}

bool RelaySelection::is_delivering() const {
  return std::ranges::all_of(needs_, [](const auto& entry) { return entry.second.search.is_delivering(); });
}

bool RelaySelection::is_racing() const {
  return std::ranges::any_of(needs_, [](const auto& entry) { return entry.second.search.is_racing(); });
}

std::string RelaySelection::problem() const {
  for (const auto& [source, need] : needs_) {
    if (!need.search.current()) return need.search.problem();
  }
  return {};
}

}  // namespace amt
