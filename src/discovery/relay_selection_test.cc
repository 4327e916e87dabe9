#include "discovery/relay_selection.hh"

#include <gtest/gtest.h>
#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const IpAddress kA = ip("198.51.100.1");
const IpAddress kB = ip("198.51.100.2");
const IpAddress kGroup = ip("232.1.1.1");
const IpAddress kAnyGroup = ip("239.1.1.1");
const Endpoint kFirst{ip("192.0.2.1"), 2268};
const Endpoint kSecond{ip("192.0.2.2"), 2268};

SourceFilter include(SourceList sources) { return {FilterMode::kInclude, std::move(sources)}; }
RelayOption option(const IpAddress& address, std::uint16_t precedence, RelayOrigin origin = RelayOrigin::kDriad) {
  RelayOption option;
  option.destination = {address, ip("10.0.0.1")};
  option.precedence = precedence;
  option.origin = origin;
  return option;
}

class Selection : public testing::Test {
 protected:
  Selection() : Selection({RelayOrigin::kDriad, RelayOrigin::kAnycast}) {}
  explicit Selection(std::vector<RelayOrigin> order)
      : selection(
            [&] {
              options.order = std::move(order);
              return options;
            }(),
            random) {}
  std::string steps() {
    std::string text;
    const auto add = [&text](const std::string& step) { text += (text.empty() ? "" : ", ") + step; };
    while (const std::optional<SelectionStep> step = selection.poll_step()) {
      if (const auto* ask = std::get_if<LookUpSource>(&*step)) add("look up " + ask->source.to_string());
      if (const auto* probe = std::get_if<StartProbe>(&*step)) {
        add("probe " + probe->option.destination.address.to_string());
      }
      if (const auto* stop = std::get_if<StopProbe>(&*step)) add("stop " + stop->target.to_string());
      if (const auto* open = std::get_if<OpenTunnel>(&*step)) {
        add("open " + std::to_string(open->tunnel) + " " + open->relay.address.to_string());
      }
      if (const auto* filter = std::get_if<TunnelFilter>(&*step)) {
        add(std::to_string(filter->tunnel) + " " + filter->filter.to_string());
      }
      if (const auto* close = std::get_if<CloseTunnel>(&*step)) add("close " + std::to_string(close->tunnel));
    }
    return text;
  }
  std::string pass(Duration duration) {
    const Instant end = now + duration;
    std::string text = steps();
    for (int i = 0; selection.next_deadline() <= end; ++i) {
      AMT_ASSERT(i < 1000);
      now = std::max(now, selection.next_deadline());
      selection.handle_timeout(now);
      const std::string more = steps();
      text += (text.empty() || more.empty() ? "" : ", ") + more;
    }
    now = end;
    return text;
  }
  void records(const IpAddress& source, std::vector<RelayOption> found) {
    SourceRecords records;
    records.options = std::move(found);
    records.lifetime = seconds(3600);
    selection.handle_records(now, source, records);
  }
  void connect(const Endpoint& relay) {
    selection.handle_probe(now, relay.address, {ProbeOutcome::Kind::kConnected, relay, {}, {}});
  }
  void join(SourceList sources) { selection.set_membership(now, kGroup, include(std::move(sources))); }
  /// A by tunnel 1 to the first relay, which delivers; the second is known.
  void serve_a() {
    join({kA});
    records(kA, {option(kFirst.address, 10), option(kSecond.address, 20)});
    connect(kFirst);
    selection.handle_tunnel(now, 1, TunnelEvent::kAnswers);
    selection.handle_traffic(now, 1, kA);
    steps();
  }

  RelaySearchOptions options;
  SeededRandom random{1};
  Instant now = Instant() + std::chrono::hours(1);
  RelaySelection selection;
};

TEST_F(Selection, TwoSourcesByTwoRelaysAtOnce) {  // D-3.3.7-a, D-2.1-a
  join({kA, kB});
  EXPECT_EQ(steps(), "look up 198.51.100.1, look up 198.51.100.2");
  records(kA, {option(kFirst.address, 10)});
  records(kB, {option(kSecond.address, 10)});
  EXPECT_EQ(steps(), "probe 192.0.2.1, probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 1 192.0.2.2, 1 INCLUDE{198.51.100.2}");  // D-3.2.1-b: after the race
  connect(kFirst);
  EXPECT_EQ(steps(), "open 2 192.0.2.1, 2 INCLUDE{198.51.100.1}");
  join({kB});
  EXPECT_EQ(steps(), "2 INCLUDE{}");
  EXPECT_EQ(pass(RelaySelection::kIdle), "close 2");  // its last source is left
}

