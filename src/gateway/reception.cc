#include "gateway/reception.hh"

#include <algorithm>

namespace amt {
namespace {

/// Sources that `after` wants and `before` did not, as far as either names them.
SourceList added_sources(const SourceFilter& before, const SourceFilter& after) {
  if (after.mode == FilterMode::kExclude) {
    return before.mode == FilterMode::kExclude ? set_difference(before.sources, after.sources) : SourceList{};
  }
  return before.mode == FilterMode::kInclude ? set_difference(after.sources, before.sources)
                                             : set_intersection(after.sources, before.sources);
}

}  // namespace

bool Reception::set(const IpAddress& group, const SourceFilter& filter) {
  const auto entry = groups_.try_emplace(group).first;
  Wanted& wanted = entry->second;
  if (wanted.is_unheard()) --unheard_;
  const bool excludes = filter.mode == FilterMode::kExclude;
  const bool excluded = wanted.filter.mode == FilterMode::kExclude;
  const SourceList added = added_sources(wanted.filter, filter);
  std::erase_if(wanted.unheard, [&](const IpAddress& source) { return !filter.accepts(source); });
  if (excludes && !excluded) wanted.wanted_already = set_difference(wanted.filter.sources, wanted.unheard);
  wanted.unheard_any = excludes && (wanted.unheard_any || !excluded);
  wanted.unheard = set_union(wanted.unheard, added);
  wanted.filter = filter;
  if (wanted.is_unheard()) ++unheard_;
  if (filter.is_nothing()) groups_.erase(entry);
  return !added.empty() || (excludes && !excluded);
}

std::optional<FilterMode> Reception::accept(const IpAddress& source, const IpAddress& group) {
  const auto entry = groups_.find(group);
  if (entry == groups_.end() || !entry->second.filter.accepts(source)) return std::nullopt;
  if (unheard_ > 0 && entry->second.is_unheard()) note_heard(entry->second, source);
  return entry->second.filter.mode;
}

void Reception::note_heard(Wanted& wanted, const IpAddress& source) {
  if (!std::binary_search(wanted.wanted_already.begin(), wanted.wanted_already.end(), source)) {
    wanted.unheard_any = false;
  }
  const auto place = std::lower_bound(wanted.unheard.begin(), wanted.unheard.end(), source);
  if (place != wanted.unheard.end() && *place == source) wanted.unheard.erase(place);
  if (!wanted.is_unheard()) --unheard_;
}

void Reception::expect_all() {
  for (auto& [group, wanted] : groups_) {
    wanted.unheard_any = wanted.filter.mode == FilterMode::kExclude;
    wanted.wanted_already.clear();
    wanted.unheard = wanted.unheard_any ? SourceList{} : wanted.filter.sources;
  }
  unheard_ = groups_.size();
}

void Reception::stop_expecting() {
  for (auto& [group, wanted] : groups_) {
    wanted.unheard_any = false;
    wanted.unheard.clear();
  }
  unheard_ = 0;
}

void Reception::save(StateRecordWriter& out) const {
  out.count(groups_.size());
  for (const auto& [group, wanted] : groups_) out(group, wanted.unheard, wanted.unheard_any, wanted.wanted_already);
}

void Reception::restore(StateRecordReader& in) {
  stop_expecting();
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) {
    IpAddress group;
    Wanted read;
    in(group, read.unheard, read.unheard_any, read.wanted_already);
    const auto entry = groups_.find(group);
    if (entry == groups_.end() || entry->second.is_unheard()) continue;
    Wanted& wanted = entry->second;
    std::erase_if(read.unheard, [&](const IpAddress& source) { return !wanted.filter.accepts(source); });
    wanted.unheard = to_source_list(read.unheard);
    wanted.unheard_any = read.unheard_any && wanted.filter.mode == FilterMode::kExclude;
    wanted.wanted_already = to_source_list(read.wanted_already);
    if (wanted.is_unheard()) ++unheard_;
  }
}

void Retries::start(Instant now) {
  left_ = max_;
  wait_ = first_;
  next_ = std::max(now, last_) + first_;
}

void Retries::note(Instant now) {
  last_ = now;
  if (left_ > 0) --left_;
  wait_ *= 2;
  next_ = now + wait_;
}

void Retries::hold(Instant now) { next_ = std::max(next_, now + first_); }

}  // namespace amt
