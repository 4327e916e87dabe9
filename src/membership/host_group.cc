#include "membership/host_group.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

/// RFC 3376 §4.1.6: the Robustness Variable of a querier has three bits.
constexpr std::uint8_t kRepeatsMax = 7;

}  // namespace

Instant HostGroup::deadline() const { return std::min(change_due_, response_due_); }

void HostGroup::change(Instant now, const SourceFilter& filter, std::uint8_t robustness) {
  AMT_ASSERT(filter != filter_);
  if (filter.mode != filter_.mode) {
    // RFC 3376 §5.1: "the next [Robustness Variable] State-Change Reports will include a Filter-Mode-Change record".
    // They name the whole list, so they also carry the pending changes of single sources.
    mode_changes_left_ = robustness;
    changed_.clear();
  } else {
    // "Each time a source is included in the difference report ... retransmission state for that source needs to be
    // maintained until [Robustness Variable] State-Change reports have been sent".
    for (const IpAddress& source :
         set_union(set_difference(filter.sources, filter_.sources), set_difference(filter_.sources, filter.sources))) {
      auto it = std::lower_bound(changed_.begin(), changed_.end(), source,
                                 [](const ChangedSource& c, const IpAddress& a) { return c.address < a; });
      if (it == changed_.end() || it->address != source) it = changed_.insert(it, {source, 0});
      it->left = robustness;
    }
  }
  filter_ = filter;
  // "each such additional change triggers the immediate transmission of a new State-Change Report".
  change_due_ = now;
}

void HostGroup::restate(Instant now) {
  mode_changes_left_ = std::max<std::uint8_t>(mode_changes_left_, 1);
  change_due_ = now;
}

void HostGroup::forget_pending() {
  mode_changes_left_ = 0;
  changed_.clear();
  change_due_ = kNoDeadline;
  response_due_ = kNoDeadline;
  response_sources_.clear();
}

void HostGroup::limit_repeats(std::uint8_t robustness) {
  mode_changes_left_ = std::min(mode_changes_left_, robustness);
  for (ChangedSource& changed : changed_) changed.left = std::min(changed.left, robustness);
}

void HostGroup::take_change_records(Instant now, Instant repeat_at, const IpAddress& group,
                                    std::vector<GroupRecord>& out) {
  if (now < change_due_) return;
  const bool include = filter_.mode == FilterMode::kInclude;
  if (mode_changes_left_ > 0) {
    // "TO_IN: All in the current interface state that must be forwarded. TO_EX: ... that must be blocked".
    out.push_back({include ? RecordType::kChangeToInclude : RecordType::kChangeToExclude, group, filter_.sources});
    --mode_changes_left_;
  } else {
    // "ALLOW: All with retransmission state that must be forwarded. BLOCK: ... that must be blocked". Empty ones are
    // omitted.
    GroupRecord allow{RecordType::kAllowNewSources, group, {}};
    GroupRecord block{RecordType::kBlockOldSources, group, {}};
    for (const ChangedSource& changed : changed_) {
      (filter_.accepts(changed.address) ? allow : block).sources.push_back(changed.address);
    }
    if (!allow.sources.empty()) out.push_back(std::move(allow));
    if (!block.sources.empty()) out.push_back(std::move(block));
  }
  // A Filter-Mode-Change report says the state of every source, so it counts for each.
  for (ChangedSource& changed : changed_) --changed.left;
  changed_.erase(std::remove_if(changed_.begin(), changed_.end(), [](const ChangedSource& c) { return c.left == 0; }),
                 changed_.end());
  change_due_ = mode_changes_left_ > 0 || !changed_.empty() ? repeat_at : kNoDeadline;
}

void HostGroup::ask(Instant due, const SourceList& sources) {
  // RFC 3376 §5.2, rules 3 to 5.
  if (!has_response()) {
    response_due_ = due;
    response_sources_ = sources;
    return;
  }
  response_due_ = std::min(response_due_, due);
  if (sources.empty() || response_sources_.empty()) {
    response_sources_.clear();
  } else {
    response_sources_ = set_union(response_sources_, sources);
  }
}

void HostGroup::take_response(Instant now, const IpAddress& group, std::vector<GroupRecord>& out) {
  if (now < response_due_) return;
  response_due_ = kNoDeadline;
  const SourceList asked = std::move(response_sources_);
  response_sources_.clear();
  if (filter_.is_nothing()) return;
  if (asked.empty()) {
    out.push_back(current_state(group));
    return;
  }
  // INCLUDE(A), asked about B: IS_IN(A*B). EXCLUDE(A): IS_IN(B-A). Nothing of it: no answer.
  GroupRecord answer{RecordType::kModeIsInclude, group,
                     filter_.mode == FilterMode::kInclude ? set_intersection(filter_.sources, asked)
                                                          : set_difference(asked, filter_.sources)};
  if (!answer.sources.empty()) out.push_back(std::move(answer));
}

GroupRecord HostGroup::current_state(const IpAddress& group) const {
  const bool include = filter_.mode == FilterMode::kInclude;
  return {include ? RecordType::kModeIsInclude : RecordType::kModeIsExclude, group, filter_.sources};
}

bool HostGroup::is_possible(Family family, Instant latest) const {
  const bool is_ascending = std::ranges::is_sorted(changed_, {}, &ChangedSource::address) &&
                            std::ranges::adjacent_find(changed_, {}, &ChangedSource::address) == changed_.end();
  const bool is_right = std::ranges::all_of(changed_, [family](const ChangedSource& changed) {
    return changed.left > 0 && changed.left <= kRepeatsMax && changed.address.family() == family;
  });
  const bool is_pending = mode_changes_left_ > 0 || !changed_.empty();
  const bool is_due = has_change_records() && change_due_ <= latest;
  return is_ascending && is_right && mode_changes_left_ <= kRepeatsMax && is_pending == is_due;
}

}  // namespace amt
