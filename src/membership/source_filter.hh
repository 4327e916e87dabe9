#pragma once
/// The filter of one party for one group: INCLUDE or EXCLUDE and a list of sources (RFC 3376 §3, RFC 3810 §4).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "amt/channel.hh"

namespace amt {

enum class FilterMode : std::uint8_t { kInclude, kExclude };

/// Sorted, without repeats.
using SourceList = std::vector<IpAddress>;

/// Set algebra on sorted lists.
[[nodiscard]] SourceList set_union(std::span<const IpAddress> a, std::span<const IpAddress> b);
[[nodiscard]] SourceList set_intersection(std::span<const IpAddress> a, std::span<const IpAddress> b);
[[nodiscard]] SourceList set_difference(std::span<const IpAddress> a, std::span<const IpAddress> b);
/// Sorts and removes repeats.
[[nodiscard]] SourceList to_source_list(std::span<const IpAddress> sources);

/// INCLUDE({}) is "nothing": the state of a group without state.
struct SourceFilter {
  FilterMode mode = FilterMode::kInclude;
  SourceList sources;

  [[nodiscard]] bool is_nothing() const { return mode == FilterMode::kInclude && sources.empty(); }
  /// Would a packet from `source` be wanted?
  [[nodiscard]] bool accepts(const IpAddress& source) const;
  /// `INCLUDE{a, b}`: for logs.
  [[nodiscard]] std::string to_string() const;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io.choice(self.mode, FilterMode::kExclude);
    io(self.sources);
    if constexpr (Io::kReads) self.sources = to_source_list(self.sources);
  }

  friend bool operator==(const SourceFilter&, const SourceFilter&) = default;
};

/// All that a channel is, (S,G) or (*,G).
[[nodiscard]] SourceFilter filter_of(const Channel& channel);

/// The channels of `group` that `filter` asks for and `other` does not: a source each, or (*,G) where it excludes.
[[nodiscard]] std::vector<Channel> channels_only_in(const SourceFilter& filter, const SourceFilter& other,
                                                    const IpAddress& group);

/// One group's filter changed. `before != after`.
struct FilterChange {
  IpAddress group;
  SourceFilter before;
  SourceFilter after;
};

}  // namespace amt
