#pragma once
/// Short words for tests of the router side: sources are numbers, time is whole seconds, filters print as `I{1,2}`.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "membership/router.hh"

namespace amt::router_test {

inline const IpAddress kGroup = *IpAddress::parse("239.1.1.1");

inline Instant at(std::int64_t seconds) { return Instant{} + std::chrono::seconds(seconds); }
inline std::int64_t seconds_of(Instant when) {
  return std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count();
}

inline IpAddress source(std::uint32_t number) { return IpAddress::from_v4(0x0a000000U + number); }
inline SourceList sources(std::initializer_list<std::uint32_t> numbers) {
  SourceList list;
  for (const std::uint32_t number : numbers) list.push_back(source(number));
  return list;
}
inline std::string text(const SourceList& list) {
  std::string out = "{";
  for (const IpAddress& address : list) {
    if (out.size() > 1) out += ",";
    out += std::to_string(std::to_integer<unsigned>(address.mapped_octets()[15]));
  }
  return out + "}";
}
inline std::string text(const SourceFilter& filter) {
  return (filter.mode == FilterMode::kInclude ? "I" : "E") + text(filter.sources);
}

inline GroupReport report(RecordType type, SourceList list = {}, const IpAddress& group = kGroup) {
  return {{GroupRecord{type, group, std::move(list)}}};
}

/// Runs every timer up to and including `until`; `12 I{1}` for each change, joined by " | ".
inline std::string run(RouterState& state, Instant until = Instant::max()) {
  std::string trace;
  for (int steps = 0; steps < 100'000 && state.next_deadline() != kNoDeadline && state.next_deadline() <= until;
       ++steps) {
    const Instant now = state.next_deadline();
    std::vector<FilterChange> changes;
    state.handle_timeout(now, changes);
    EXPECT_GT(state.next_deadline(), now) << "a timer that has run is due again";
    for (const FilterChange& change : changes) {
      if (!trace.empty()) trace += " | ";
      trace += std::to_string(seconds_of(now)) + " " + text(change.after);
    }
  }
  return trace;
}

}  // namespace amt::router_test
