/// Queriers and hosts that go on with what another one knew: they do what that one would have done.

#include <gtest/gtest.h>

#include "base/test_state.hh"
#include "membership/handmade_datagrams.hh"
#include "membership/host.hh"
#include "membership/lan_membership.hh"
#include "membership/pseudo_interface.hh"
#include "membership/querier_test_support.hh"

namespace amt {
namespace {

using namespace querier_test;
using test::for_each_damage;
using test::saved;

const IpAddress kOne = a("198.51.100.1");
const IpAddress kTwo = a("198.51.100.2");

StateOctets record_of(const Querier& querier, Instant now) {
  return saved(now, [&](StateRecordWriter& out) { querier.save(out); });
}

/// Another link's querier goes on with `record`. False: it cannot.
bool restore(Link& link, const StateOctets& record, Instant now) {
  StateRecordReader in(record, now);
  link.querier.restore(now, in, link.changes);
  return in.is_good();
}

class QuerierRestored : public RunningQuerier {
 protected:
  /// Both live until `end`: the same is asked at the same times, and the same is wanted at the end.
  void expect_same_life(Duration now, Duration end, QuerierOptions options = {}) {
    Link next(std::move(options));
    ASSERT_TRUE(restore(next, record_of(querier, after(now)), after(now)));
    EXPECT_EQ(next.querier.next_deadline(), querier.next_deadline());
    EXPECT_EQ(next.querier.group_count(), querier.group_count());
    EXPECT_EQ(next.changes.size(), querier.group_count());
    static_cast<void>(sent());
    run_to(end);
    next.run_to(end);
    EXPECT_EQ(next.sent(), sent());
    for (const IpAddress& group : {kGroup, kSsm}) EXPECT_EQ(next.wanted(group), wanted(group));
  }
};

TEST_F(QuerierRestored, AsksNothingAnewAndKeepsTimersOfListeners) {
  ASSERT_TRUE(report(RecordType::kAllowNewSources, {kOne, kTwo}, kSsm));
  ASSERT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  run_to(130s);
  expect_same_life(130s, 500s);
}

TEST_F(QuerierRestored, RepeatsTheQueriesOfALeaveUnderWay) {
  ASSERT_TRUE(report(RecordType::kAllowNewSources, {kOne, kTwo}, kSsm));
  ASSERT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  ASSERT_TRUE(report(RecordType::kBlockOldSources, {kOne}, kSsm));
  ASSERT_TRUE(receive(igmpv2_leave(kHost, kGroup)));
  run_to(100500ms);
  expect_same_life(100500ms, 103s);
  EXPECT_EQ(wanted(kGroup), "I{}");
}

TEST_F(QuerierRestored, StaysBehindAnotherQuerierAndTakesOverAfterIt) {
  ASSERT_TRUE(receive(write_query(kLower, general(3, 40s))));
  ASSERT_FALSE(querier.is_querier());
  run_to(120s);
  expect_same_life(120s, 400s);
  EXPECT_TRUE(querier.is_querier());
}

TEST_F(QuerierRestored, GoesOnWithStartupQueries) {
  querier.ask_anew(after(100s));
  run_to(100s);
  expect_same_life(100s, 300s);
}

TEST_F(QuerierRestored, AsksByItsOwnOptions) {
  Link next({.query_interval = 20s});
  ASSERT_TRUE(restore(next, record_of(querier, after(100s)), after(100s)));
  next.run_to(125s);
  EXPECT_EQ(next.sent(), "120000 Q");
}

TEST_F(QuerierRestored, KeepsItsCounters) {
  ASSERT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  Link next;
  ASSERT_TRUE(restore(next, record_of(querier, after(100s)), after(100s)));
  EXPECT_EQ(next.querier.counters()[QuerierCounter::kOlderReportsReceived], 1U);
  EXPECT_EQ(next.querier.counters()[QuerierCounter::kGeneralQueriesSent], 2U);
}

TEST_F(QuerierRestored, FromADamagedRecordRefusesOrLivesOn) {
  ASSERT_TRUE(report(RecordType::kAllowNewSources, {kOne, kTwo}, kSsm));
  ASSERT_TRUE(report(RecordType::kBlockOldSources, {kOne}, kSsm));
  ASSERT_TRUE(receive(igmpv1_report(kHost, kGroup)));
  ASSERT_TRUE(receive(write_query(kLower, general(3, 40s))));
  std::size_t refused = 0;
  std::size_t taken = 0;
  for_each_damage(record_of(querier, after(100s)), [&](const StateOctets& damaged) {
    Link next;
    if (!restore(next, damaged, after(100s))) {
      ++refused;
      return;
    }
    ++taken;
    next.run_to(800s);
    EXPECT_EQ(next.querier.group_count(), 0U);
  });
  EXPECT_GT(refused, 100U);
  EXPECT_GT(taken, 100U);
}

TEST(PseudoInterfaceRestored, KeepsWhatIsWantedAndWhenItAsks) {
  std::vector<FilterChange> changes;
  std::vector<std::vector<std::byte>> queries;
  PseudoInterface before{after(0s)};
  before.handle_timeout(after(0s), changes, queries);
  before.handle_datagram(after(1s), relay_test::report({{relay_test::kToEx, kGroup, {}}}), changes);
  const StateOctets record = saved(after(2s), [&](StateRecordWriter& out) { before.save(out); });
  changes.clear();
  queries.clear();
  PseudoInterface next{after(2s)};
  StateRecordReader in(record, after(2s));
  next.restore(after(2s), in, changes);
  ASSERT_TRUE(in.is_good());
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes.front().after.to_string(), "EXCLUDE{}");
  EXPECT_EQ(next.next_deadline(), after(60s));
  next.handle_timeout(after(59s), changes, queries);
  EXPECT_TRUE(queries.empty());
}

/// What a host reports until `end`, with the times.
std::string life(HostMachine& host, Instant end) {
  std::string text;
  for (int step = 0; step < 1000 && host.next_deadline() <= end; ++step) {
    const Instant now = host.next_deadline();
    host.handle_timeout(now);
    while (const auto records = host.poll_report()) {
      text += std::to_string((now - Instant{}) / 1ms);
      for (const GroupRecord& record : *records) text += " " + std::string(to_string(record.type));
      text += "\n";
    }
  }
  return text;
}

class HostRestored : public testing::Test {
 protected:
  HostRestored() {
    EXPECT_TRUE(host_.set_filter(after(0s), kGroup, {FilterMode::kExclude, {}}));
    EXPECT_TRUE(host_.set_filter(after(0s), kSsm, {FilterMode::kInclude, {kOne}}));
    while (host_.poll_report()) {
    }
    EXPECT_TRUE(host_.set_filter(after(0s), kSsm, {FilterMode::kInclude, {kTwo}}));
    while (host_.poll_report()) {
    }
  }
  StateOctets record() {
    return saved(after(0s), [&](StateRecordWriter& out) { host_.save(out); });
  }

