#include "forward/replication_table.hh"

#include <algorithm>
#include <iterator>

#include "base/id_index.hh"
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
  explicit Impl(const KeyedHash& keyed) : hash(keyed) {}

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

  std::optional<FilterChange> apply(GroupEntry& group, TunnelId tunnel, const FilterChange& change) const;

  KeyedHash hash;
  Slab<GroupEntry> groups;
  IdIndex index;
  /// Groups below this one have been taken.
  std::uint32_t taken = 0;
};

ReplicationTable::ReplicationTable(const KeyedHash& hash) : impl_(std::make_unique<Impl>(hash)) {}
ReplicationTable::~ReplicationTable() = default;

std::optional<FilterChange> ReplicationTable::apply(TunnelId tunnel, const FilterChange& change) {
  const std::uint32_t id = impl_->obtain(change.group);
  GroupEntry& group = impl_->groups[id];
  std::optional<FilterChange> merged = impl_->apply(group, tunnel, change);
  if (group.empty()) impl_->erase(id);
  return merged;
}

std::optional<FilterChange> ReplicationTable::Impl::apply(GroupEntry& group, TunnelId tunnel,
                                                          const FilterChange& change) const {
  const bool was_excluder = change.before.mode == FilterMode::kExclude;
  const bool is_excluder = change.after.mode == FilterMode::kExclude;
  // With as many excluders as before only the sources that this tunnel named can have moved.
  std::optional<SourceFilter> merged_before;
  if (was_excluder != is_excluder) merged_before = group.merged();
  SourceList toggled;
  const auto change_source = [&](const IpAddress& source, const auto& how) {
    if (group.change(source, hash, how) && !merged_before) toggled.push_back(source);
  };

  for_each_missing(included(change.before), included(change.after), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { entry.include.remove(tunnel); });
  });
  for_each_missing(excluded(change.before), excluded(change.after), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { unblock(entry, tunnel); });
  });
  if (was_excluder && !is_excluder) group.remove_any(tunnel);
  if (!was_excluder && is_excluder) group.add_any(tunnel);
  for_each_missing(excluded(change.after), excluded(change.before), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { block(entry, tunnel); });
  });
  for_each_missing(included(change.after), included(change.before), [&](const IpAddress& source) {
    change_source(source, [&](SourceEntry& entry) { entry.include.add(tunnel); });
  });

  if (!merged_before && toggled.empty()) return std::nullopt;
  FilterChange result{change.group, {}, group.merged()};
  result.before = merged_before ? std::move(*merged_before) : without_toggled(result.after, std::move(toggled));
  if (result.before == result.after) return std::nullopt;
  return result;
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
  impl_->groups.for_each([&](std::uint32_t id) { visit(impl_->groups[id].group(), impl_->groups[id].merged()); });
}

std::optional<FilterChange> ReplicationTable::take_group() {
  const std::optional<std::uint32_t> id = impl_->groups.next(impl_->taken);
  if (!id) return std::nullopt;
  const GroupEntry& group = impl_->groups[*id];
  FilterChange change{group.group(), group.merged(), {}};
  impl_->erase(*id);
  impl_->taken = *id;
  return change;
}

bool ReplicationTable::empty() const { return impl_->groups.size() == 0; }

}  // namespace amt
