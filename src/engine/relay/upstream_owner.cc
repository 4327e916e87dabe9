#include "engine/relay/upstream_owner.hh"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "membership/upstream_filter.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

// Of joins and leaves at once, for each interface, before others have their turn on this thread.
constexpr Duration kPortion = std::chrono::milliseconds(1);
constexpr Duration kJoinRetryInterval = std::chrono::seconds(5);
// A retry that helped is followed by the next, with room for others between them.
constexpr Duration kJoinRetryPause = std::chrono::milliseconds(20);
constexpr Duration kWarningInterval = std::chrono::minutes(1);
// How soon a deleted upstream interface is missed, and a new one of its name found.
constexpr Duration kCheckInterval = std::chrono::seconds(2);

bool is_down(const Upstream& upstream) {
  const SysResult<LinkInfo> link = find_link(upstream.interface());
  return link && !link->running;
}

}  // namespace

UpstreamOwner::UpstreamOwner(Loop& loop, std::size_t workers, SsmRange ssm, HandOut hand_out, WantLocal want_local,
                             Watcher watcher)
    : workers_(workers),
      ssm_(std::move(ssm)),
      hand_out_(std::move(hand_out)),
      want_local_(std::move(want_local)),
      watcher_(std::move(watcher)),
      work_timer_(loop, [this] { on_work_timer(); }),
      retry_timer_(loop, [this] { on_retry_timer(); }),
      check_timer_(loop, [this] { on_check_timer(); }),
      report_timer_(loop, [this] { on_report_timer(); }) {}

SysResult<void> UpstreamOwner::add(Open open, const Given& given) {
  SysResult<std::unique_ptr<Upstream>> upstream = open();
  if (!upstream) return Unexpected<SysError>(upstream.error());
  const std::string interface = (*upstream)->interface();
  const auto known =
      std::ranges::find_if(places_, [&](const Place& one) { return !one.upstream && one.interface == interface; });
  const auto index = static_cast<std::size_t>(known - places_.begin());
  if (index == kUpstreamsMax) return Unexpected<SysError>(SysError{"add upstream", interface, EMFILE});
  if (index == places_.size()) places_.push_back({.open = nullptr, .interface = interface});
  if (SysResult<void> taken = take(index, std::move(*upstream), given); !taken) return taken;
  places_[index].open = std::move(open);
  join_all(places_[index]);
  look_at_addresses();
  check_timer_.set(monotonic_now() + kCheckInterval);
  return {};
}

void UpstreamOwner::remove(const std::string& interface) {
  for (std::size_t index = 0; index < places_.size(); ++index) {
    Place& place = places_[index];
    if (!place.upstream || place.interface != interface) continue;
    place.upstream->leave_all(monotonic_now());
    for (std::size_t worker = 0; worker < workers_; ++worker) hand_out_(worker, index, nullptr);
    place.upstream.reset();
  }
  set_report_timer();
}

SysResult<void> UpstreamOwner::open_again(std::size_t index) {
  SysResult<std::unique_ptr<Upstream>> upstream = places_[index].open();
  if (!upstream) return Unexpected<SysError>(upstream.error());
  return take(index, std::move(*upstream), {});
}

SysResult<void> UpstreamOwner::take(std::size_t index, std::unique_ptr<Upstream> upstream, const Given& given) {
  Place& place = places_[index];
  std::vector<std::unique_ptr<UpstreamCapture>> captures;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    SysResult<std::unique_ptr<UpstreamCapture>> capture =
        upstream->open_capture(given ? given(upstream->interface(), worker) : std::nullopt);
    if (!capture) return Unexpected<SysError>(capture.error());
    captures.push_back(std::move(*capture));
  }
  // Before the upstream: the captures that these replace may be the old one's.
  for (std::size_t worker = 0; worker < workers_; ++worker) hand_out_(worker, index, std::move(captures[worker]));
  place.upstream = std::move(upstream);
  place.loss_told = false;
  place.is_down = is_down(*place.upstream);
  place.refused = false;
  return {};
}

void UpstreamOwner::join_all(const Place& place) {
  merged_.for_each_group(
      [&](const IpAddress& group, const SourceFilter& filter) { set_membership(place, group, filter); });
}

