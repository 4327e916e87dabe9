#include "membership/host_split.hh"

#include <algorithm>

namespace amt {

void split_record(GroupRecord record, std::size_t sources_max, std::deque<GroupRecord>& out) {
  if (record.sources.size() <= sources_max) {
    out.push_back(std::move(record));
    return;
  }
  if (record.type == RecordType::kModeIsExclude || record.type == RecordType::kChangeToExclude) {
    // "a single Group Record is sent, containing as many source addresses as can fit, and the remaining source
    // addresses are not reported"; the lowest ones, so that it is the same set each time.
    record.sources.resize(sources_max);
    out.push_back(std::move(record));
    return;
  }
  // Else "it is split into multiple Group Records, each containing a different subset of the source addresses and each
  // sent in a separate Report message". A departure from the RFC: the pieces after the first one of a TO_IN are ALLOW
  // records. They mean the same to a router. A router with LMQT 0, such as a relay for its tunnels, would end the first
  // piece's sources at a second TO_IN.
  auto from = record.sources.begin();
  RecordType type = record.type;
  while (from != record.sources.end()) {
    const auto count = std::min(static_cast<std::ptrdiff_t>(sources_max), record.sources.end() - from);
    out.push_back({type, record.group, SourceList(from, from + count)});
    if (type == RecordType::kChangeToInclude) type = RecordType::kAllowNewSources;
    from += count;
  }
}

}  // namespace amt
