#include "membership/router.hh"

#include <algorithm>
#include <utility>

namespace amt {

struct RouterState::Many {
  /// Ascending.
  std::vector<RouterGroup> groups;
  /// The earliest of all groups' deadlines.
  Instant deadline = kNoDeadline;
  /// LAN mode only.
  std::unique_ptr<QueryQueue> queries;
};

/// One call with messages: applies records, keeps the groups sorted, and afterwards brings the cached deadline up to
/// date. The deadline is looked for among all groups only when one that held it was touched.
class RouterState::Update {
 public:
  Update(RouterState& state, Instant now, std::vector<FilterChange>& changes, RouterGate* gate)
      : state_(state), options_(*state.options_), asker_(state.asker()), gate_(gate), now_(now), log_(changes) {}
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  ~Update() {
    log_.finish([this](const IpAddress& group) { return state_.filter(group); });
    if (deadline_touched_) {
      state_.find_deadline();
    } else if (state_.many_) {
      state_.many_->deadline = std::min(state_.many_->deadline, earliest_);
    }
  }

  [[nodiscard]] RouterRejects& rejects() { return rejects_; }

  /// Groups that no message may create state for.
  [[nodiscard]] bool admits(const IpAddress& group) {
    if (is_link_scope_multicast(group)) {
      ++rejects_.link_scope_group;
      return false;
    }
    if (!is_forwardable_group(group)) {
      ++rejects_.not_multicast;
      return false;
    }
    return true;
  }

  /// `older_version`: an IGMPv1 (1) or IGMPv2 or MLDv1 (2) report in the guise of a record; 0: a record.
  void apply(const IpAddress& group, RecordType type, std::span<const IpAddress> listed,
             std::uint8_t older_version = 0) {
    RouterGroup* state = state_.find(group);
    if (state == nullptr) {
      if (!RouterGroup::creates_state(type, listed)) return;
      state = try_insert(group);
      if (state == nullptr) return;
    }
    if (state->deadline() <= state_.next_deadline() && state->deadline() != kNoDeadline) deadline_touched_ = true;
    state->expire(now_, log_, gate_);
    if (older_version != 0) state->note_older_host(now_, options_, older_version);
    rejects_.sources_limit += state->apply(now_, options_, type, listed, {log_, asker_, gate_});
    if (asker_ != nullptr) {
      state->send_queries(now_, options_, *asker_);
      rejects_.queries_limit += asker_->take_refusals();
    }
    keep_or_erase(*state);
  }

  void restore(const RouterGroupState& from) {
    const bool is_refused = from.mode == FilterMode::kExclude && options_.ssm.contains(from.group);
    if (is_refused || !admits(from.group) || state_.find(from.group) != nullptr) return;
    RouterGroup* const state = try_insert(from.group);
    if (state == nullptr) return;
    rejects_.sources_limit += state->restore(now_, options_, from, {log_, nullptr, gate_});
    keep_or_erase(*state);
  }

 private:
  /// Null: there may be no group more, which is counted.
  RouterGroup* try_insert(const IpAddress& group) {
    if (gate_ != nullptr && !gate_->allows_group(group)) return nullptr;
    if (state_.group_count() >= options_.groups_max) {
      ++rejects_.groups_limit;
      return nullptr;
    }
    return &state_.insert(group);
  }
  void keep_or_erase(const RouterGroup& state) {
    if (state.is_nothing()) {
      state_.erase(state);
    } else {
      earliest_ = std::min(earliest_, state.deadline());
    }
  }

