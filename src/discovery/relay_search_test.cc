#include "discovery/relay_search.hh"

#include <algorithm>

#include "discovery/search_fixture.hh"

namespace amt {
namespace {

using namespace search_test;

TEST_F(Search, RecordsAreRacedAndTheFirstThatAnswersIsUsed) {  // D-3.2.1-a, D-3.2.3-a, D-3.2.3-b
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  EXPECT_EQ(steps(search), "look up");
  search.handle_records(now, records({option("192.0.2.2", 20), option("192.0.2.1", 10)}));
  EXPECT_EQ(steps(search), "probe 192.0.2.1");  // D-4.2.1-a
  EXPECT_EQ(pass(search, milliseconds(250)), "probe 192.0.2.2");
  connect(search, "192.0.2.1");
  EXPECT_EQ(steps(search), "stop 192.0.2.2, use 192.0.2.1");
  EXPECT_EQ(search.current()->relay.to_string(), "192.0.2.1:2268");
  EXPECT_EQ(told, "198.51.100.1 through relay 192.0.2.1:2268 (DRIAD, precedence 10)\n");
}

TEST_F(Search, DnsThatIsSlowHoldsTheOthersUpForAMomentOnly) {  // D-3.2.2-b
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  EXPECT_EQ(pass(search, milliseconds(499)), "look up");
  EXPECT_EQ(pass(search, milliseconds(1)), "probe 192.52.193.1");
  connect(search, "192.52.193.1", "192.0.2.7");
  EXPECT_EQ(steps(search), "use 192.0.2.7");
  // What comes late and stands before it is raced, while the anycast relay stays in use.
  search.handle_traffic(now);
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  EXPECT_EQ(steps(search), "probe 192.0.2.1");
  EXPECT_TRUE(search.is_delivering());
  connect(search, "192.0.2.1");
  EXPECT_EQ(steps(search), "use 192.0.2.1");
}

TEST_F(Search, WhatStandsBeforeDriadDoesNotWaitForIt) {  // D-3.1.2-a
  options.order = default_discovery_order();
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  EXPECT_EQ(steps(search), "look up, probe 192.52.193.1");
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  connect(search, "192.52.193.1");
  EXPECT_EQ(steps(search), "use 192.52.193.1");
}

TEST_F(Search, DnsIsAskedOnlyOnceWhatStandsBeforeItFailed) {  // D-3.1.1-a
  options.order = default_discovery_order();
  RelaySearch search = make();
  search.start(now, {kAnycast}, false);
  EXPECT_EQ(steps(search), "probe 192.52.193.1");
  connect(search, "192.52.193.1");
  EXPECT_EQ(steps(search), "use 192.52.193.1");
  search.handle_reported(now);
  EXPECT_EQ(pass(search, seconds(8)), "look up");  // nothing came
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  EXPECT_EQ(steps(search), "probe 192.0.2.1");
}

TEST_F(Search, AnySourceNeedsNoDns) {  // D-3.3.2-b
  RelaySearch search = make(std::nullopt);
  search.start(now, {kAnycast}, true);
  EXPECT_EQ(steps(search), "probe 192.52.193.1");
  connect(search, "192.52.193.1");
  EXPECT_EQ(steps(search), "use 192.52.193.1");
}

TEST_F(Search, OwnerMayForbidAllRelays) {  // D-4.2.4-a
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  SourceRecords none = records({}, seconds(60));
  none.no_relay = true;
  none.problem = "the owner says no";
  search.handle_records(now, none);
  EXPECT_EQ(pass(search, seconds(59)), "look up");
  EXPECT_EQ(told, "the owner says no\nno relay for 198.51.100.1: the owner says no\n");
  EXPECT_EQ(pass(search, seconds(1)), "look up");
  search.handle_records(now, records({option("192.0.2.1", 10)}));  // and takes it back
  EXPECT_EQ(steps(search), "probe 192.0.2.1");
  connect(search, "192.0.2.1");
  steps(search);
  search.handle_records(now, none);
  EXPECT_EQ(steps(search), "use none");
  EXPECT_FALSE(search.current());
}

TEST_F(Search, NoRecordLeavesTheDefaults) {
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  SourceRecords none = records({});
  none.problem = "no AMTRELAY record";
  search.handle_records(now, none);
  EXPECT_EQ(steps(search), "look up, probe 192.52.193.1");
  fail(search, "192.52.193.1");
  EXPECT_EQ(steps(search), "");
  EXPECT_EQ(search.problem(), "no AMTRELAY record; 192.52.193.1 is silent");
  EXPECT_EQ(pass(search, seconds(1)), "probe 192.52.193.1");  // tried again, the DNS not: its answer is still good
}

TEST_F(Search, SearchesInVainGrowRarerAndAreToldOnce) {
  RelaySearch search = make(std::nullopt);
  search.start(now, {kAnycast}, true);
  steps(search);
  Duration longest{};
  for (int i = 0; i < 50; ++i) {
    fail(search, "192.52.193.1");
    const Duration pause = search.next_deadline() - now;
    EXPECT_GE(pause, seconds(1));
    EXPECT_LE(pause, seconds(15));
    longest = std::max(longest, pause);
    EXPECT_EQ(pass(search, pause), "probe 192.52.193.1");
  }
  EXPECT_GT(longest, seconds(8));
  EXPECT_EQ(told, "no relay for any source: 192.52.193.1 is silent\n");
}

TEST_F(Search, FullRelayIsPassedOverAndHeldDown) {  // D-3.3.5-a, D-3.3.5-b
  RelaySearch search = make();
  search.start(now, {}, true);
  search.handle_records(now, records({option("192.0.2.1", 10), option("192.0.2.2", 20)}));
  refuse(search, "192.0.2.1");
  EXPECT_EQ(pass(search, milliseconds(10)), "look up, probe 192.0.2.1, probe 192.0.2.2");
  fail(search, "192.0.2.2");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pass(search, seconds(15)).find("192.0.2.1"), std::string::npos);
    fail(search, "192.0.2.2");
    search.handle_records(now, records({option("192.0.2.1", 10), option("192.0.2.2", 20)}));
  }
  EXPECT_NE(pass(search, minutes(6)).find("probe 192.0.2.1"), std::string::npos);
}