TEST_F(Selection, SourcesOfOneRelayShareItsTunnelAndItsAttempt) {
  join({kA, kB});
  records(kA, {option(kFirst.address, 10)});
  records(kB, {option(kFirst.address, 10)});
  EXPECT_EQ(steps(), "look up 198.51.100.1, look up 198.51.100.2, probe 192.0.2.1");
  connect(kFirst);
  EXPECT_EQ(steps(), "open 1 192.0.2.1, 1 INCLUDE{198.51.100.1, 198.51.100.2}");
}

TEST_F(Selection, RelayThatServesAlreadyIsNotAskedAgain) {
  serve_a();
  join({kA, kB});
  records(kB, {option(kFirst.address, 10)});
  EXPECT_EQ(steps(), "look up 198.51.100.2, 1 INCLUDE{198.51.100.1, 198.51.100.2}");
  join({});
  EXPECT_EQ(steps(), "1 INCLUDE{}");
  join({kA});  // a viewer who changes channels comes back before the tunnel is gone
  records(kA, {option(kFirst.address, 10)});
  EXPECT_EQ(steps(), "look up 198.51.100.1, 1 INCLUDE{198.51.100.1}");
  EXPECT_EQ(pass(RelaySelection::kIdle - seconds(2)), "");
}

TEST_F(Selection, AnySourceGoesToTheDefaults) {
  selection.set_defaults(now, {option(ip("192.52.193.1"), 0, RelayOrigin::kAnycast)});
  selection.set_membership(now, kAnyGroup, {FilterMode::kExclude, {}});
  EXPECT_EQ(steps(), "probe 192.52.193.1");
  selection.handle_probe(now, ip("192.52.193.1"), {ProbeOutcome::Kind::kConnected, kFirst, {}, {}});
  EXPECT_EQ(steps(), "open 1 192.0.2.1, 1 EXCLUDE{}");
  selection.handle_tunnel(now, 1, TunnelEvent::kAnswers);
  // A source whose owner names nobody goes the same way.
  join({kA});
  records(kA, {});
  EXPECT_EQ(steps(), "look up 198.51.100.1, 1 INCLUDE{198.51.100.1}");
}

TEST_F(Selection, MoveMakesBeforeItBreaks) {  // R-5.2.3.4.4-e
  serve_a();
  selection.handle_tunnel(now, 1, TunnelEvent::kSilent);
  EXPECT_EQ(steps(), "probe 192.0.2.2");
  EXPECT_TRUE(selection.is_moving());
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 INCLUDE{198.51.100.1}");
  selection.handle_tunnel(now, 2, TunnelEvent::kAnswers);
  EXPECT_EQ(pass(seconds(1)), "");
  selection.handle_traffic(now, 2, kA);
  EXPECT_EQ(pass(RelaySelection::kOverlap - milliseconds(1)), "");
  EXPECT_TRUE(selection.is_moving());
  EXPECT_EQ(pass(milliseconds(1)), "1 INCLUDE{}");
  EXPECT_FALSE(selection.is_watching());
  // The last of the old relay may come by the new one only now.
  EXPECT_EQ(pass(RelaySelection::kLag - milliseconds(1)), "");
  EXPECT_TRUE(selection.is_moving());
  EXPECT_EQ(pass(milliseconds(1)), "");
  EXPECT_FALSE(selection.is_moving());
  EXPECT_EQ(pass(RelaySelection::kIdle - RelaySelection::kLag), "close 1");
}

TEST_F(Selection, FailoverTakesLessThanASecondAfterTheFlowStopped) {
  serve_a();
  const Instant stopped = now;
  selection.handle_tunnel(now, 1, TunnelEvent::kStopped, kA);
  EXPECT_EQ(pass(milliseconds(500)), "probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 INCLUDE{198.51.100.1}");
  EXPECT_LT(now - stopped, seconds(1));
}

TEST_F(Selection, LeavingEndsTheAttempts) {  // D-3.2.3-b
  join({kA, kB});
  records(kA, {option(kFirst.address, 10)});
  records(kB, {option(kFirst.address, 10), option(kSecond.address, 20)});
  EXPECT_EQ(pass(milliseconds(300)), "look up 198.51.100.1, look up 198.51.100.2, probe 192.0.2.1, probe 192.0.2.2");
  join({kA});
  EXPECT_EQ(steps(), "stop 192.0.2.2");  // A still waits for the first
  join({});
  EXPECT_EQ(steps(), "stop 192.0.2.1");
  connect(kFirst);
  records(kA, {option(kSecond.address, 10)});
  EXPECT_EQ(pass(seconds(60)), "");
}