  SeededRandom random_{5};
  HostMachine host_{{}, random_};
};

TEST_F(HostRestored, RepeatsWhatWasToBeRepeated) {
  SeededRandom random(6);
  HostMachine next({}, random);
  const StateOctets octets = record();
  StateRecordReader in(octets, after(0s));
  next.restore(after(0s), in);
  ASSERT_TRUE(in.is_good());
  EXPECT_EQ(next.filter(kSsm), host_.filter(kSsm));
  const std::string expected = life(host_, after(10s));
  EXPECT_EQ(life(next, after(10s)), expected);
  EXPECT_NE(expected.find("ALLOW"), std::string::npos) << expected;
}

TEST_F(HostRestored, WithoutAQuerierReportsNothing) {
  host_.discard_pending();
  SeededRandom random(6);
  HostMachine next({}, random);
  const StateOctets octets = record();
  StateRecordReader in(octets, after(0s));
  next.restore(after(0s), in);
  ASSERT_TRUE(in.is_good());
  EXPECT_EQ(life(next, after(10s)), "");
  next.handle_general_query(after(10s), 2);
  EXPECT_EQ(life(next, after(10s)).substr(0, 5), "10000");
}

TEST_F(HostRestored, FromADamagedRecordRefusesOrLivesOn) {
  for_each_damage(record(), [&](const StateOctets& damaged) {
    SeededRandom random(6);
    HostMachine next({}, random);
    StateRecordReader in(damaged, after(0s));
    next.restore(after(0s), in);
    if (!in.is_good()) return;
    static_cast<void>(life(next, after(10s)));
    EXPECT_EQ(next.next_deadline(), kNoDeadline);
  });
}

}  // namespace
}  // namespace amt