TEST_F(Search, RefreshFollowsTheTimeToLive) {
  RelaySearch search = using_first();
  search.handle_traffic(now);
  EXPECT_EQ(pass(search, seconds(299)), "");
  EXPECT_EQ(pass(search, seconds(1)), "look up");
  search.handle_records(now, records({option("192.0.2.2", 20), option("192.0.2.1", 10)}, Duration::zero()));
  EXPECT_EQ(pass(search, RelaySearch::kLifetimeMin - milliseconds(1)), "");  // still named: it stays
  EXPECT_EQ(pass(search, milliseconds(1)), "look up");
  search.handle_records(now, records({option("192.0.2.3", 10)}));
  EXPECT_EQ(steps(search), "probe 192.0.2.3");  // no longer named: make, then break
  EXPECT_EQ(search.current()->relay.address, ip("192.0.2.1"));
  connect(search, "192.0.2.3");
  EXPECT_EQ(steps(search), "use 192.0.2.3");
}

TEST_F(Search, ResolverThatIsAwayEndsNothing) {  // D-3.5-a
  RelaySearch search = using_first();
  search.handle_traffic(now);
  EXPECT_EQ(pass(search, seconds(300)), "look up");
  SourceRecords failed;
  failed.failed = true;
  failed.problem = "SERVFAIL";
  Duration longest{};
  for (int i = 0; i < 30; ++i) {
    search.handle_records(now, failed);
    EXPECT_EQ(steps(search), "");
    const Duration pause = search.next_deadline() - now;
    EXPECT_GE(pause, seconds(1));
    EXPECT_LE(pause, seconds(120));
    longest = std::max(longest, pause);
    EXPECT_EQ(pass(search, pause), "look up");
  }
  EXPECT_GT(longest, seconds(60));
  EXPECT_TRUE(search.current());
}

TEST_F(Search, SearchesInVainDoNotHurryTheDns) {  // D-3.5-a
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  int lookups = 0;
  SourceRecords failed;
  failed.failed = true;
  failed.problem = "SERVFAIL";
  const Instant end = now + minutes(20);
  while (now < end) {
    const std::string text = steps(search);
    if (text.find("look up") != std::string::npos) {
      ++lookups;
      search.handle_records(now, failed);
    }
    if (text.find("probe") != std::string::npos) fail(search, "192.52.193.1");
    now = std::max(now, std::min(search.next_deadline(), end));
    search.handle_timeout(now);
  }
  EXPECT_EQ(search.problem(), "SERVFAIL; 192.52.193.1 is silent");
  EXPECT_GE(lookups, 10);
  EXPECT_LE(lookups, 60);
}

