#include "forward/replication_table.hh"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <iterator>

#include "base/id_index.hh"
#include "base/shrink.hh"
#include "base/slab.hh"
#include "forward/group_entry.hh"

namespace amt {
namespace {

const SourceList kNoSources;

const SourceList& included(const SourceFilter& filter) {
  return filter.mode == FilterMode::kInclude ? filter.sources : kNoSources;
}
const SourceList& excluded(const SourceFilter& filter) {
  return filter.mode == FilterMode::kExclude ? filter.sources : kNoSources;
}

/// Calls `f` for each element of sorted `a` that is not in sorted `b`.
template <typename F>
void for_each_missing(const SourceList& a, const SourceList& b, F&& f) {
  auto other = b.begin();
  for (const IpAddress& source : a) {
    while (other != b.end() && *other < source) ++other;
    if (other == b.end() || *other != source) f(source);
  }
}

void block(SourceEntry& entry, TunnelId tunnel) {
  if (!entry.blocked) entry.blocked = std::make_unique<TunnelSet>();
  entry.blocked->add(tunnel);
}
void unblock(SourceEntry& entry, TunnelId tunnel) {
  AMT_ASSERT(entry.blocked);
  entry.blocked->remove(tunnel);
  if (entry.blocked->empty()) entry.blocked.reset();
}

/// The filter before sources of its list came and went.
SourceFilter without_toggled(const SourceFilter& after, SourceList toggled) {
  std::ranges::sort(toggled);
  SourceFilter before{after.mode, {}};
  std::ranges::set_symmetric_difference(after.sources, toggled, std::back_inserter(before.sources));
  return before;
}

}  // namespace

struct ReplicationTable::Impl {
  Impl(const KeyedHash& keyed, std::optional<MergeOptions> options)
      : hash(keyed), merge(std::move(options)), told(0, keyed) {}

  [[nodiscard]] std::optional<std::uint32_t> find(const IpAddress& group) const {
    return index.find(hash(group), [&](std::uint32_t id) { return groups[id].group() == group; });
  }
  std::uint32_t obtain(const IpAddress& group) {
    if (const std::optional<std::uint32_t> id = find(group)) return *id;
    const std::uint32_t id = groups.insert(GroupEntry(group));
    index.insert(hash(group), id);
    return id;
  }
  void erase(std::uint32_t id) {
    index.erase(hash(groups[id].group()), id);
    groups.erase(id);
  }

  void apply(GroupEntry& group, TunnelId tunnel, const FilterChange& change, ChannelEdges* edges);

  [[nodiscard]] std::size_t sources_listed_max(const IpAddress& group) const {
    return !merge || merge->ssm.contains(group) ? SIZE_MAX : merge->sources_listed_max;
  }
  /// The merged filter within the limits of `MergeOptions`.
  [[nodiscard]] SourceFilter merged(const GroupEntry& group) const {
    return group.merged(sources_listed_max(group.group())).value_or(kWhole);
  }
  [[nodiscard]] SourceFilter merged_before(const GroupEntry& group, SourceList toggled) const;
  void note_change(const IpAddress& group, SourceFilter before);

  /// Of `changed`, room for so many.
  static constexpr std::size_t kChangesKept = 4096;
  inline static const SourceFilter kWhole{FilterMode::kExclude, {}};

