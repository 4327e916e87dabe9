/// A RouterGroup as a value, and back.
#include "membership/router_group_state.hh"

#include <algorithm>
#include <utility>

namespace amt {

void RouterGroup::copy_to(RouterGroupState& state) const {
  state.group = group_;
  state.mode = mode_;
  state.expires = expires_;
  state.v1_host_present = extras_ ? extras_->v1_host_present : Instant::min();
  state.v2_host_present = extras_ ? extras_->v2_host_present : Instant::min();
  state.sources.assign(sources().begin(), sources().end());
  state.next_query = extras_ ? extras_->next_query : kNoDeadline;
  state.group_queries_left = extras_ ? extras_->group_queries_left : std::uint8_t{0};
  state.source_queries = extras_ ? extras_->source_queries : std::vector<SourceQueries>();
}

std::uint32_t RouterGroup::restore(Instant now, const RouterOptions& options, const RouterGroupState& state,
                                   const Parties& parties) {
  const Instant membership_end = now + options.group_membership_interval();
  Outcome out{.mode = state.mode};
  for (SourceRecord record : state.sources) {
    // No state table leads to the combinations that are skipped here.
    const bool is_ascending = out.sources.empty() || out.sources.back().address < record.address;
    const bool has_meaning = record.is_forwarded() || state.mode == FilterMode::kExclude;
    if (!is_ascending || !has_meaning || record.address.family() != group_.family()) continue;
    if (out.sources.size() == options.sources_per_group_max) {
      ++out.refused;
      continue;
    }
    record.expires = std::min(record.expires, membership_end);
    out.sources.push_back(record);
  }
  if (parties.gate != nullptr && !fit(*parties.gate, out)) return out.refused;
  set_state(out.mode, out.sources, parties.log);
  if (is_nothing()) return out.refused;
  if (out.mode == FilterMode::kExclude) expires_ = std::min(state.expires, membership_end);
  const Instant older_end = now + options.older_host_present_interval();
  if (state.v1_host_present > now) extras().v1_host_present = std::min(state.v1_host_present, older_end);
  if (state.v2_host_present > now) extras().v2_host_present = std::min(state.v2_host_present, older_end);
  if (!options.single_reporter && state.next_query != kNoDeadline) restore_queries(now, options, state);
  refresh_deadline();
  return out.refused;
}

void RouterGroup::restore_queries(Instant now, const RouterOptions& options, const RouterGroupState& state) {
  std::vector<SourceQueries> queries;
  for (SourceQueries query : state.source_queries) {
    const bool is_ascending = queries.empty() || queries.back().source < query.source;
    query.left = std::min(query.left, options.robustness);
    if (is_ascending && query.left > 0 && find(query.source) != nullptr) queries.push_back(query);
  }
  const std::uint8_t left = std::min(state.group_queries_left, options.robustness);
  if (queries.empty() && left == 0) return;
  extras().source_queries = std::move(queries);
  extras().group_queries_left = left;
  extras().next_query = std::min(state.next_query, now + options.last_member_query_interval);
}

}  // namespace amt
