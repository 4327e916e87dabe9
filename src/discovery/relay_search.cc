#include "discovery/relay_search.hh"

#include <algorithm>
#include <utility>

#include "base/backoff.hh"

namespace amt {
namespace {

// D-3.5-a: "1 s initial, 120 s maximum".
constexpr Duration kDnsRetryInitial = std::chrono::seconds(1);
constexpr Duration kDnsRetryMax = std::chrono::seconds(120);
/// Reasons that are reported; more would not help a person.
constexpr std::size_t kFailuresMax = 4;

/// The race is for want of something that the relay in use may still bring.
bool is_mended_by_traffic(RestartReason reason) {
  return reason == RestartReason::kRelaySilent || reason == RestartReason::kNoTraffic ||
         reason == RestartReason::kLimit;
}

}  // namespace

RelaySearch::RelaySearch(const RelaySearchOptions& options, WantedSource source, HoldDowns& hold_downs, Random& random)
    : options_(options),
      source_(source),
      hold_downs_(hold_downs),
      random_(random),
      rediscovery_(options.rediscovery, random) {}

std::string RelaySearch::subject() const { return source_ ? source_->to_string() : "any source"; }

std::string RelaySearch::lookup_problem() const {
  const bool both = !services_.problem.empty() && !dns_problem_.empty();
  return services_.problem + (both ? "; " : "") + dns_problem_;
}

void RelaySearch::emit_notice(LogLevel level, std::string text) {
  steps_.emplace_back(LogNotice{level, std::move(text)});
}

bool RelaySearch::uses_dns() const {
  return source_ && std::ranges::find(options_.order, RelayOrigin::kDriad) != options_.order.end();
}

bool RelaySearch::stands_before(RelayOrigin a, RelayOrigin b) const {
  return std::ranges::find(options_.order, a) < std::ranges::find(options_.order, b);
}

bool RelaySearch::is_asked(RelayOrigin origin) const {
  if (std::ranges::find(options_.order, origin) == options_.order.end()) return false;
  return origin == RelayOrigin::kDriad ? asking_dns_ : origin == RelayOrigin::kDnsSd && services_.searching;
}

std::vector<RelayOption> RelaySearch::known(RelayOrigin origin) const {
  if (origin == RelayOrigin::kDriad) return records_ ? records_->options : std::vector<RelayOption>();
  // "no relay should be used for traffic from this source"
  if (records_ && records_->no_relay) return {};
  return origin == RelayOrigin::kDnsSd ? services_.options : defaults_;
}

void RelaySearch::start(Instant now, std::vector<RelayOption> defaults, bool ask_dns) {
  defaults_ = std::move(defaults);
  dns_wanted_ = ask_dns && uses_dns();
  rediscovery_.handle_unserved(now);
  restart_if_due(now);
}

void RelaySearch::ask_dns() {
  if (asking_dns_) return;
  asking_dns_ = true;
  refresh_at_ = kNoDeadline;
  steps_.emplace_back(LookUp{});
}

void RelaySearch::begin_race(Instant now, RestartReason reason) {
  if (race_) end_race();
  reason_ = reason;
  retry_at_ = kNoDeadline;
  suspect_at_ = kNoDeadline;
  failures_.clear();
  avoids_current_ = current_.has_value() && reason != RestartReason::kNetworkChanged;
  // RFC 8777 §3.1.1 (5): what stood before DRIAD did not do.
  if (reason != RestartReason::kFirstSubscription) dns_wanted_ = uses_dns();
  race_.emplace(
      RaceOptions{
          .attempt_delay = options_.attempt_delay, .order = options_.order, .source = source_, .unserved = !current_},
      hold_downs_, random_);
  // A look-up that failed has a time of its own for the next.
  if (dns_wanted_ && !records_ && refresh_at_ == kNoDeadline) ask_dns();
  held_until_ = now + options_.resolution_delay;
  feed_race(now);
}

void RelaySearch::feed_race(Instant now) {
  add_known(now);
  if (!is_asked(RelayOrigin::kDriad) && !is_asked(RelayOrigin::kDnsSd)) race_->lookups_done(now);
  drain_race(now);
}

bool RelaySearch::leads_to_current(const RelayOption& option) const {
  const IpAddress& address = option.destination.address;
  if (address == current_->relay.address) return true;
  return reason_ == RestartReason::kRecordsChanged && address == current_->option.destination.address;
}

bool RelaySearch::is_held_down(Instant now, const IpAddress& relay) const {
  return hold_downs_.is_refusing(now, relay) || hold_downs_.is_fruitless(now, relay, source_);
}

void RelaySearch::add_options(Instant now, const std::vector<RelayOption>& options) {
  // The first to be added begins at once, so the best has to be the first.
  std::vector<RelayOption> sorted = options;
  for (RelayOption& option : sorted) option.lot = random_.u64();
  std::ranges::sort(
      sorted, [this](const RelayOption& a, const RelayOption& b) { return compare_options(a, b, options_.order) < 0; });
  for (const RelayOption& option : sorted) {
    if (avoids_current_ && leads_to_current(option)) continue;
    race_->add(now, option);
  }
}

void RelaySearch::add_known(Instant now) {
  const bool may_hold = held_until_ != kNoDeadline && now < held_until_;
  for (const RelayOrigin origin : options_.order) {
    const std::vector<RelayOption> options = known(origin);
    add_options(now, options);
    // Those behind it are no better than what is in use.
    if (last_origin_ == origin && !options.empty()) break;
    // Nobody waits for the DNS longer than that, and nobody at all whose turn is before it.
    if (is_asked(origin) && may_hold) return;
  }
  held_until_ = kNoDeadline;
}

void RelaySearch::handle_records(Instant now, SourceRecords records) {
  asking_dns_ = false;
  if (records.failed) {
    refresh_at_ = now + random_backoff(random_, kDnsRetryInitial, kDnsRetryMax, dns_failures_++);
    // Logged once; the DNS is asked again and again. Known records stay: a resolver that is away ends no reception.
    if (!records.problem.empty() && records.problem != dns_problem_) emit_notice(LogLevel::kWarn, records.problem);
    dns_problem_ = std::move(records.problem);
  } else {
    dns_failures_ = 0;
    refresh_at_ = now + std::clamp(records.lifetime, kLifetimeMin, kLifetimeMax);
    if (!records.problem.empty() && records.problem != dns_problem_) emit_notice(LogLevel::kInfo, records.problem);
    dns_problem_ = records.problem;
    records_ = std::move(records);
  }
  if (race_) {
    feed_race(now);
  } else if (records_) {
    compare_records(now);
  }
}

void RelaySearch::handle_services(Instant now, const ServiceRelays& services) {
  const bool has_news = std::ranges::any_of(services.options, [this](const RelayOption& option) {
    return std::ranges::none_of(services_.options, [&](const RelayOption& known) {
      return known.destination.address == option.destination.address;
    });
  });
  services_ = services;
  if (race_) {
    feed_race(now);
  } else if (current_) {
    compare_with_current(now, RelayOrigin::kDnsSd, has_news);
  } else if (has_news && retry_at_ != kNoDeadline) {
    retry_at_ = now;
  }
}

void RelaySearch::compare_records(Instant now) {
  if (records_->no_relay) {
    if (current_) steps_.emplace_back(UseNoRelay{});
    current_.reset();
    delivering_ = false;
    rediscovery_.handle_left();
    return;
  }
  if (!current_) return begin_race(now, RestartReason::kFirstSubscription);
  compare_with_current(now, RelayOrigin::kDriad, true);
}

void RelaySearch::compare_with_current(Instant now, RelayOrigin origin, bool has_news) {
  const RelayOption& used = current_->option;
  const std::vector<RelayOption> options = known(origin);
  const bool listed = std::ranges::any_of(
      options, [&](const RelayOption& option) { return option.destination.address == used.destination.address; });
  const bool late = has_news && stands_before(origin, used.origin) && !options.empty();
  const bool gone = used.origin == origin && !listed && !is_asked(origin);
  if (!gone && !late) return;
  report_restart(RestartReason::kRecordsChanged);
  last_origin_ = origin;
  begin_race(now, RestartReason::kRecordsChanged);
}

void RelaySearch::handle_probe(Instant now, const IpAddress& target, const ProbeOutcome& outcome) {
  std::erase(attempts_, target);
  const bool connected = outcome.kind == ProbeOutcome::Kind::kConnected;
  if (outcome.kind == ProbeOutcome::Kind::kLimited) hold_downs_.hold_after_limit(now, outcome.relay.address);
  if (!race_) return;
  const bool same = avoids_current_ && outcome.relay == current_->relay && reason_ != RestartReason::kRecordsChanged;
  // Relay Discovery may name one that is held down.
  const bool held = current_.has_value() && is_held_down(now, outcome.relay.address);
  if (connected && !same && !held) {
    connected_[target] = outcome;
    race_->handle_query(now, target, false);
  } else {
    if (!outcome.problem.empty() && failures_.size() < kFailuresMax) failures_.push_back(outcome.problem);
    race_->handle_failure(now, target);
  }
  drain_race(now);
}

void RelaySearch::drain_race(Instant now) {
  while (race_) {
    const std::optional<RaceStep> step = race_->poll_step();
    if (!step) return;
    if (const auto* start = std::get_if<StartAttempt>(&*step)) {
      attempts_.push_back(start->option.destination.address);
      steps_.emplace_back(StartProbe{start->option});
    } else if (const auto* won = std::get_if<RaceWon>(&*step)) {
      win(now, won->option);
    } else {
      lose(now);
    }
  }
}

void RelaySearch::end_race() {
  race_.reset();
  last_origin_.reset();
  held_until_ = kNoDeadline;
  // D-3.2.3-b: nothing more is sent for those that did not win.
  for (const IpAddress& target : attempts_) steps_.emplace_back(StopProbe{target});
  attempts_.clear();
  connected_.clear();
}

void RelaySearch::win(Instant now, const RelayOption& option) {
  const ProbeOutcome outcome = connected_.at(option.destination.address);
  end_race();
  current_ = UseRelay{option, outcome.relay};
  round_trip_ = outcome.round_trip;
  races_lost_ = 0;
  delivering_ = doubted_ = silent_ = false;
  problem_.clear();
  // Whatever the old relay was accused of, this is another.
  rediscovery_.handle_left();
  static_cast<void>(rediscovery_.poll_restart(now));
  steps_.emplace_back(*current_);
  std::string how(to_string(option.origin));
  if (option.origin == RelayOrigin::kDriad) how += ", precedence " + std::to_string(option.precedence);
  emit_notice(LogLevel::kInfo, subject() + " through relay " + outcome.relay.to_string() + " (" + how + ")");
}

void RelaySearch::lose(Instant now) {
  end_race();
  if (current_) {
    if (reason_ == RestartReason::kNoTraffic) rediscovery_.handle_reported(now);
    if (silent_) retry_at_ = now + random_backoff(random_, options_.retry_initial, options_.retry_max, races_lost_++);
    return;
  }
  dns_wanted_ = uses_dns();
  const bool forbidden = records_ && records_->no_relay;
  // Only the owner's word can change that; it is asked again when the record's life ends.
  if (!forbidden) {
    retry_at_ = now + random_backoff(random_, options_.retry_initial, options_.retry_max, races_lost_++);
  }
  std::string text = lookup_problem();
  for (const std::string& failure : failures_) text += (text.empty() ? "" : "; ") + failure;
  if (text.empty()) text = "no relay is known that could be asked now";
  if (text != problem_) emit_notice(LogLevel::kWarn, "no relay for " + subject() + ": " + text);
  problem_ = text;
}

void RelaySearch::handle_reported(Instant now) {
  if (!delivering_) rediscovery_.handle_reported(now);
}

void RelaySearch::handle_traffic(Instant) {
  delivering_ = true;
  doubted_ = silent_ = false;
  suspect_at_ = retry_at_ = kNoDeadline;
  rediscovery_.handle_traffic();
  if (race_ && is_mended_by_traffic(reason_)) end_race();
}

void RelaySearch::handle_doubt(Instant now) {
  if (!delivering_) return;
  handle_stopped(now);
  doubted_ = true;
}

void RelaySearch::handle_stopped(Instant now) {
  if (!current_) return;
  delivering_ = doubted_ = false;
  suspect_at_ = now + std::max(options_.answer_patience, 2 * round_trip_);
}

void RelaySearch::handle_alive(Instant now) {
  if (!current_) return;
  suspect_at_ = retry_at_ = kNoDeadline;
  silent_ = false;
  if (race_ && reason_ == RestartReason::kRelaySilent) end_race();
  if (std::exchange(doubted_, false)) delivering_ = true;
  if (delivering_) return;
  rediscovery_.handle_paused(now);
}

void RelaySearch::handle_silent(Instant now) {
  if (!current_) return;
  silent_ = true;
  delivering_ = doubted_ = false;
  if (race_) return;
  rediscovery_.handle_silent(now);
  restart_if_due(now);
}

void RelaySearch::handle_unreachable(Instant now) {
  if (!current_ || suspect_at_ == kNoDeadline) return;
  suspect_at_ = now;
}

void RelaySearch::handle_limit(Instant now) {
  if (!current_) return;
  hold_downs_.hold_after_limit(now, current_->relay.address);
  if (race_) return;
  rediscovery_.handle_limit(now);
  restart_if_due(now);
}

void RelaySearch::handle_network_change(Instant now, std::vector<RelayOption> defaults) {
  defaults_ = std::move(defaults);
  records_.reset();
  refresh_at_ = kNoDeadline;
  rediscovery_.handle_network_change(now);
  restart_if_due(now);
}

void RelaySearch::restart_if_due(Instant now) {
  const std::optional<RestartReason> reason = rediscovery_.poll_restart(now);
  if (!reason) return;
  if (current_) {
    if (*reason == RestartReason::kNoTraffic) {
      hold_downs_.hold_after_no_traffic(now, current_->relay.address, source_, random_);
    }
    report_restart(*reason);
  }
  begin_race(now, *reason);
}

void RelaySearch::report_restart(RestartReason reason) {
  emit_notice(LogLevel::kInfo, "looking for another relay for " + subject() + " than " + current_->relay.to_string() +
                                   ": " + std::string(to_string(reason)));
}

std::string RelaySearch::problem() const {
  if (!problem_.empty()) return problem_;
  // An answer is a better reason than a look-up that still runs. A network that names no relay is no problem by itself.
  if (!dns_problem_.empty()) return lookup_problem();
  if (asking_dns_) return "the DNS has not answered yet who relays " + subject();
  if (!race_) return lookup_problem();
  std::string text;
  for (const std::string& failure : failures_) text += failure + "; ";
  return text + (text.empty() ? "the relays for " + subject() : "other relays") + " have not answered yet";
}

void RelaySearch::handle_timeout(Instant now) {
  if (suspect_at_ <= now) {
    suspect_at_ = kNoDeadline;
    handle_silent(now);
  }
  restart_if_due(now);
  if (race_ && held_until_ <= now) feed_race(now);
  if (race_) {
    race_->handle_timeout(now);
    drain_race(now);
  }
  if (retry_at_ <= now) begin_race(now, silent_ ? RestartReason::kRelaySilent : RestartReason::kFirstSubscription);
  if (refresh_at_ <= now) ask_dns();
}

Instant RelaySearch::next_deadline() const {
  const Instant race = race_ ? std::min(race_->next_deadline(), held_until_) : kNoDeadline;
  return std::min({race, rediscovery_.next_deadline(), suspect_at_, retry_at_, refresh_at_});
}

std::optional<SearchStep> RelaySearch::poll_step() {
  if (steps_.empty()) return std::nullopt;
  SearchStep step = std::move(steps_.front());
  steps_.pop_front();
  return step;
}

}  // namespace amt
