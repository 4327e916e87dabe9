#include "forward/replication_table.hh"

#include <algorithm>
#include <vector>

#include "forward/tunnel_set.hh"

namespace amt {
namespace {

struct Usage {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;

  void add(std::uint64_t more_packets, std::uint64_t more_octets) {
    packets += more_packets;
    octets += more_octets;
  }
};

/// What is known of one (S,G).
struct SourceEntry {
  TunnelSet include;
  /// Ascending: tunnels in EXCLUDE mode for G that do not want S.
  std::vector<TunnelId> blocked;
  Usage usage;

  [[nodiscard]] bool empty() const { return include.empty() && blocked.empty(); }
};

/// What is known of (*,G).
struct GroupEntry {
  TunnelSet any;
  Usage usage;
};

struct SourceAndGroup {
  IpAddress source;
  IpAddress group;
  friend bool operator==(const SourceAndGroup&, const SourceAndGroup&) = default;
};

struct SourceAndGroupHash : KeyedHash {
  explicit SourceAndGroupHash(const KeyedHash& hash) : KeyedHash(hash) {}
  std::size_t operator()(const SourceAndGroup& key) const { return KeyedHash::operator()(key.source, key.group); }
};

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

}  // namespace

struct ReplicationTable::Impl {
  explicit Impl(const KeyedHash& hash) : sources(0, SourceAndGroupHash(hash)), groups(0, hash) {}

  template <typename F>
  void change_source(const IpAddress& source, const IpAddress& group, F&& change) {
    const auto entry = sources.try_emplace(SourceAndGroup{source, group}).first;
    change(entry->second);
    if (entry->second.empty()) sources.erase(entry);
  }

  void change_any(TunnelId tunnel, const FilterChange& change) {
    const bool before = change.before.mode == FilterMode::kExclude;
    const bool after = change.after.mode == FilterMode::kExclude;
    if (before == after) return;
    const auto entry = groups.try_emplace(change.group).first;
    if (after) {
      entry->second.any.add(tunnel);
    } else {
      entry->second.any.remove(tunnel);
      if (entry->second.any.empty()) groups.erase(entry);
    }
  }

  boost::unordered_flat_map<SourceAndGroup, SourceEntry, SourceAndGroupHash> sources;
  boost::unordered_flat_map<IpAddress, GroupEntry, KeyedHash> groups;
};

ReplicationTable::ReplicationTable(const KeyedHash& hash) : impl_(std::make_unique<Impl>(hash)) {}
ReplicationTable::~ReplicationTable() = default;

void ReplicationTable::apply(TunnelId tunnel, const FilterChange& change) {
  const auto block = [&](SourceEntry& entry) {
    entry.blocked.insert(std::lower_bound(entry.blocked.begin(), entry.blocked.end(), tunnel), tunnel);
  };
  const auto unblock = [&](SourceEntry& entry) {
    const auto found = std::lower_bound(entry.blocked.begin(), entry.blocked.end(), tunnel);
    AMT_ASSERT(found != entry.blocked.end() && *found == tunnel);
    entry.blocked.erase(found);
  };
  const FilterChange& c = change;
  for_each_missing(included(c.before), included(c.after), [&](const IpAddress& source) {
    impl_->change_source(source, c.group, [&](SourceEntry& entry) { entry.include.remove(tunnel); });
  });
  for_each_missing(excluded(c.before), excluded(c.after),
                   [&](const IpAddress& source) { impl_->change_source(source, c.group, unblock); });
  impl_->change_any(tunnel, c);
  for_each_missing(excluded(c.after), excluded(c.before),
                   [&](const IpAddress& source) { impl_->change_source(source, c.group, block); });
  for_each_missing(included(c.after), included(c.before), [&](const IpAddress& source) {
    impl_->change_source(source, c.group, [&](SourceEntry& entry) { entry.include.add(tunnel); });
  });
}

ReplicationTargets ReplicationTable::find(const IpAddress& source, const IpAddress& group) const {
  ReplicationTargets targets;
  if (const auto entry = impl_->groups.find(group); entry != impl_->groups.end()) {
    targets.any = entry->second.any.members();
  }
  if (const auto entry = impl_->sources.find(SourceAndGroup{source, group}); entry != impl_->sources.end()) {
    targets.include = entry->second.include.members();
    targets.blocked = entry->second.blocked;
  }
  return targets;
}

void ReplicationTable::count(const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                             std::uint64_t octets) {
  const auto exact = impl_->sources.find(SourceAndGroup{source, group});
  if (exact != impl_->sources.end() && !exact->second.include.empty()) {
    exact->second.usage.add(packets, octets);
  } else if (const auto any = impl_->groups.find(group); any != impl_->groups.end()) {
    any->second.usage.add(packets, octets);
  }
}

void ReplicationTable::for_each_channel(const std::function<void(const ChannelUse&)>& visit) const {
  for (const auto& [group, entry] : impl_->groups) {
    visit({Channel{std::nullopt, group}, entry.any.members().size(), entry.usage.packets, entry.usage.octets});
  }
  for (const auto& [key, entry] : impl_->sources) {
    if (entry.include.empty()) continue;
    visit({Channel{key.source, key.group}, entry.include.members().size(), entry.usage.packets, entry.usage.octets});
  }
}

std::size_t ReplicationTable::channel_count() const {
  std::size_t count = 0;
  for_each_channel([&](const ChannelUse&) { ++count; });
  return count;
}

bool ReplicationTable::empty() const { return impl_->groups.empty() && impl_->sources.empty(); }

}  // namespace amt
