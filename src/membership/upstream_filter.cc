#include "membership/upstream_filter.hh"

namespace amt {

SourceFilter asked_upstream(const IpAddress& group, const SourceFilter& merged, const SsmRange& ssm) {
  if (merged.sources.size() <= kSourcesAskedMax || ssm.contains(group)) return merged;
  return {FilterMode::kExclude, {}};
}

}  // namespace amt
