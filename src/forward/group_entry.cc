#include "forward/group_entry.hh"

#include <algorithm>
#include <utility>

namespace amt {

const SourceEntry* GroupEntry::find(const IpAddress& source) const {
  if (source == first_ && !first_entry_.empty()) return &first_entry_;
  if (!others_) return nullptr;
  const auto found = others_->find(source);
  return found == others_->end() ? nullptr : &found->second;
}

SourceEntry* GroupEntry::find(const IpAddress& source) {
  if (source == first_ && !first_entry_.empty()) return &first_entry_;
  if (!others_) return nullptr;
  const auto found = others_->find(source);
  return found == others_->end() ? nullptr : &found->second;
}

SourceEntry& GroupEntry::obtain(const IpAddress& source, const KeyedHash& hash) {
  if (first_entry_.empty()) first_ = source;
  if (source == first_) return first_entry_;
  if (!others_) others_ = std::make_unique<Sources>(0, hash);
  return (*others_)[source];
}

void GroupEntry::forget(const IpAddress& source) {
  if (source == first_) {
    first_entry_ = {};
    if (!others_) return;
    first_ = others_->begin()->first;
    first_entry_ = std::move(others_->begin()->second);
    others_->erase(others_->begin());
  } else {
    others_->erase(source);
  }
  if (others_->empty()) others_.reset();
}

bool GroupEntry::is_listed(const SourceEntry& entry) const {
  // RFC 3376 §3.2: "EXCLUDE, and the source list is the intersection of the source lists of all the EXCLUDE records
  // minus the union of the source lists of all the INCLUDE records".
  if (!any_.empty()) return entry.blockers() == any_.size() && entry.include.empty();
  return !entry.include.empty();
}

std::optional<SourceFilter> GroupEntry::merged(std::size_t sources_max) const {
  SourceFilter filter{any_.empty() ? FilterMode::kInclude : FilterMode::kExclude, {}};
  const auto list = [&](const IpAddress& source, const SourceEntry& entry) {
    if (is_listed(entry)) filter.sources.push_back(source);
    return filter.sources.size() <= sources_max;
  };
  if (!first_entry_.empty() && !list(first_, first_entry_)) return std::nullopt;
  if (others_) {
    for (const auto& [source, entry] : *others_) {
      if (!list(source, entry)) return std::nullopt;
    }
  }
  std::ranges::sort(filter.sources);
  return filter;
}

std::vector<SourceUse> GroupEntry::uses_after(const std::optional<IpAddress>& source, std::size_t max) const {
  const auto before = [](const SourceUse& a, const SourceUse& b) { return a.source < b.source; };
  // The least ones, the greatest of them in front.
  std::vector<SourceUse> least;
  for_each_source([&](const IpAddress& candidate, const SourceEntry& entry) {
    if (entry.include.empty() || (source && !(*source < candidate))) return;
    if (least.size() == max) {
      if (!(candidate < least.front().source)) return;
      std::ranges::pop_heap(least, before);
      least.pop_back();
    }
    least.push_back({candidate, &entry});
    std::ranges::push_heap(least, before);
  });
  std::ranges::sort_heap(least, before);
  return least;
}

}  // namespace amt
