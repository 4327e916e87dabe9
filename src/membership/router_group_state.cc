/// A RouterGroup as a value, and back.
#include "membership/router_group_state.hh"

#include <algorithm>

namespace amt {

void RouterGroup::copy_to(RouterGroupState& state) const {
  state.group = group_;
  state.mode = mode_;
  state.expires = expires_;
  state.v1_host_present = extras_ ? extras_->v1_host_present : Instant::min();
  state.v2_host_present = extras_ ? extras_->v2_host_present : Instant::min();
  state.sources.assign(sources().begin(), sources().end());
}

std::uint32_t RouterGroup::restore(Instant now, const RouterOptions& options, const RouterGroupState& state,
                                   const Parties& parties) {
  const Instant membership_end = now + options.group_membership_interval();
  Outcome out{.mode = state.mode};
  for (SourceRecord record : state.sources) {
    // No state table leads to what this skips.
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
  refresh_deadline();
  return out.refused;
}

}  // namespace amt
