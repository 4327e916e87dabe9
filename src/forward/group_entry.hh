#pragma once
/// The entry of one group in a ReplicationTable. Only for this room.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/keyed_hash.hh"
#include "forward/tunnel_set.hh"
#include "membership/source_filter.hh"

namespace amt {

struct ChannelUsage {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;

  void add(std::uint64_t more_packets, std::uint64_t more_octets) {
    packets += more_packets;
    octets += more_octets;
  }
};

/// The entry of one (S,G).
struct SourceEntry {
  TunnelSet include;
  /// Tunnels in EXCLUDE mode for G that do not want S; few sources have any.
  std::unique_ptr<TunnelSet> blocked;
  ChannelUsage usage;

  [[nodiscard]] std::size_t blockers() const { return blocked ? blocked->size() : 0; }
  [[nodiscard]] bool empty() const { return include.empty() && !blocked; }
};

struct SourceUse {
  IpAddress source;
  const SourceEntry* entry = nullptr;
};

/// One group, its tunnels and sources. Most groups have one source: that stands in place, in the cache line that a
/// look-up reads.
class GroupEntry {
 public:
  explicit GroupEntry(const IpAddress& group) : group_(group) {}

  [[nodiscard]] const IpAddress& group() const { return group_; }
  /// Tunnels in EXCLUDE mode.
  [[nodiscard]] const TunnelSet& any() const { return any_; }
  void add_any(TunnelId tunnel) { any_.add(tunnel); }
  void remove_any(TunnelId tunnel) {
    any_.remove(tunnel);
    if (any_.empty()) any_usage_ = {};
  }
  [[nodiscard]] ChannelUsage& any_usage() { return any_usage_; }
  [[nodiscard]] const ChannelUsage& any_usage() const { return any_usage_; }
  [[nodiscard]] bool empty() const { return any_.empty() && first_entry_.empty(); }

  [[nodiscard]] const SourceEntry* find(const IpAddress& source) const;
  [[nodiscard]] SourceEntry* find(const IpAddress& source);

  /// `change(SourceEntry&)`, of a new one if need be; one that is empty afterwards goes. True: the source entered or
  /// left the list of the merged filter.
  template <typename F>
  bool change(const IpAddress& source, const KeyedHash& hash, F&& change);

  /// What all tunnels together want; nothing where that lists more than `sources_max` sources. Cost: the sources that
  /// are looked at until then.
  [[nodiscard]] std::optional<SourceFilter> merged(std::size_t sources_max) const;
  /// `f(const IpAddress&, const SourceEntry&)`
  template <typename F>
  void for_each_source(F&& f) const;
  /// The sources that a member includes, from the first after `source` on, ascending: `max` at most, at least 1. Looks
  /// at all sources of the group.
  [[nodiscard]] std::vector<SourceUse> uses_after(const std::optional<IpAddress>& source, std::size_t max) const;

 private:
  using Sources = boost::unordered_flat_map<IpAddress, SourceEntry, KeyedHash>;

  [[nodiscard]] SourceEntry& obtain(const IpAddress& source, const KeyedHash& hash);
  void forget(const IpAddress& source);
  [[nodiscard]] bool is_listed(const SourceEntry& entry) const;

  IpAddress group_;
  TunnelSet any_;
  /// Of `first_entry_`; that one is empty only where there is no source at all.
  IpAddress first_;
  SourceEntry first_entry_;
  ChannelUsage any_usage_;
  /// The other sources.
  std::unique_ptr<Sources> others_;
};

template <typename F>
bool GroupEntry::change(const IpAddress& source, const KeyedHash& hash, F&& change) {
  SourceEntry& entry = obtain(source, hash);
  const bool was_listed = is_listed(entry);
  change(entry);
  const bool toggled = is_listed(entry) != was_listed;
  if (entry.empty()) forget(source);
  return toggled;
}

template <typename F>
void GroupEntry::for_each_source(F&& f) const {
  if (!first_entry_.empty()) f(first_, first_entry_);
  if (!others_) return;
  for (const auto& [source, entry] : *others_) f(source, entry);
}

}  // namespace amt