  KeyedHash hash;
  /// None: the owner does not poll.
  std::optional<MergeOptions> merge;
  /// Of the groups that have changed since they were polled: the filter that was polled.
  boost::unordered_flat_map<IpAddress, SourceFilter, KeyedHash> told;
  /// These, in order of change.
  std::vector<IpAddress> changed;
  std::size_t polled = 0;
  Slab<GroupEntry> groups;
  IdIndex index;
  /// Groups below this one have been taken.
  std::uint32_t taken = 0;
};

ReplicationTable::ReplicationTable(const KeyedHash& hash) : impl_(std::make_unique<Impl>(hash, std::nullopt)) {}
ReplicationTable::ReplicationTable(const KeyedHash& hash, MergeOptions merge)
    : impl_(std::make_unique<Impl>(hash, std::move(merge))) {}
ReplicationTable::~ReplicationTable() = default;

void ReplicationTable::apply(TunnelId tunnel, const FilterChange& change, ChannelEdges* edges) {
  const std::uint32_t id = impl_->obtain(change.group);
  GroupEntry& group = impl_->groups[id];
  impl_->apply(group, tunnel, change, edges);
  if (group.empty()) impl_->erase(id);
}

void ReplicationTable::Impl::apply(GroupEntry& group, TunnelId tunnel, const FilterChange& change,
                                   ChannelEdges* edges) {
  const bool was_excluder = change.before.mode == FilterMode::kExclude;
  const bool is_excluder = change.after.mode == FilterMode::kExclude;
  const bool is_told = merge && !told.contains(change.group);
  // With as many excluders as before only the sources that this tunnel named can have moved.
  if (is_told && was_excluder != is_excluder) note_change(change.group, merged(group));
  SourceList toggled;
  const auto change_source = [&](const IpAddress& source, const auto& how) {
    if (group.change(source, hash, how)) toggled.push_back(source);
  };

  for_each_missing(included(change.before), included(change.after), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) {
      entry.include.remove(tunnel);
      if (edges != nullptr && entry.include.empty()) edges->ended.push_back({source, change.group});
    });
  });
  for_each_missing(excluded(change.before), excluded(change.after), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { unblock(entry, tunnel); });
  });
  if (was_excluder && !is_excluder) {
    group.remove_any(tunnel);
    if (edges != nullptr && group.any().empty()) edges->ended.push_back({std::nullopt, change.group});
  }
  if (!was_excluder && is_excluder) {
    if (edges != nullptr && group.any().empty()) edges->begun.push_back({std::nullopt, change.group});
    group.add_any(tunnel);
  }
  for_each_missing(excluded(change.after), excluded(change.before), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { block(entry, tunnel); });
  });
  for_each_missing(included(change.after), included(change.before), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) {
      if (edges != nullptr && entry.include.empty()) edges->begun.push_back({source, change.group});
      entry.include.add(tunnel);
    });
  });
  if (is_told && was_excluder == is_excluder && !toggled.empty()) {
    SourceFilter before = merged_before(group, std::move(toggled));
    note_change(change.group, std::move(before));
  }
}

SourceFilter ReplicationTable::Impl::merged_before(const GroupEntry& group, SourceList toggled) const {
  const std::size_t listed_max = sources_listed_max(group.group());
  // With more than this now there were more than `listed_max` before.
  const std::size_t looked_at_max = listed_max > SIZE_MAX - toggled.size() ? SIZE_MAX : listed_max + toggled.size();
  const std::optional<SourceFilter> now = group.merged(looked_at_max);
  if (!now) return kWhole;
  SourceFilter before = without_toggled(*now, std::move(toggled));
  return before.sources.size() <= listed_max ? before : kWhole;
}

void ReplicationTable::Impl::note_change(const IpAddress& group, SourceFilter before) {
  told.emplace(group, std::move(before));
  changed.push_back(group);
}

std::optional<FilterChange> ReplicationTable::poll_change() {
  while (impl_->polled < impl_->changed.size()) {
    const IpAddress& group = impl_->changed[impl_->polled++];
    const auto told = impl_->told.find(group);
    FilterChange change{group, std::move(told->second), {}};
    impl_->told.erase(told);
    if (const std::optional<std::uint32_t> id = impl_->find(group)) change.after = impl_->merged(impl_->groups[*id]);
    if (change.before != change.after) return change;
  }
  if (impl_->polled > 0) {
    impl_->changed.clear();
    impl_->polled = 0;
    shrink_if_sparse(impl_->told);
    if (impl_->changed.capacity() > Impl::kChangesKept) impl_->changed.shrink_to_fit();
  }
  return std::nullopt;
}

ReplicationTargets ReplicationTable::find(const IpAddress& source, const IpAddress& group) const {
  const std::optional<std::uint32_t> id = impl_->find(group);
  if (!id) return {};
  const GroupEntry& entry = impl_->groups[*id];
  ReplicationTargets targets;
  targets.any = entry.any().members();
  const SourceEntry* const exact = entry.find(source);
  if (exact == nullptr) return targets;
  targets.include = exact->include.members();
  if (exact->blocked) targets.blocked = exact->blocked->members();
  return targets;
}