TEST_F(Search, RelayThatFallsSilentIsReplacedWithinASecond) {  // D-3.3.2-a
  RelaySearch search = using_first();
  search.handle_traffic(now);
  search.handle_stopped(now);
  const Instant stopped = now;
  EXPECT_EQ(search.next_deadline() - now, milliseconds(200));
  EXPECT_EQ(pass(search, milliseconds(200)), "probe 192.0.2.2");
  connect(search, "192.0.2.2");
  EXPECT_EQ(steps(search), "use 192.0.2.2");
  EXPECT_LE(now - stopped, milliseconds(200));
}

TEST_F(Search, SourceThatPausesIsNoReasonToLeaveTheRelayAtOnce) {
  RelaySearch search = using_first();
  search.handle_traffic(now);
  search.handle_stopped(now);
  search.handle_alive(now);
  EXPECT_EQ(pass(search, milliseconds(3999)), "");
  search.handle_traffic(now);
  EXPECT_EQ(pass(search, seconds(60)), "");
}

TEST_F(Search, AnswerFromFarAwayIsWaitedFor) {
  RelaySearch search = make();
  search.start(now, {}, true);
  search.handle_records(now, records({option("192.0.2.1", 10), option("192.0.2.2", 20)}));
  connect(search, "192.0.2.1", nullptr, milliseconds(600));
  steps(search);
  search.handle_stopped(now);
  EXPECT_GE(search.next_deadline(), now + milliseconds(1200));
}

TEST_F(Search, AnswerThatComesLateEndsTheRace) {  // D-3.2.3-b
  RelaySearch search = using_first();
  search.handle_stopped(now);
  EXPECT_EQ(pass(search, milliseconds(500)), "probe 192.0.2.2");
  search.handle_alive(now);
  EXPECT_EQ(steps(search), "stop 192.0.2.2");
  EXPECT_FALSE(search.is_racing());
}

TEST_F(Search, SilentRelayWithoutAnotherIsKeptAndOthersSoughtAgain) {
  RelaySearch search = using_first();
  search.handle_silent(now);
  EXPECT_EQ(steps(search), "probe 192.0.2.2");
  fail(search, "192.0.2.2");
  EXPECT_EQ(steps(search), "");
  EXPECT_EQ(search.current()->relay.address, ip("192.0.2.1"));
  EXPECT_EQ(pass(search, seconds(15)), "probe 192.0.2.2");
}

TEST_F(Search, UnreachableIsBelievedOnlyWithSilence) {  // X-3.5-a
  RelaySearch search = using_first();
  search.handle_traffic(now);
  search.handle_unreachable(now);
  EXPECT_EQ(pass(search, seconds(10)), "");
  search.handle_stopped(now);
  search.handle_unreachable(now);
  EXPECT_EQ(search.next_deadline(), now);
}

TEST_F(Search, ReportedAndNothingComes) {  // D-3.3.4.1-a, D-3.3.4.1-b
  RelaySearch search = using_first();
  EXPECT_EQ(pass(search, milliseconds(3999)), "");
  EXPECT_EQ(pass(search, milliseconds(4001)), "probe 192.0.2.2");
  EXPECT_TRUE(hold_downs.is_fruitless(now, ip("192.0.2.1"), kSource));
  EXPECT_NE(told.find("192.0.2.1:2268: the relay delivers nothing"), std::string::npos);
  connect(search, "192.0.2.2");
  EXPECT_EQ(steps(search), "use 192.0.2.2");
  search.handle_reported(now);
  // The second delivers nothing, either: probably the source is silent. No to and fro.
  EXPECT_EQ(pass(search, minutes(2)), "");
  EXPECT_EQ(search.current()->relay.address, ip("192.0.2.2"));
}