TEST_F(Selection, OnlyWhatIsNotHeardIsWatched) {
  serve_a();
  EXPECT_FALSE(selection.is_watching());
  join({kA, kB});
  records(kB, {option(kFirst.address, 10)});
  EXPECT_TRUE(selection.is_watching());
  selection.handle_traffic(now, 1, kA);
  EXPECT_TRUE(selection.is_watching());
  selection.handle_traffic(now, 1, kB);
  EXPECT_FALSE(selection.is_watching());
}

TEST_F(Selection, SourceThatStopsIsSoughtElsewhereAndItsNeighbourStays) {  // D-3.3.4.1-a, D-3.3.7-a
  serve_a();
  join({kA, kB});
  records(kB, {option(kFirst.address, 10), option(kSecond.address, 20)});
  selection.handle_traffic(now, 1, kA);
  selection.handle_traffic(now, 1, kB);
  steps();
  selection.handle_tunnel(now, 1, TunnelEvent::kStopped, kB);
  EXPECT_TRUE(selection.is_watching());
  selection.handle_tunnel(now, 1, TunnelEvent::kAlive);
  // A is not due for a while, perhaps: it is B that stopped.
  EXPECT_EQ(pass(seconds(8)), "probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 INCLUDE{198.51.100.2}");
  EXPECT_EQ(pass(seconds(20)), "");
}

TEST_F(Selection, RelayThatDoesNotAnswerAboutOneSourceIsLeftByAll) {  // D-3.3.2-a
  serve_a();
  join({kA, kB});
  for (const IpAddress& source : {kA, kB}) records(source, {option(kFirst.address, 10), option(kSecond.address, 20)});
  selection.handle_traffic(now, 1, kA);
  selection.handle_traffic(now, 1, kB);
  steps();
  selection.handle_tunnel(now, 1, TunnelEvent::kStopped, kB);
  EXPECT_EQ(pass(milliseconds(200)), "probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 INCLUDE{198.51.100.1, 198.51.100.2}");
}

TEST_F(Selection, SourceThatOneRelayDoesNotBringIsSoughtAtAnother) {  // D-3.3.4.1-a, D-3.3.7-a
  serve_a();
  join({kA, kB});
  records(kB, {option(kFirst.address, 10), option(kSecond.address, 20)});
  steps();
  EXPECT_EQ(pass(seconds(8)), "probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 INCLUDE{198.51.100.2}");  // and A stays where it is
}

class SelectionWithServices : public Selection {
 protected:
  SelectionWithServices() : Selection({RelayOrigin::kDnsSd, RelayOrigin::kDriad, RelayOrigin::kAnycast}) {
    services({option(kFirst.address, 0, RelayOrigin::kDnsSd)});
  }
  void services(std::vector<RelayOption> found) { selection.set_services(now, {std::move(found), false, ""}); }
};

TEST_F(SelectionWithServices, RelayOfThisNetworkServesAllThatIsWanted) {  // D-3.1.1-a, D-3.1.2-e
  selection.set_membership(now, kAnyGroup, {FilterMode::kExclude, {}});
  EXPECT_EQ(steps(), "probe 192.0.2.1");
  connect(kFirst);
  selection.handle_tunnel(now, 1, TunnelEvent::kAnswers);
  EXPECT_EQ(steps(), "open 1 192.0.2.1, 1 EXCLUDE{}");
  // Its owner's DNS is asked only where this relay has not got the source.
  join({kA});
  EXPECT_EQ(steps(), "1 INCLUDE{198.51.100.1}");
  selection.handle_traffic(now, 1, kB);
  EXPECT_EQ(pass(seconds(8)), "look up 198.51.100.1");
  records(kA, {option(kSecond.address, 10)});
  EXPECT_EQ(steps(), "probe 192.0.2.2");
}

TEST_F(SelectionWithServices, AnotherRelayOfThisNetworkIsMovedTo) {
  selection.set_membership(now, kAnyGroup, {FilterMode::kExclude, {}});
  connect(kFirst);
  steps();
  services({option(kSecond.address, 0, RelayOrigin::kDnsSd)});
  EXPECT_EQ(steps(), "probe 192.0.2.2");
  connect(kSecond);
  EXPECT_EQ(steps(), "open 2 192.0.2.2, 2 EXCLUDE{}");  // and the first until data comes
}

}  // namespace
}  // namespace amt
