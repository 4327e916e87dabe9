#pragma once
/// What tests hold a merged membership against.

#include <set>
#include <vector>

#include "membership/source_filter.hh"

namespace amt::merge_test {

/// RFC 3376 §3.2 over all parties, by asking about each source.
inline SourceFilter naive_merge(const std::vector<SourceFilter>& parties) {
  std::set<IpAddress> included;
  std::set<IpAddress> everybody_excludes;
  bool any_exclude = false;
  for (const SourceFilter& party : parties) {
    if (party.mode == FilterMode::kInclude) {
      included.insert(party.sources.begin(), party.sources.end());
    } else if (!any_exclude) {
      any_exclude = true;
      everybody_excludes.insert(party.sources.begin(), party.sources.end());
    } else {
      std::set<IpAddress> both;
      for (const IpAddress& s : party.sources) {
        if (everybody_excludes.count(s) != 0) both.insert(s);
      }
      everybody_excludes = both;
    }
  }
  if (!any_exclude) return {FilterMode::kInclude, {included.begin(), included.end()}};
  for (const IpAddress& s : included) everybody_excludes.erase(s);
  return {FilterMode::kExclude, {everybody_excludes.begin(), everybody_excludes.end()}};
}

}  // namespace amt::merge_test
