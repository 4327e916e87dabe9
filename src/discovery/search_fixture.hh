#pragma once
/// For tests: a search for relays whose steps are read as text, in a time of its own.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/assert.hh"
#include "discovery/relay_search.hh"

namespace amt::search_test {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }
inline const IpAddress kSource = ip("198.51.100.1");

inline RelayOption option(const char* address, std::uint16_t precedence, RelayOrigin origin = RelayOrigin::kDriad) {
  RelayOption option;
  option.destination = {ip(address), ip("10.0.0.1")};
  option.precedence = precedence;
  option.origin = origin;
  option.discovery_optional = origin == RelayOrigin::kDriad;
  return option;
}
inline const RelayOption kAnycast = option("192.52.193.1", 0, RelayOrigin::kAnycast);

class Search : public testing::Test {
 protected:
  Search() { options.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast}; }

  RelaySearch make(WantedSource source = kSource) { return {options, source, hold_downs, random}; }

  /// `look up, probe 192.0.2.1, stop 192.0.2.1, use 192.0.2.1`; what is told goes to `told`.
  std::string steps(RelaySearch& search) {
    std::string text;
    const auto add = [&text](const std::string& step) { text += (text.empty() ? "" : ", ") + step; };
    while (const std::optional<SearchStep> step = search.poll_step()) {
      if (std::holds_alternative<LookUp>(*step)) add("look up");
      if (std::holds_alternative<UseNoRelay>(*step)) add("use none");
      if (const auto* probe = std::get_if<StartProbe>(&*step)) {
        add("probe " + probe->option.destination.address.to_string());
      }
      if (const auto* stop = std::get_if<StopProbe>(&*step)) add("stop " + stop->target.to_string());
      if (const auto* use = std::get_if<UseRelay>(&*step)) add("use " + use->relay.address.to_string());
      if (const auto* tell = std::get_if<LogNotice>(&*step)) told += tell->text + "\n";
    }
    return text;
  }
  /// All that becomes due within `duration`, in order.
  std::string pass(RelaySearch& search, Duration duration) {
    const Instant end = now + duration;
    std::string text = steps(search);
    for (int i = 0; search.next_deadline() <= end; ++i) {
      AMT_ASSERT(i < 1000);
      now = std::max(now, search.next_deadline());
      search.handle_timeout(now);
      const std::string more = steps(search);
      text += (text.empty() || more.empty() ? "" : ", ") + more;
    }
    now = end;
    return text;
  }
  static SourceRecords records(std::vector<RelayOption> options, Duration lifetime = std::chrono::seconds(300)) {
    SourceRecords records;
    records.options = std::move(options);
    records.lifetime = lifetime;
    return records;
  }
  static ServiceRelays services(std::vector<RelayOption> options, bool searching = false) {
    return {std::move(options), searching, ""};
  }
  void connect(RelaySearch& search, const char* target, const char* relay = nullptr, Duration round_trip = {}) {
    search.handle_probe(
        now, ip(target),
        {ProbeOutcome::Kind::kConnected, {ip(relay != nullptr ? relay : target), 2268}, round_trip, {}});
  }
  void refuse(RelaySearch& search, const char* target) {
    search.handle_probe(now, ip(target),
                        {ProbeOutcome::Kind::kLimited, {ip(target), 2268}, {}, std::string(target) + " refuses"});
  }
  void fail(RelaySearch& search, const char* target) {
    search.handle_probe(now, ip(target), {ProbeOutcome::Kind::kFailed, {}, {}, std::string(target) + " is silent"});
  }
  /// One that uses 192.0.2.1 and knows of 192.0.2.2.
  RelaySearch using_first() {
    RelaySearch search = make();
    search.start(now, {}, true);
    search.handle_records(now, records({option("192.0.2.1", 10), option("192.0.2.2", 20)}));
    connect(search, "192.0.2.1");
    steps(search);
    search.handle_reported(now);
    return search;
  }

  RelaySearchOptions options;
  SeededRandom random{1};
  HoldDowns hold_downs;
  Instant now = Instant() + std::chrono::hours(1);
  std::string told;
};

}  // namespace amt::search_test
