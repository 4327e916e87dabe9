#pragma once
/// The filter of a group that a relay asks its upstream for.

#include "ip/address.hh"
#include "membership/source_filter.hh"

namespace amt {

/// A kernel walks a group's sources at each change, and a report names every one: beyond this many sources a group is
/// asked for as a whole.
inline constexpr std::size_t kSourcesAskedMax = 64;

/// The filter that is asked upstream for `merged`: INCLUDE of more than `kSourcesAskedMax` sources becomes EXCLUDE({}),
/// and EXCLUDE of more names none. The replication table filters the data that arrives. A source-specific group keeps
/// its sources: routers take no other membership of it (RFC 4604 §2.2.1).
[[nodiscard]] SourceFilter asked_upstream(const IpAddress& group, const SourceFilter& merged, const SsmRange& ssm);

}  // namespace amt
