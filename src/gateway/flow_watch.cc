#include "gateway/flow_watch.hh"

#include <algorithm>

namespace amt {

void FlowWatch::note_packet(Instant now, const IpAddress& source, FilterMode by) {
  if (by == FilterMode::kExclude) return note(now, others_);
  auto watch = named_.find(source);
  if (watch == named_.end()) {
    if (named_.size() >= kSourcesMax) return note(now, others_);
    watch = named_.emplace(source, DataWatch(silence_)).first;
  }
  note(now, watch->second);
}

void FlowWatch::note(Instant now, DataWatch& watch) {
  const bool was_young = is_young(watch);
  watch.note_packet(now);
  if (was_young) --young_;
  if (is_young(watch)) ++young_;
  ask_at_ = std::min(ask_at_, watch.ask_at());
}

void FlowWatch::note_refresh(Instant now) {
  others_.note_refresh(now);
  for (auto& [source, watch] : named_) watch.note_refresh(now);
}

void FlowWatch::note_change(const SourceFilter& before, const SourceFilter& after) {
  if (before.mode == FilterMode::kExclude) {
    young_ -= is_young(others_) ? 1 : 0;
    others_.reset();
    return;
  }
  for (const IpAddress& source : before.sources) {
    if (after.mode == FilterMode::kInclude && after.accepts(source)) continue;
    const auto watch = named_.find(source);
    if (watch == named_.end()) continue;
    young_ -= is_young(watch->second) ? 1 : 0;
    named_.erase(watch);
  }
}

void FlowWatch::reset() {
  named_.clear();
  others_.reset();
  young_ = 0;
  ask_at_ = kNoDeadline;
}

void FlowWatch::settle() {
  ask_at_ = others_.ask_at();
  for (const auto& [source, watch] : named_) ask_at_ = std::min(ask_at_, watch.ask_at());
}

std::vector<std::optional<IpAddress>> FlowWatch::ask(Instant due, Instant now, Duration interval_max) {
  std::vector<std::optional<IpAddress>> asked;
  if (others_.ask_at() <= due) {
    others_.note_asked(now, interval_max);
    asked.emplace_back();
  }
  for (auto& [source, watch] : named_) {
    if (watch.ask_at() > due) continue;
    watch.note_asked(now, interval_max);
    asked.emplace_back(source);
  }
  settle();
  return asked;
}

}  // namespace amt
