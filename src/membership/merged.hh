#pragma once
/// The merged membership of many parties (RFC 4605 §4.1, RFC 7450 §5.3.3.4): counts, so that a change costs what
/// changed.

#include <functional>
#include <memory>
#include <optional>

#include "membership/source_filter.hh"

namespace amt {

/// Per group: how many parties exclude, and per source how many include and how many exclude it.
/// Merge rule: any EXCLUDE gives EXCLUDE(sources that all excluders exclude, less those that anyone includes); else
/// INCLUDE(union) (H-a, P-d). Pure, not thread-safe. Cost of `apply`: the sources of one change and of the merged
/// group, whatever the number of parties.
class MergedMembership {
 public:
  MergedMembership();
  ~MergedMembership();
  MergedMembership(MergedMembership&&) noexcept;
  MergedMembership& operator=(MergedMembership&&) noexcept;

  /// One party's filter for one group went from `change.before` to `change.after`. The change of the merged filter, if
  /// it changed.
  std::optional<FilterChange> apply(const FilterChange& change);

  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;
  [[nodiscard]] std::size_t group_count() const;
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
