#include "discovery/relay_race.hh"

#include <algorithm>

namespace amt {

RelayRace::RelayRace(RaceOptions options, const HoldDowns& hold_downs, Random& random)
    : options_(std::move(options)), hold_downs_(hold_downs), random_(random) {
  options_.attempt_delay = std::clamp(options_.attempt_delay, kAttemptDelayMin, kAttemptDelayMax);
}

RelayRace::Runner* RelayRace::find(const IpAddress& relay) {
  const auto runner = std::ranges::find_if(
      runners_, [&](const Runner& candidate) { return candidate.option.destination.address == relay; });
  return runner == runners_.end() ? nullptr : &*runner;
}

bool RelayRace::is_running() const {
  return std::ranges::any_of(runners_, [](const Runner& runner) { return runner.state == State::kRunning; });
}

RelayRace::Runner* RelayRace::best_waiting(Instant now, bool fruitless_too) {
  Runner* best = nullptr;
  for (Runner& runner : runners_) {
    const Destination& destination = runner.option.destination;
    if (runner.state != State::kWaiting || !destination.source) continue;
    if (hold_downs_.is_refusing(now, destination.address)) continue;
    if (!fruitless_too && hold_downs_.is_fruitless(now, destination.address, options_.source)) continue;
    if (best == nullptr || compare_options(runner.option, best->option, options_.order) < 0) best = &runner;
  }
  return best;
}

RelayRace::Runner* RelayRace::next_runner(Instant now) {
  if (Runner* next = best_waiting(now, false)) return next;
  const bool last_resort = options_.unserved && lookups_done_ && !is_running();
  return last_resort ? best_waiting(now, true) : nullptr;
}

void RelayRace::add(Instant now, RelayOption option) {
  const bool unwanted = std::ranges::find(options_.order, option.origin) == options_.order.end();
  if (over_ || unwanted) return;
  option.lot = random_.u64();
  if (Runner* known = find(option.destination.address)) {
    if (known->state == State::kWaiting && compare_options(option, known->option, options_.order) < 0) {
      known->option = option;
    }
  } else if (runners_.size() < kOptionsMax) {
    runners_.push_back({option});
  }
  advance(now);
}

void RelayRace::lookups_done(Instant now) {
  lookups_done_ = true;
  advance(now);
}

void RelayRace::handle_query(Instant now, const IpAddress& relay, bool limit) {
  Runner* runner = find(relay);
  if (over_ || runner == nullptr || runner->state != State::kRunning) return;
  // RFC 8777 §3.3.5: "the relay sending the L flag SHOULD NOT be considered for the relay selection."
  if (limit) return fail(now, *runner);
  end(RaceWon{runner->option});
}

void RelayRace::handle_failure(Instant now, const IpAddress& relay) {
  Runner* runner = find(relay);
  if (over_ || runner == nullptr || runner->state != State::kRunning) return;
  fail(now, *runner);
}

void RelayRace::fail(Instant now, Runner& runner) {
  runner.state = State::kFailed;
  hurry_ = true;
  advance(now);
}

void RelayRace::handle_timeout(Instant now) { advance(now); }

void RelayRace::advance(Instant now) {
  if (over_) return;
  Runner* next = next_runner(now);
  const bool first = last_start_ == Instant::min();
  const Instant start = first ? now : last_start_ + (hurry_ ? kAttemptDelayMin : options_.attempt_delay);
  if (next != nullptr && now >= start) {
    next->state = State::kRunning;
    last_start_ = now;
    hurry_ = false;
    steps_.emplace_back(StartAttempt{next->option});
    next = next_runner(now);
    next_start_ = next == nullptr ? kNoDeadline : now + options_.attempt_delay;
    return;
  }
  next_start_ = next == nullptr ? kNoDeadline : start;
  if (next == nullptr && !is_running() && lookups_done_) end(RaceLost{});
}

void RelayRace::end(RaceStep last) {
  over_ = true;
  next_start_ = kNoDeadline;
  steps_.push_back(std::move(last));
}

std::optional<RaceStep> RelayRace::poll_step() {
  if (steps_.empty()) return std::nullopt;
  RaceStep step = steps_.front();
  steps_.erase(steps_.begin());
  return step;
}

}  // namespace amt