bool ReplicationTable::has_channel(const IpAddress* source, const IpAddress& group) const {
  const std::optional<std::uint32_t> id = impl_->find(group);
  if (!id) return false;
  const GroupEntry& entry = impl_->groups[*id];
  if (source == nullptr) return !entry.any().empty();
  const SourceEntry* const exact = entry.find(*source);
  return exact != nullptr && !exact->include.empty();
}

void ReplicationTable::count(const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                             std::uint64_t octets) {
  const std::optional<std::uint32_t> id = impl_->find(group);
  if (!id) return;
  GroupEntry& entry = impl_->groups[*id];
  SourceEntry* const exact = entry.find(source);
  if (exact != nullptr && !exact->include.empty()) {
    exact->usage.add(packets, octets);
  } else if (!entry.any().empty()) {
    entry.any_usage().add(packets, octets);
  }
}

void ReplicationTable::for_each_channel(const std::function<void(const ChannelUse&)>& visit) const {
  impl_->groups.for_each([&](std::uint32_t id) {
    const GroupEntry& group = impl_->groups[id];
    if (!group.any().empty()) {
      visit({Channel{std::nullopt, group.group()}, group.any().size(), group.any_usage().packets,
             group.any_usage().octets});
    }
    group.for_each_source([&](const IpAddress& source, const SourceEntry& entry) {
      if (entry.include.empty()) return;
      visit({Channel{source, group.group()}, entry.include.size(), entry.usage.packets, entry.usage.octets});
    });
  });
}

bool ReplicationTable::visit_channels(ChannelCursor& cursor, std::size_t channels_max,
                                      const std::function<void(const ChannelUse&)>& visit) const {
  std::size_t left = channels_max;
  for (; cursor.number < impl_->groups.end() && left > 0; ++cursor.number, --left) {
    if (impl_->groups.contains(cursor.number)) {
      const GroupEntry& group = impl_->groups[cursor.number];
      std::optional<IpAddress> after;
      if (cursor.inside && cursor.inside->group == group.group()) after = cursor.inside->source;
      if (!after && !group.any().empty()) {
        visit({{std::nullopt, group.group()}, group.any().size(), group.any_usage().packets, group.any_usage().octets});
      }
      const std::vector<SourceUse> uses = group.uses_after(after, left);
      for (const SourceUse& use : uses) {
        visit({{use.source, group.group()},
               use.entry->include.size(),
               use.entry->usage.packets,
               use.entry->usage.octets});
      }
      if (uses.size() == left) {
        cursor.inside = {group.group(), uses.back().source};
        return true;
      }
      left -= uses.size();
    }
    cursor.inside.reset();
  }
  return cursor.number < impl_->groups.end();
}

std::optional<ReplicationTable::ChannelUse> ReplicationTable::use_of(const Channel& channel) const {
  const std::optional<std::uint32_t> id = impl_->find(channel.group);
  if (!id) return std::nullopt;
  const GroupEntry& group = impl_->groups[*id];
  if (!channel.source) {
    if (group.any().empty()) return std::nullopt;
    return ChannelUse{channel, group.any().size(), group.any_usage().packets, group.any_usage().octets};
  }
  const SourceEntry* const entry = group.find(*channel.source);
  if (entry == nullptr || entry->include.empty()) return std::nullopt;
  return ChannelUse{channel, entry->include.size(), entry->usage.packets, entry->usage.octets};
}

std::size_t ReplicationTable::channel_count() const {
  std::size_t count = 0;
  for_each_channel([&](const ChannelUse&) { ++count; });
  return count;
}

void ReplicationTable::for_each_group(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  impl_->groups.for_each([&](std::uint32_t id) { visit(impl_->groups[id].group(), impl_->merged(impl_->groups[id])); });
}

std::optional<FilterChange> ReplicationTable::take_group() {
  const std::optional<std::uint32_t> id = impl_->groups.next(impl_->taken);
  if (!id) return std::nullopt;
  const GroupEntry& group = impl_->groups[*id];
  FilterChange change{group.group(), impl_->merged(group), {}};
  impl_->erase(*id);
  impl_->taken = *id;
  return change;
}

bool ReplicationTable::empty() const { return impl_->groups.size() == 0; }

}  // namespace amt
