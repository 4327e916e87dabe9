#include "membership/merged.hh"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "base/assert.hh"

namespace amt {
namespace {

struct SourceCounts {
  std::uint32_t includers = 0;
  std::uint32_t excluders = 0;
};

struct MergedGroup {
  /// Parties in EXCLUDE mode.
  std::uint32_t excluders = 0;
  std::map<IpAddress, SourceCounts> sources;
  /// What the counts amount to.
  SourceFilter merged;

  void count(const SourceFilter& filter, bool add) {
    const auto step = [add](std::uint32_t& counter) {
      AMT_ASSERT(add || counter > 0);
      counter = add ? counter + 1 : counter - 1;
    };
    const bool exclude = filter.mode == FilterMode::kExclude;
    if (exclude) step(excluders);
    for (const IpAddress& source : filter.sources) {
      SourceCounts& counts = sources[source];
      step(exclude ? counts.excluders : counts.includers);
    }
  }

  void forget_if_unused(const IpAddress& source) {
    const auto it = sources.find(source);
    if (it != sources.end() && it->second.includers == 0 && it->second.excluders == 0) sources.erase(it);
  }

  /// Is `source` in the list of the merged filter?
  [[nodiscard]] bool listed(const SourceCounts& counts) const {
    // RFC 3376 §3.2: "EXCLUDE, and the source list is the intersection of the source lists of all the EXCLUDE records
    // minus the union of the source lists of all the INCLUDE records".
    if (excluders > 0) return counts.excluders == excluders && counts.includers == 0;
    return counts.includers > 0;
  }

  [[nodiscard]] SourceFilter recount() const {
    SourceFilter filter{excluders > 0 ? FilterMode::kExclude : FilterMode::kInclude, {}};
    for (const auto& [source, counts] : sources) {
      if (listed(counts)) filter.sources.push_back(source);
    }
    return filter;
  }

  /// Whether a source of `list` entered or left the merged list.
  [[nodiscard]] bool differs_at(const SourceList& list) const {
    return std::any_of(list.begin(), list.end(), [this](const IpAddress& source) {
      const auto it = sources.find(source);
      const bool now = it != sources.end() && listed(it->second);
      return now != std::binary_search(merged.sources.begin(), merged.sources.end(), source);
    });
  }
};

}  // namespace

struct MergedMembership::Impl {
  std::map<IpAddress, MergedGroup> groups;
};

MergedMembership::MergedMembership() : impl_(std::make_unique<Impl>()) {}
MergedMembership::~MergedMembership() = default;
MergedMembership::MergedMembership(MergedMembership&&) noexcept = default;
MergedMembership& MergedMembership::operator=(MergedMembership&&) noexcept = default;

std::optional<FilterChange> MergedMembership::apply(const FilterChange& change) {
  const auto it = impl_->groups.try_emplace(change.group).first;
  MergedGroup& group = it->second;
  const std::uint32_t excluders_before = group.excluders;
  group.count(change.after, true);
  group.count(change.before, false);

  // With as many excluders as before only the sources that this party named can have moved.
  std::optional<FilterChange> result;
  if (group.excluders != excluders_before || group.differs_at(change.before.sources) ||
      group.differs_at(change.after.sources)) {
    SourceFilter after = group.recount();
    if (after != group.merged) {
      result = FilterChange{change.group, std::move(group.merged), after};
      group.merged = std::move(after);
    }
  }
  for (const IpAddress& source : change.before.sources) group.forget_if_unused(source);
  if (group.excluders == 0 && group.sources.empty()) impl_->groups.erase(it);
  return result;
}

SourceFilter MergedMembership::filter(const IpAddress& group) const {
  const auto it = impl_->groups.find(group);
  return it == impl_->groups.end() ? SourceFilter{} : it->second.merged;
}

std::size_t MergedMembership::group_count() const { return impl_->groups.size(); }

void MergedMembership::for_each_group(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const auto& [group, state] : impl_->groups) visit(group, state.merged);
}

}  // namespace amt