void UpstreamOwner::check_for_loop(Place& place) {
  const bool leads_back = place.upstream->leads_back();
  if (leads_back == std::exchange(place.refused, leads_back)) return;
  if (leads_back) {
    log_warn(
        "upstream {} is the interface of a gateway of which this relay is the relay: nothing is joined there "
        "(mend: leave out --upstream {})",
        place.upstream->interface(), place.upstream->interface());
    place.upstream->leave_all(monotonic_now());
  } else {
    log_info("upstream {} is no gateway's of this relay any more", place.upstream->interface());
    join_all(place);
  }
}

void UpstreamOwner::check_link(Place& place) const {
  const bool down = is_down(*place.upstream);
  if (down == std::exchange(place.is_down, down)) return;
  if (down) {
    log_warn("upstream {} is down: nothing comes from there", place.upstream->interface());
  } else {
    log_info("upstream {} is up", place.upstream->interface());
  }
  report(down ? Change::Kind::kInterfaceDown : Change::Kind::kInterfaceUp, place.upstream->interface());
}

bool UpstreamOwner::all_are_up() const {
  return std::ranges::none_of(places_, [](const Place& one) { return one.upstream && (one.loss_told || one.is_down); });
}

void UpstreamOwner::tell_return(const ReturnedPacket& packet) {
  const Instant now = monotonic_now();
  if (now < next_return_warning_ || !has_upstream(packet.first) || !has_upstream(packet.again)) return;
  next_return_warning_ = now + kWarningInterval;
  log_warn(
      "a loop: packets from {} to {} that came by {} come back by {}, and are dropped there (mend: leave out "
      "--upstream {}, or have the gateway behind it use another relay)",
      packet.source.to_string(), packet.group.to_string(), places_[packet.first].upstream->interface(),
      places_[packet.again].upstream->interface(), places_[packet.again].upstream->interface());
}

std::optional<FilterChange> UpstreamOwner::merge(const FilterChange& change) {
  std::optional<FilterChange> merged = merged_.apply(change);
  if (!merged) return std::nullopt;
  // The text names every source, which may be thousands.
  if (log_enabled(LogLevel::kDebug)) {
    log_debug("upstream {} is now {}", merged->group.to_string(), merged->after.to_string());
  }
  for (const Place& place : places_) set_membership(place, merged->group, merged->after);
  local_groups_ += may_be_local(merged->after) ? 1 : 0;
  local_groups_ -= may_be_local(merged->before) ? 1 : 0;
  return merged;
}

void UpstreamOwner::restore(const FilterChange& change) { static_cast<void>(merge(change)); }

void UpstreamOwner::apply(const FilterChange& change) {
  const std::optional<FilterChange> merged = merge(change);
  if (!merged) return;
  report(*merged);
  tell_local();
  set_report_timer();
}

void UpstreamOwner::report(const FilterChange& merged) const {
  if (!watcher_) return;
  for (Channel& channel : channels_only_in(merged.before, merged.after, merged.group)) {
    watcher_({.kind = Change::Kind::kLeft, .channel = std::move(channel)});
  }
  for (Channel& channel : channels_only_in(merged.after, merged.before, merged.group)) {
    watcher_({.kind = Change::Kind::kJoined, .channel = std::move(channel)});
  }
}

void UpstreamOwner::report(Change::Kind kind, const std::string& interface) const {
  if (watcher_) watcher_({.kind = kind, .interface = interface});
}

void UpstreamOwner::report_back(const Place& place) const {
  log_info("upstream {} is back", place.interface);
  report(Change::Kind::kInterfaceBack, place.interface);
}

bool UpstreamOwner::may_be_local(const SourceFilter& filter) const {
  return filter.mode == FilterMode::kExclude ||
         std::ranges::any_of(addresses_, [&](const IpAddress& own) { return filter.accepts(own); });
}

void UpstreamOwner::look_at_addresses() {
  const SysResult<std::vector<LinkAddress>> listed = list_addresses();
  if (!listed) return;
  std::vector<IpAddress> addresses;
  for (const LinkAddress& entry : *listed) addresses.push_back(entry.address.address);
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  local_groups_ = 0;
  merged_.for_each_group(
      [&](const IpAddress&, const SourceFilter& filter) { local_groups_ += may_be_local(filter) ? 1 : 0; });
  tell_local();
}

void UpstreamOwner::tell_local() {
  const bool wanted = local_groups_ != 0;
  if (wanted != std::exchange(local_told_, wanted)) want_local_(wanted);
}

