#include "gateway/flow_watch.hh"

#include <algorithm>

namespace amt {

FlowWatch::Flow FlowWatch::flow_of(const IpAddress& source, FilterMode by) {
  if (by == FilterMode::kExclude) return {*this, &others_};
  const auto named = named_.find(source);
  return {*this, named == named_.end() ? nullptr : &named->second.watch};
}

void FlowWatch::handle_packet(Instant now, DataWatch& watch) {
  const bool was_heard = watch.is_heard();
  const bool was_flow = watch.is_flow();
  watch.handle_packet(now);
  if (!was_heard) ++young_;
  if (!was_flow && watch.is_flow()) {
    --young_;
    ++flows_;
  }
  ask_at_ = std::min(ask_at_, watch.ask_at());
}

void FlowWatch::forget(DataWatch& watch) {
  if (watch.is_flow()) {
    --flows_;
  } else if (watch.is_heard()) {
    --young_;
  }
  watch.reset();
}

void FlowWatch::handle_refresh(Instant now) {
  others_.handle_refresh(now);
  for (auto& [source, named] : named_) named.watch.handle_refresh(now);
}

void FlowWatch::handle_change(const SourceFilter& before, const SourceFilter& after) {
  const auto names = [](const SourceFilter& filter, const IpAddress& source) {
    return filter.mode == FilterMode::kInclude && filter.accepts(source);
  };
  if (before.mode == FilterMode::kExclude) forget(others_);
  for (const IpAddress& source : before.sources) {
    const auto named = named_.find(source);
    if (named == named_.end() || !names(before, source) || names(after, source)) continue;
    forget(named->second.watch);
    if (--named->second.groups == 0) named_.erase(named);
  }
  for (const IpAddress& source : after.sources) {
    if (!names(after, source) || names(before, source)) continue;
    if (named_.size() >= kSourcesMax && !named_.contains(source)) continue;
    ++named_.try_emplace(source, Named{DataWatch(silence_), 0}).first->second.groups;
  }
}

void FlowWatch::reset() {
  others_.reset();
  for (auto& [source, named] : named_) named.watch.reset();
  young_ = flows_ = 0;
  ask_at_ = kNoDeadline;
}

void FlowWatch::save(StateRecordWriter& out) const {
  out(others_);
  out.count(named_.size());
  for (const auto& [source, named] : named_) out(source, named.watch);
}

void FlowWatch::restore(StateRecordReader& in) {
  in(others_);
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) {
    IpAddress source;
    DataWatch watch(silence_);
    in(source, watch);
    if (const auto named = named_.find(source); named != named_.end()) named->second.watch = watch;
  }
  if (in.has_failed()) return;
  count_flows();
  refresh_deadline();
}

void FlowWatch::count_flows() {
  young_ = flows_ = 0;
  const auto add = [this](const DataWatch& watch) {
    flows_ += watch.is_flow() ? 1 : 0;
    young_ += watch.is_heard() && !watch.is_flow() ? 1 : 0;
  };
  add(others_);
  for (const auto& [source, named] : named_) add(named.watch);
}

void FlowWatch::refresh_deadline() {
  ask_at_ = others_.ask_at();
  for (const auto& [source, named] : named_) ask_at_ = std::min(ask_at_, named.watch.ask_at());
}

std::vector<std::optional<IpAddress>> FlowWatch::ask(Instant due, Instant now, Duration interval_max) {
  std::vector<std::optional<IpAddress>> asked;
  if (others_.ask_at() <= due) {
    others_.note_asked(now, interval_max);
    asked.emplace_back();
  }
  for (auto& [source, named] : named_) {
    if (named.watch.ask_at() > due) continue;
    named.watch.note_asked(now, interval_max);
    asked.emplace_back(source);
  }
  refresh_deadline();
  return asked;
}

}  // namespace amt
