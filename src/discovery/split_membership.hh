#pragma once
/// One gateway's memberships, split by source onto several tunnels.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/state_record.hh"
#include "discovery/hold_downs.hh"
#include "membership/source_filter.hh"

namespace amt {

/// One of a gateway's tunnels, numbered in the order of their beginning.
using TunnelNumber = std::uint32_t;

/// The filter of `group` for this tunnel's relay from now on.
struct TunnelFilter {
  TunnelNumber tunnel = 0;
  IpAddress group;
  SourceFilter filter;
};

/// A group with a list of sources goes, source by source, to the tunnels that serve these; one that takes any source
/// goes whole to those that serve any. Pure, not thread-safe. A change costs the sources of the groups that it touches.
class SplitMembership {
 public:
  /// The filter of `group`. INCLUDE({}): nothing is wanted.
  void set_wanted(const IpAddress& group, const SourceFilter& filter);
  /// The tunnels that serve `source`: none yet, one, or two while it moves.
  void set_tunnels(const WantedSource& source, std::vector<TunnelNumber> tunnels);
  /// The next filter for a tunnel; several changes of a group are one.
  [[nodiscard]] std::optional<TunnelFilter> poll_change();

  /// What is wanted and what the tunnels were told, for another one that is told of the same tunnels.
  void save(StateRecordWriter& out) const { out(wanted_, told_); }
  /// Of one that knows nothing yet.
  void restore(StateRecordReader& in);

  [[nodiscard]] bool is_wanted(const WantedSource& source) const { return groups_of_.contains(source); }
  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  /// The sources whose tunnels count for `filter`.
  static std::vector<WantedSource> sources_of(const SourceFilter& filter);
  [[nodiscard]] const std::vector<TunnelNumber>& tunnels_of(const WantedSource& source) const;
  void emit_filters(const IpAddress& group);

  std::map<IpAddress, SourceFilter> wanted_;
  std::map<WantedSource, std::set<IpAddress>> groups_of_;
  std::map<WantedSource, std::vector<TunnelNumber>> tunnels_;
  /// By group: the filter that each tunnel got.
  std::map<IpAddress, std::map<TunnelNumber, SourceFilter>> told_;
  /// Groups of which a tunnel's filter may have to change.
  std::set<IpAddress> changed_;
  std::deque<TunnelFilter> changes_;
};

}  // namespace amt