  RouterState& state_;
  const RouterOptions& options_;
  QueryQueue* asker_;
  RouterGate* gate_;
  Instant now_;
  ChangeLog log_;
  RouterRejects rejects_;
  bool deadline_touched_ = false;
  Instant earliest_ = kNoDeadline;
};

RouterState::RouterState(const RouterOptions& options) : options_(&options) {}
RouterState::~RouterState() = default;
RouterState::RouterState(RouterState&&) noexcept = default;
RouterState& RouterState::operator=(RouterState&&) noexcept = default;

std::span<RouterGroup> RouterState::groups() {
  if (many_) return many_->groups;
  return {&only_, only_.is_nothing() ? 0U : 1U};
}

std::span<const RouterGroup> RouterState::groups() const {
  if (many_) return many_->groups;
  return {&only_, only_.is_nothing() ? 0U : 1U};
}

RouterGroup* RouterState::find(const IpAddress& group) {
  const auto it = std::ranges::lower_bound(groups(), group, {}, &RouterGroup::group);
  return it != groups().end() && it->group() == group ? &*it : nullptr;
}

const RouterGroup* RouterState::find(const IpAddress& group) const {
  const auto it = std::ranges::lower_bound(groups(), group, {}, &RouterGroup::group);
  return it != groups().end() && it->group() == group ? &*it : nullptr;
}

RouterGroup& RouterState::insert(const IpAddress& group) {
  if (!many_ && only_.is_nothing()) return only_ = RouterGroup(group);
  std::vector<RouterGroup>& all = make_many().groups;
  return *all.emplace(std::ranges::lower_bound(all, group, {}, &RouterGroup::group), group);
}

RouterState::Many& RouterState::make_many() {
  if (many_) return *many_;
  many_ = std::make_unique<Many>();
  many_->deadline = only_.deadline();
  if (!only_.is_nothing()) many_->groups.push_back(std::exchange(only_, RouterGroup()));
  return *many_;
}

void RouterState::erase(const RouterGroup& group) {
  if (!many_) {
    only_ = RouterGroup();
    return;
  }
  many_->groups.erase(many_->groups.begin() + (&group - many_->groups.data()));
  fold();
}

void RouterState::fold() {
  if (many_->groups.size() > 1 || many_->queries) return;
  if (!many_->groups.empty()) only_ = std::move(many_->groups.front());
  many_.reset();
}

void RouterState::find_deadline() {
  if (!many_) return;
  many_->deadline = kNoDeadline;
  for (const RouterGroup& group : many_->groups) many_->deadline = std::min(many_->deadline, group.deadline());
}

QueryQueue* RouterState::asker() {
  if (options_->single_reporter || !options_->is_querier) return nullptr;
  Many& many = make_many();
  if (!many.queries) many.queries = std::make_unique<QueryQueue>();
  return many.queries.get();
}

RouterRejects RouterState::handle_report(Instant now, const GroupReport& report, std::vector<FilterChange>& changes,
                                         RouterGate* gate) {
  Update update(*this, now, changes, gate);
  for (const GroupRecord& record : report.records) {
    if (!update.admits(record.group)) continue;
    const bool exclude = record.type == RecordType::kModeIsExclude || record.type == RecordType::kChangeToExclude;
    if (exclude && options_->ssm.contains(record.group)) {
      // RFC 4604 §3.1: "A router SHOULD ignore a group record of either of the following types if it refers to an SSM
      // destination address"; the other records of the report count (S-d).
      ++update.rejects().exclude_of_ssm_group;
      continue;
    }
    update.apply(record.group, record.type, record.sources);
  }
  return update.rejects();
}

RouterRejects RouterState::handle_older_report(Instant now, const OlderReport& report,
                                               std::vector<FilterChange>& changes, RouterGate* gate) {
  Update update(*this, now, changes, gate);
  if (!update.admits(report.group)) return update.rejects();
  if (options_->ssm.contains(report.group)) {
    ++update.rejects().older_report_of_ssm_group;  // S-e
    return update.rejects();
  }
  const std::uint8_t version = report.group.is_v4() && report.version == 1 ? 1 : 2;
  update.apply(report.group, RecordType::kModeIsExclude, {}, version);
  return update.rejects();
}

RouterRejects RouterState::handle_leave(Instant now, const OlderLeave& leave, std::vector<FilterChange>& changes,
                                        RouterGate* gate) {
  Update update(*this, now, changes, gate);
  if (!update.admits(leave.group)) return update.rejects();
  if (options_->ssm.contains(leave.group)) {
    ++update.rejects().older_report_of_ssm_group;  // S-e
    return update.rejects();
  }
  // RFC 3376 §7.3.2 translates a Leave in mode IGMPv2 only. It is accepted in mode IGMPv3, too: a host that fell back
  // to an older version since its last report has left, and on a LAN the cost is one query.
  update.apply(leave.group, RecordType::kChangeToInclude, {});
  return update.rejects();
}

void RouterState::for_each_state(const std::function<void(const RouterGroupState& state)>& visit) const {
  RouterGroupState state;
  for (const RouterGroup& group : groups()) {
    group.copy_to(state);
    visit(state);
  }
}

std::vector<RouterGroupState> RouterState::states() const {
  std::vector<RouterGroupState> all;
  for_each_state([&all](const RouterGroupState& state) { all.push_back(state); });
  return all;
}

RouterRejects RouterState::restore(Instant now, std::span<const RouterGroupState> states,
                                   std::vector<FilterChange>& changes, RouterGate* gate) {
  Update update(*this, now, changes, gate);
  for (const RouterGroupState& state : states) update.restore(state);
  return update.rejects();
}

void RouterState::handle_query(Instant now, const GroupQuery& query, Duration last_member_query_time) {
  RouterGroup* const group = find(query.group);
  if (group == nullptr) return;
  group->lower_timers(now + last_member_query_time, query.sources);
  if (many_) many_->deadline = std::min(many_->deadline, group->deadline());
}

void RouterState::handle_timeout(Instant now, std::vector<FilterChange>& changes, RouterGate* gate) {
  if (now < next_deadline()) return;
  ChangeLog log(changes);
  QueryQueue* const asking = asker();
  for (RouterGroup& group : groups()) {
    if (now < group.deadline()) continue;
    group.expire(now, log, gate);
    if (asking == nullptr) {
      group.stop_queries();
    } else if (!group.is_nothing()) {
      group.send_queries(now, *options_, *asking);
    }
  }
  if (many_) {
    std::erase_if(many_->groups, [](const RouterGroup& group) { return group.is_nothing(); });
    fold();
  } else if (only_.is_nothing()) {
    only_ = RouterGroup();
  }
  find_deadline();
  log.finish([this](const IpAddress& group) { return filter(group); });
}

Instant RouterState::next_deadline() const { return many_ ? many_->deadline : only_.deadline(); }

std::optional<GroupQuery> RouterState::poll_query() {
  return many_ && many_->queries ? many_->queries->pop() : std::nullopt;
}

void RouterState::stop_queries() {
  if (many_ && many_->queries) many_->queries->clear();
  for (RouterGroup& group : groups()) group.stop_queries();
  find_deadline();
}

void RouterState::clear(std::vector<FilterChange>& changes) {
  for_each_group([&changes](const IpAddress& group, const SourceFilter& filter) {
    changes.push_back({group, filter, {}});
  });
  many_.reset();
  only_ = RouterGroup();
}

bool RouterState::empty() const { return groups().empty(); }

std::size_t RouterState::group_count() const { return groups().size(); }

std::size_t RouterState::membership_count() const {
  std::size_t count = 0;
  for (const RouterGroup& group : groups()) count += group.membership_count();
  return count;
}

std::size_t RouterState::membership_count(const IpAddress& group) const {
  const RouterGroup* const found = find(group);
  return found == nullptr ? 0 : found->membership_count();
}

SourceFilter RouterState::filter(const IpAddress& group) const {
  const RouterGroup* const found = find(group);
  return found == nullptr ? SourceFilter{} : found->filter();
}

void RouterState::for_each_group(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const RouterGroup& group : groups()) visit(group.group(), group.filter());
}

bool RouterState::has_group_in(const Prefix& wanted) const {
  const auto first = std::ranges::lower_bound(groups(), base_address(wanted), {}, &RouterGroup::group);
  return first != groups().end() && wanted.contains(first->group());
}

bool RouterState::for_each_group_after(
    const std::optional<IpAddress>& after,
    const std::function<bool(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  const std::span<const RouterGroup> all = groups();
  auto at = after ? std::ranges::upper_bound(all, *after, {}, &RouterGroup::group) : all.begin();
  for (; at != all.end(); ++at) {
    if (!visit(at->group(), at->filter())) return false;
  }
  return true;
}

}  // namespace amt