TEST_F(Search, ProblemIsToldOnceAndSilenceIsOneToo) {
  RelaySearch search = make();
  search.start(now, {}, true);
  EXPECT_EQ(search.problem(), "the DNS has not answered yet who relays 198.51.100.1");
  SourceRecords failed;
  failed.failed = true;
  failed.problem = "SERVFAIL";
  for (int i = 0; i < 4; ++i) {
    search.handle_records(now, failed);
    static_cast<void>(pass(search, minutes(2)));
  }
  EXPECT_EQ(search.problem(), "SERVFAIL");
  std::size_t times = 0;
  for (std::size_t at = told.find("SERVFAIL"); at != std::string::npos; at = told.find("SERVFAIL", at + 1)) ++times;
  // By itself, and as the reason why there is no relay.
  EXPECT_EQ(times, 2U);
}

TEST_F(Search, RelayThatIsAskedAgainIsNotWaitedForLonger) {  // D-3.3.4.1-a
  RelaySearch search = using_first();
  search.handle_traffic(now);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    search.handle_stopped(now);
    search.handle_alive(now);
    text += pass(search, seconds(1));
  }
  EXPECT_EQ(text, "probe 192.0.2.2");
}

TEST_F(Search, TrafficEndsTheSearchForWantOfIt) {
  RelaySearch search = using_first();
  EXPECT_EQ(pass(search, seconds(8)), "probe 192.0.2.2");
  search.handle_traffic(now);
  EXPECT_EQ(steps(search), "stop 192.0.2.2");
  connect(search, "192.0.2.2");
  EXPECT_EQ(steps(search), "");
}

TEST_F(Search, LimitOfTheRelayInUseMovesOnAlsoWhenItDelivers) {  // D-3.3.5-b
  RelaySearch search = using_first();
  search.handle_traffic(now);
  search.handle_limit(now);
  EXPECT_EQ(steps(search), "probe 192.0.2.2");
  EXPECT_TRUE(search.is_delivering()) << "until another has answered";
  EXPECT_TRUE(hold_downs.is_refusing(now, ip("192.0.2.1")));
  RelaySearch other = using_first();
  static_cast<void>(other);
  RelaySearch fresh = make();
  fresh.start(now + HoldDowns::kAfterLimit, {}, true);
  now += HoldDowns::kAfterLimit;
  fresh.handle_records(now, records({option("192.0.2.1", 10), option("192.0.2.2", 20)}));
  connect(fresh, "192.0.2.1");
  steps(fresh);
  fresh.handle_limit(now);
  EXPECT_EQ(steps(fresh), "probe 192.0.2.2");
}

TEST_F(Search, AnycastAddressIsAskedAgainForAnotherRelay) {  // D-3.3.5-b
  RelaySearch search = make(std::nullopt);
  search.start(now, {kAnycast}, true);
  connect(search, "192.52.193.1", "192.0.2.7");
  EXPECT_EQ(steps(search), "probe 192.52.193.1, use 192.0.2.7");
  search.handle_traffic(now);
  for (const bool limited : {true, false}) {
    limited ? search.handle_limit(now) : search.handle_silent(now);
    EXPECT_EQ(steps(search), "probe 192.52.193.1");
    connect(search, "192.52.193.1", "192.0.2.7");
    EXPECT_EQ(steps(search), "") << "the same one is no other";
    EXPECT_FALSE(search.is_racing());
  }
  search.handle_limit(now);
  steps(search);
  connect(search, "192.52.193.1", "192.0.2.8");
  EXPECT_EQ(steps(search), "use 192.0.2.8");
}

TEST_F(Search, AddressThatLeadsToTheSameRelayIsNoOther) {
  RelaySearch search = using_first();
  search.handle_silent(now);
  EXPECT_EQ(steps(search), "probe 192.0.2.2");
  connect(search, "192.0.2.2", "192.0.2.1");
  EXPECT_EQ(steps(search), "");
  EXPECT_FALSE(search.is_racing());
}

TEST_F(Search, AnotherNetworkAnotherRelay) {  // D-3.3.2-a
  RelaySearch search = using_first();
  search.handle_traffic(now);
  search.handle_network_change(now, {kAnycast});
  EXPECT_EQ(steps(search), "look up");
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  EXPECT_EQ(steps(search), "probe 192.0.2.1");  // the one in use runs, too
}

/// This network has a relay, too.

}  // namespace
}  // namespace amt