void UpstreamOwner::set_membership(const Place& place, const IpAddress& group, const SourceFilter& filter) {
  if (place.refused || !place.upstream) return;
  const Instant now = monotonic_now();
  place.upstream->set_membership(now, group, asked_upstream(group, filter, ssm_));
  if (!work_timer_.is_set()) work_timer_.set(now);
}

void UpstreamOwner::on_work_timer() {
  bool is_more = false;
  for_each_open([&](const Place& place) { is_more = place.upstream->work(monotonic_now() + kPortion) || is_more; });
  const Instant now = monotonic_now();
  if (is_more) {
    work_timer_.set(now);
  } else {
    look_at_missing(now);
  }
}

void UpstreamOwner::look_at_missing(Instant now) {
  std::size_t missing = 0;
  for_each_open([&](const Place& place) {
    const std::size_t here = place.upstream->statistics().joins_missing;
    missing += here;
    const std::optional<SysError> failure = place.upstream->take_failure();
    if (!failure || here == 0 || now < next_warning_) return;
    next_warning_ = now + kWarningInterval;
    log_warn("{} of the joins on {} failed and are tried again; {}{}", here, place.upstream->interface(),
             failure->to_string(),
             failure->code == EMFILE ? fmt::format(" (joins may use {} descriptors; mend: raise LimitNOFILE, or "
                                                   "net.ipv4.igmp_max_memberships)",
                                                   descriptors_.max())
                                     : "");
  });
  const Duration pause = missing < joins_missing_ ? kJoinRetryPause : kJoinRetryInterval;
  joins_missing_ = missing;
  // None that gateways make fail puts the retry of the others off.
  if (missing != 0 && !retry_timer_.is_set()) retry_timer_.set(now + pause);
}

void UpstreamOwner::on_retry_timer() {
  for_each_open([](const Place& place) { place.upstream->retry_memberships(); });
  work_timer_.set(monotonic_now());
}

void UpstreamOwner::handle_queries(std::size_t upstream, const std::vector<HeardQuery>& queries) {
  if (!has_upstream(upstream)) return;
  const Instant now = monotonic_now();
  for (const HeardQuery& query : queries) places_[upstream].upstream->handle_query(now, query);
  set_report_timer();
}

void UpstreamOwner::check_now() { check_timer_.set(monotonic_now()); }

void UpstreamOwner::on_check_timer() {
  look_at_addresses();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (!place.upstream) continue;
    if (!place.upstream->is_lost()) {
      // It was renamed, and has its name again.
      if (std::exchange(place.loss_told, false)) report_back(place);
      check_for_loop(place);
      check_link(place);
      continue;
    }
    const std::string interface = place.upstream->interface();
    const bool is_ours = place.upstream->mode() == UpstreamMode::kRouter;
    if (!std::exchange(place.loss_told, true)) {
      log_warn("upstream {} is gone; {}", interface,
               is_ours ? "making it anew" : "waiting for an interface of that name");
      report(Change::Kind::kInterfaceLost, interface);
    }
    if (!open_again(i)) continue;
    report_back(place);
    join_all(place);
  }
  set_report_timer();
  check_timer_.set(monotonic_now() + kCheckInterval);
}

void UpstreamOwner::on_report_timer() {
  const Instant now = monotonic_now();
  for_each_open([&](const Place& place) { place.upstream->handle_timeout(now); });
  set_report_timer();
}

void UpstreamOwner::set_report_timer() {
  Instant next = kNoDeadline;
  for_each_open([&](const Place& place) { next = std::min(next, place.upstream->next_deadline()); });
  report_timer_.set(next);
}

void UpstreamOwner::shutdown() {
  for (Timer* timer : {&work_timer_, &retry_timer_, &check_timer_, &report_timer_}) timer->set(kNoDeadline);
  for_each_open([](const Place& place) { place.upstream->leave_all(monotonic_now()); });
  if (!watcher_) return;
  merged_.for_each_group([this](const IpAddress& group, const SourceFilter& filter) { report({group, filter, {}}); });
}

void UpstreamOwner::for_each(const std::function<void(const Upstream&, std::size_t number)>& visit) const {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].upstream) visit(*places_[i].upstream, i);
  }
}

}  // namespace amt
