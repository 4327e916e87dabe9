#include "engine/upstream_owner.hh"

#include <algorithm>
#include <vector>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kJoinRetryInterval = std::chrono::seconds(5);
// A retry that helped is followed by the next, with room for others between them.
constexpr Duration kJoinRetryPause = std::chrono::milliseconds(20);
// How soon a deleted upstream interface is missed, and a new one of its name found.
constexpr Duration kCheckInterval = std::chrono::seconds(2);

}  // namespace

UpstreamOwner::UpstreamOwner(EventLoop& loop, std::size_t workers, HandOut hand_out)
    : workers_(workers),
      hand_out_(std::move(hand_out)),
      join_timer_(loop, [this] { on_join_timer(); }),
      check_timer_(loop, [this] { on_check_timer(); }),
      report_timer_(loop, [this] { on_report_timer(); }) {}

SysResult<void> UpstreamOwner::add(Open open) {
  places_.push_back({.open = std::move(open)});
  if (SysResult<void> opened = open_place(places_.size() - 1); !opened) return opened;
  check_timer_.set(monotonic_now() + kCheckInterval);
  return {};
}

SysResult<void> UpstreamOwner::open_place(std::size_t index) {
  Place& place = places_[index];
  SysResult<std::unique_ptr<Upstream>> upstream = place.open();
  if (!upstream) return Unexpected<SysError>(upstream.error());
  std::vector<std::unique_ptr<UpstreamCapture>> captures;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    SysResult<std::unique_ptr<UpstreamCapture>> capture = (*upstream)->open_capture();
    if (!capture) return Unexpected<SysError>(capture.error());
    captures.push_back(std::move(*capture));
  }
  // Before the upstream: the captures that these replace may be the old one's.
  for (std::size_t worker = 0; worker < workers_; ++worker) hand_out_(worker, index, std::move(captures[worker]));
  place.upstream = std::move(*upstream);
  place.loss_told = false;
  return {};
}

void UpstreamOwner::apply(const FilterChange& change) {
  const std::optional<FilterChange> merged = merged_.apply(change);
  if (!merged) return;
  // The text names every source, which may be thousands.
  if (log_enabled(LogLevel::kDebug)) {
    log_debug("upstream {} is now {}", merged->group.to_string(), merged->after.to_string());
  }
  for (const Place& place : places_) set_membership(*place.upstream, merged->group, merged->after);
  set_report_timer();
}

void UpstreamOwner::set_membership(Upstream& upstream, const IpAddress& group, const SourceFilter& filter) {
  const SysResult<void> joined = upstream.set_membership(monotonic_now(), group, filter);
  // Told once, not for each that gateways make fail; and none of them puts the retry off.
  if (joined || join_timer_.is_set()) return;
  log_warn("cannot join {} on {} yet: {}", group.to_string(), upstream.interface(), joined.error().to_string());
  join_timer_.set(monotonic_now() + kJoinRetryInterval);
}

void UpstreamOwner::on_join_timer() {
  std::size_t missing = 0;
  for (const Place& place : places_) missing += place.upstream->retry_memberships();
  const Duration pause = missing < joins_missing_ ? kJoinRetryPause : kJoinRetryInterval;
  joins_missing_ = missing;
  if (missing != 0) join_timer_.set(monotonic_now() + pause);
}

void UpstreamOwner::handle_queries(std::size_t upstream, const std::vector<HeardQuery>& queries) {
  const Instant now = monotonic_now();
  for (const HeardQuery& query : queries) places_[upstream].upstream->handle_query(now, query);
  set_report_timer();
}

void UpstreamOwner::check_now() { check_timer_.set(monotonic_now()); }

void UpstreamOwner::on_check_timer() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (!place.upstream->is_lost()) continue;
    const std::string interface = place.upstream->interface();
    const bool is_ours = place.upstream->mode() == UpstreamMode::kRouter;
    if (!place.loss_told) {
      log_warn("upstream {} is gone; {}", interface,
               is_ours ? "making it anew" : "waiting for an interface of that name");
    }
    place.loss_told = true;
    if (!open_place(i)) continue;
    log_info("upstream {} is back", interface);
    merged_.for_each_group(
        [&](const IpAddress& group, const SourceFilter& filter) { set_membership(*place.upstream, group, filter); });
  }
  set_report_timer();
  check_timer_.set(monotonic_now() + kCheckInterval);
}

void UpstreamOwner::on_report_timer() {
  const Instant now = monotonic_now();
  for (const Place& place : places_) place.upstream->handle_timeout(now);
  set_report_timer();
}

void UpstreamOwner::set_report_timer() {
  Instant next = kNoDeadline;
  for (const Place& place : places_) next = std::min(next, place.upstream->next_deadline());
  report_timer_.set(next);
}

void UpstreamOwner::shutdown() {
  for (const Place& place : places_) {
    merged_.for_each_group(
        [&](const IpAddress& group, const SourceFilter&) { set_membership(*place.upstream, group, SourceFilter{}); });
  }
  // What the upstream interfaces have to say about the end.
  on_report_timer();
  join_timer_.set(kNoDeadline);
  check_timer_.set(kNoDeadline);
  report_timer_.set(kNoDeadline);
}

void UpstreamOwner::for_each(const std::function<void(const Upstream&)>& visit) const {
  for (const Place& place : places_) visit(*place.upstream);
}

}  // namespace amt
