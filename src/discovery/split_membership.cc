#include "discovery/split_membership.hh"

#include <utility>

namespace amt {

std::vector<WantedSource> SplitMembership::sources_of(const SourceFilter& filter) {
  if (filter.mode == FilterMode::kExclude) return {std::nullopt};
  return {filter.sources.begin(), filter.sources.end()};
}

const std::vector<TunnelNumber>& SplitMembership::tunnels_of(const WantedSource& source) const {
  static const std::vector<TunnelNumber> kNone;
  const auto found = tunnels_.find(source);
  return found == tunnels_.end() ? kNone : found->second;
}

void SplitMembership::set_wanted(const IpAddress& group, const SourceFilter& filter) {
  if (const auto before = wanted_.find(group); before != wanted_.end()) {
    for (const WantedSource& source : sources_of(before->second)) {
      const auto groups = groups_of_.find(source);
      groups->second.erase(group);
      if (groups->second.empty()) groups_of_.erase(groups);
    }
  }
  if (filter.is_nothing()) {
    wanted_.erase(group);
  } else {
    wanted_[group] = filter;
    for (const WantedSource& source : sources_of(filter)) groups_of_[source].insert(group);
  }
  changed_.insert(group);
}

void SplitMembership::set_tunnels(const WantedSource& source, std::vector<TunnelNumber> tunnels) {
  if (tunnels.empty()) {
    tunnels_.erase(source);
  } else {
    tunnels_[source] = std::move(tunnels);
  }
  if (const auto groups = groups_of_.find(source); groups != groups_of_.end()) {
    changed_.insert(groups->second.begin(), groups->second.end());
  }
}

void SplitMembership::emit_filters(const IpAddress& group) {
  std::map<TunnelNumber, SourceFilter> now;
  if (const auto wanted = wanted_.find(group); wanted != wanted_.end()) {
    const SourceFilter& filter = wanted->second;
    for (const WantedSource& source : sources_of(filter)) {
      for (const TunnelNumber tunnel : tunnels_of(source)) {
        // The list of a filter is sorted, and so is every sublist taken in order.
        if (source) now[tunnel].sources.push_back(*source);
        if (!source) now[tunnel] = filter;
      }
    }
  }
  std::map<TunnelNumber, SourceFilter>& told = told_[group];
  // New memberships go first: a source that moves is joined there before it is left here.
  for (const auto& [tunnel, filter] : now) {
    const auto known = told.find(tunnel);
    if (known == told.end() || known->second != filter) changes_.push_back({tunnel, group, filter});
  }
  for (const auto& [tunnel, filter] : told) {
    if (!now.contains(tunnel)) changes_.push_back({tunnel, group, SourceFilter{}});
  }
  told = std::move(now);
  if (told.empty()) told_.erase(group);
}

std::optional<TunnelFilter> SplitMembership::poll_change() {
  for (const IpAddress& group : std::exchange(changed_, {})) emit_filters(group);
  if (changes_.empty()) return std::nullopt;
  TunnelFilter change = std::move(changes_.front());
  changes_.pop_front();
  return change;
}

void SplitMembership::restore(StateRecordReader& in) {
  std::map<IpAddress, SourceFilter> wanted;
  in(wanted, told_);
  for (const auto& [group, filter] : wanted) set_wanted(group, filter);
}

void SplitMembership::for_each_wanted(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const auto& [group, filter] : wanted_) visit(group, filter);
}

}  // namespace amt
