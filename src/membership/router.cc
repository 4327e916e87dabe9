#include "membership/router.hh"

#include <algorithm>

#include "membership/router_group.hh"

namespace amt {
struct RouterState::Impl {
  /// Ascending.
  std::vector<RouterGroup> groups;
  /// The earliest of all groups' deadlines.
  Instant deadline = kNoDeadline;
  /// LAN mode only.
  std::unique_ptr<QueryQueue> queries;

  [[nodiscard]] std::vector<RouterGroup>::iterator lower_bound(const IpAddress& group) {
    return std::lower_bound(groups.begin(), groups.end(), group,
                            [](const RouterGroup& state, const IpAddress& key) { return state.group() < key; });
  }
  [[nodiscard]] RouterGroup* find(const IpAddress& group) {
    const auto it = lower_bound(group);
    return it != groups.end() && it->group() == group ? &*it : nullptr;
  }
  [[nodiscard]] SourceFilter filter(const IpAddress& group) {
    const RouterGroup* const state = find(group);
    return state == nullptr ? SourceFilter{} : state->filter();
  }
  /// Who may ask about what is left, if anybody.
  [[nodiscard]] QueryQueue* asker(const RouterOptions& options) {
    if (options.single_reporter || !options.is_querier) return nullptr;
    if (!queries) queries = std::make_unique<QueryQueue>();
    return queries.get();
  }
  void find_deadline() {
    deadline = kNoDeadline;
    for (const RouterGroup& group : groups) deadline = std::min(deadline, group.deadline());
  }
};

/// One call with messages: applies records, keeps the groups sorted, and afterwards brings the cached deadline up to
/// date. The deadline is looked for among all groups only when one that held it was touched.
class RouterState::Update {
 public:
  Update(RouterState& state, Instant now, std::vector<FilterChange>& changes)
      : impl_(state.make_impl()), options_(*state.options_), asker_(impl_.asker(options_)), now_(now), log_(changes) {}
  Update(const Update&) = delete;
  Update& operator=(const Update&) = delete;

  ~Update() {
    log_.finish([this](const IpAddress& group) { return impl_.filter(group); });
    if (deadline_touched_) {
      impl_.find_deadline();
    } else {
      impl_.deadline = std::min(impl_.deadline, earliest_);
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
    auto it = impl_.lower_bound(group);
    if (it == impl_.groups.end() || it->group() != group) {
      if (!RouterGroup::creates_state(type, listed)) return;
      if (impl_.groups.size() >= options_.groups_max) {
        ++rejects_.groups_limit;
        return;
      }
      it = impl_.groups.emplace(it, group);
    }
    if (it->deadline() <= impl_.deadline && it->deadline() != kNoDeadline) deadline_touched_ = true;
    it->expire(now_, log_);
    if (older_version != 0) it->note_older_host(now_, options_, older_version);
    rejects_.sources_limit += it->apply(now_, options_, type, listed, log_, asker_);
    if (asker_ != nullptr) {
      it->send_queries(now_, options_, *asker_);
      rejects_.queries_limit += asker_->take_refusals();
    }
    if (it->is_nothing()) {
      impl_.groups.erase(it);
    } else {
      earliest_ = std::min(earliest_, it->deadline());
    }
  }

 private:
  Impl& impl_;
  const RouterOptions& options_;
  QueryQueue* asker_;
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

RouterState::Impl& RouterState::make_impl() {
  if (!impl_) impl_ = std::make_unique<Impl>();
  return *impl_;
}

RouterRejects RouterState::handle_report(Instant now, const GroupReport& report, std::vector<FilterChange>& changes) {
  Update update(*this, now, changes);
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
                                               std::vector<FilterChange>& changes) {
  Update update(*this, now, changes);
  if (!update.admits(report.group)) return update.rejects();
  if (options_->ssm.contains(report.group)) {
    ++update.rejects().older_report_of_ssm_group;  // S-e
    return update.rejects();
  }
  const std::uint8_t version = report.group.is_v4() && report.version == 1 ? 1 : 2;
  update.apply(report.group, RecordType::kModeIsExclude, {}, version);
  return update.rejects();
}

RouterRejects RouterState::handle_leave(Instant now, const OlderLeave& leave, std::vector<FilterChange>& changes) {
  Update update(*this, now, changes);
  if (!update.admits(leave.group)) return update.rejects();
  if (options_->ssm.contains(leave.group)) {
    ++update.rejects().older_report_of_ssm_group;  // S-e
    return update.rejects();
  }
  // RFC 3376 §7.3.2 translates a Leave in mode IGMPv2 only. Taken in mode IGMPv3, too: a host that fell back to an
  // older version since its last report means it all the same, and on a LAN it costs no more than a query.
  update.apply(leave.group, RecordType::kChangeToInclude, {});
  return update.rejects();
}

void RouterState::handle_query(Instant now, const GroupQuery& query, Duration last_member_query_time) {
  RouterGroup* const group = impl_ ? impl_->find(query.group) : nullptr;
  if (group == nullptr) return;
  group->lower_timers(now + last_member_query_time, query.sources);
  impl_->deadline = std::min(impl_->deadline, group->deadline());
}

void RouterState::handle_timeout(Instant now, std::vector<FilterChange>& changes) {
  if (!impl_ || now < impl_->deadline) return;
  ChangeLog log(changes);
  QueryQueue* const asker = impl_->asker(*options_);
  for (RouterGroup& group : impl_->groups) {
    if (now < group.deadline()) continue;
    group.expire(now, log);
    if (asker == nullptr) {
      group.stop_queries();
    } else if (!group.is_nothing()) {
      group.send_queries(now, *options_, *asker);
    }
  }
  impl_->groups.erase(std::remove_if(impl_->groups.begin(), impl_->groups.end(),
                                     [](const RouterGroup& group) { return group.is_nothing(); }),
                      impl_->groups.end());
  impl_->find_deadline();
  log.finish([this](const IpAddress& group) { return impl_->filter(group); });
}

Instant RouterState::next_deadline() const { return impl_ ? impl_->deadline : kNoDeadline; }

std::optional<GroupQuery> RouterState::poll_query() {
  return impl_ && impl_->queries ? impl_->queries->pop() : std::nullopt;
}

void RouterState::stop_queries() {
  if (!impl_) return;
  if (impl_->queries) impl_->queries->clear();
  for (RouterGroup& group : impl_->groups) group.stop_queries();
  impl_->find_deadline();
}

void RouterState::clear(std::vector<FilterChange>& changes) {
  for_each_group([&changes](const IpAddress& group, const SourceFilter& filter) {
    changes.push_back({group, filter, {}});
  });
  impl_.reset();
}

bool RouterState::empty() const { return !impl_ || impl_->groups.empty(); }

std::size_t RouterState::group_count() const { return impl_ ? impl_->groups.size() : 0; }

SourceFilter RouterState::filter(const IpAddress& group) const { return impl_ ? impl_->filter(group) : SourceFilter{}; }

void RouterState::for_each_group(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  if (!impl_) return;
  for (const RouterGroup& group : impl_->groups) visit(group.group(), group.filter());
}

}  // namespace amt
