#include "membership/router.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "membership/router_test_support.hh"

namespace amt {
namespace {

using namespace router_test;

IpAddress a(const char* text) { return *IpAddress::parse(text); }
const IpAddress kSsm = a("232.1.1.1");

class Router : public testing::Test {
 protected:
  RouterRejects apply(std::int64_t second, RecordType type, SourceList listed = {}, const IpAddress& group = kGroup) {
    return state_.handle_report(at(second), report(type, std::move(listed), group), changes_);
  }
  std::string now_text(const IpAddress& group = kGroup) { return text(state_.filter(group)); }

  RouterOptions options_;
  RouterState state_{options_};
  std::vector<FilterChange> changes_;
};

/// Takes nothing more.
class FullGate final : public RouterGate {
 public:
  bool allows_group(const IpAddress& /*group*/) override { return false; }
  std::size_t take_memberships(std::size_t /*wanted*/) override { return 0; }
  void release_memberships(std::size_t /*count*/) override {}
  bool allows_channel(const IpAddress* /*source*/, const IpAddress& /*group*/) override { return false; }
};

class LanRouter : public Router {
 protected:
  LanRouter() {
    options_.single_reporter = false;
    state_ = RouterState(options_);
  }
  std::string queries() {
    std::string out;
    while (const auto query = state_.poll_query()) {
      if (!out.empty()) out += " ";
      out +=
          "Q" + (query->sources.empty() ? "" : text(query->sources)) + (query->suppress_router_processing ? "s" : "");
    }
    return out;
  }
};

// ---- Changes

TEST_F(Router, RefreshChangesNothingAndMovesTheDeadline) {
  apply(0, RecordType::kAllowNewSources, sources({1}));
  EXPECT_EQ(changes_.size(), 1U);
  EXPECT_EQ(state_.next_deadline(), at(260));
  apply(100, RecordType::kModeIsInclude, sources({1}));
  EXPECT_EQ(changes_.size(), 1U);
  EXPECT_EQ(state_.next_deadline(), at(360));
}

TEST_F(Router, OneReportGivesOneChangeForAGroup) {
  GroupReport both;
  both.records.push_back({RecordType::kAllowNewSources, kGroup, sources({1, 2})});
  both.records.push_back({RecordType::kAllowNewSources, a("239.1.1.0"), sources({9})});
  both.records.push_back({RecordType::kBlockOldSources, kGroup, sources({1})});
  (void)state_.handle_report(at(0), both, changes_);
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[0].group, kGroup);  // in order of first touch
  EXPECT_EQ(text(changes_[0].before), "I{}");
  EXPECT_EQ(text(changes_[0].after), "I{2}");
  EXPECT_EQ(changes_[1].group, a("239.1.1.0"));
}

TEST_F(Router, WhatEndsAsItBeganIsNoChange) {
  GroupReport there_and_back;
  there_and_back.records.push_back({RecordType::kAllowNewSources, kGroup, sources({1})});
  there_and_back.records.push_back({RecordType::kBlockOldSources, kGroup, sources({1})});
  (void)state_.handle_report(at(0), there_and_back, changes_);
  EXPECT_TRUE(changes_.empty());
  EXPECT_TRUE(state_.empty());
  EXPECT_EQ(state_.next_deadline(), kNoDeadline);
}

TEST_F(Router, ForwardedSourcesInExcludeModeAreNotShown) {  // P-d
  apply(0, RecordType::kChangeToExclude, sources({1, 2}));
  EXPECT_EQ(now_text(), "E{1,2}");
  apply(1, RecordType::kAllowNewSources, sources({1, 3}));
  EXPECT_EQ(now_text(), "E{2}");
  EXPECT_TRUE(state_.filter(kGroup).accepts(source(3)));
}

TEST_F(Router, ClearEndsEveryGroup) {
  apply(0, RecordType::kAllowNewSources, sources({1}));
  apply(0, RecordType::kChangeToExclude, {}, a("239.1.1.2"));
  changes_.clear();
  state_.clear(changes_);
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(text(changes_[0].before), "I{1}");
  EXPECT_TRUE(changes_[1].after.is_nothing());
  EXPECT_TRUE(state_.empty());
  EXPECT_EQ(state_.next_deadline(), kNoDeadline);
  apply(1, RecordType::kAllowNewSources, sources({1}));
  EXPECT_EQ(state_.group_count(), 1U);
}

// ---- Timers

TEST_F(Router, GatewayThatOnlySendsCurrentStateJoinsAndAgesOut) {  // VLC
  apply(0, RecordType::kModeIsInclude, sources({1}), kSsm);
  EXPECT_EQ(now_text(kSsm), "I{1}");
  apply(125, RecordType::kModeIsInclude, sources({1}), kSsm);
  apply(125, RecordType::kModeIsExclude);
  EXPECT_EQ(now_text(), "E{}");
  EXPECT_EQ(run(state_, at(384)), "");
  EXPECT_EQ(run(state_), "385 I{} | 385 I{}");
  EXPECT_TRUE(state_.empty());
}

TEST_F(Router, SourceTimerMovesAnExcludedGroupsSourceToTheBlocked) {  // I-a, I-b, I-c
  apply(0, RecordType::kChangeToExclude, sources({1}));
  apply(1, RecordType::kAllowNewSources, sources({2}));
  apply(100, RecordType::kModeIsExclude, sources({1, 2}));
  EXPECT_EQ(run(state_), "261 E{1,2} | 360 I{}");
}

TEST_F(Router, GroupWhoseOlderReportWasRefusedRunsOutAllTheSame) {  // R-5.3.3.8-b
  FullGate gate;
  apply(0, RecordType::kAllowNewSources, sources({1}));
  (void)state_.handle_older_report(at(1), {2, kGroup}, changes_, &gate);
  EXPECT_EQ(now_text(), "I{1}");
  EXPECT_EQ(run(state_), "260 I{}");
}

TEST_F(Router, LateCallRunsEverythingThatWasDue) {
  apply(0, RecordType::kChangeToExclude, sources({1}));
  apply(1, RecordType::kAllowNewSources, sources({2}));
  changes_.clear();
  state_.handle_timeout(at(100'000), changes_);
  ASSERT_EQ(changes_.size(), 1U);
  EXPECT_EQ(text(changes_[0].before), "E{1}");
  EXPECT_EQ(text(changes_[0].after), "I{}");
}

TEST_F(Router, ReportAfterUnnoticedExpiryStartsAnew) {
  apply(0, RecordType::kChangeToExclude, sources({1}));
  // At 300 s the group timer has run out, though nobody called: BLOCK finds no EXCLUDE state.
  apply(300, RecordType::kBlockOldSources, sources({2}));
  EXPECT_TRUE(state_.empty());
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_TRUE(changes_[1].after.is_nothing());
}

TEST_F(Router, TimerValuesFollowTheOptions) {  // R-5.3.3.7-d,e, X-10-9
  options_.robustness = 3;
  options_.query_interval = std::chrono::seconds(20);
  options_.query_response_interval = std::chrono::seconds(15);
  apply(0, RecordType::kAllowNewSources, sources({1}));
  EXPECT_EQ(state_.next_deadline(), at(75));
}

// ---- Older versions (I-g, I-h)

TEST_F(Router, OlderReportJoinsEverySourceAndLeaveEndsIt) {  // I-g, I-h, P-c
  (void)state_.handle_older_report(at(0), {2, kGroup}, changes_);
  EXPECT_EQ(now_text(), "E{}");
  EXPECT_EQ(state_.next_deadline(), at(260));
  (void)state_.handle_leave(at(5), {kGroup}, changes_);
  EXPECT_TRUE(state_.empty());
  const IpAddress v6 = a("ff1e::1");
  (void)state_.handle_older_report(at(5), {1, v6}, changes_);
  EXPECT_EQ(now_text(v6), "E{}");
  (void)state_.handle_leave(at(6), {v6}, changes_);
  EXPECT_TRUE(state_.empty());
}

// I-g
TEST_F(Router, OlderHostSuspendsBlockAndExcludeLists) {  // RFC 3376 §7.3.2
  (void)state_.handle_older_report(at(0), {2, kGroup}, changes_);
  apply(1, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(now_text(), "E{}");
  apply(2, RecordType::kChangeToExclude, sources({1, 2}));
  EXPECT_EQ(now_text(), "E{}");
  apply(100, RecordType::kModeIsExclude);
  // The Older Version Host Present timer ran from 0 s: from 260 s on the lists count again.
  apply(259, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(now_text(), "E{}");
  apply(260, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(now_text(), "E{1}");
}

TEST_F(Router, Igmpv1HostMakesLeavesIgnored) {  // RFC 3376 §7.3.2
  (void)state_.handle_older_report(at(0), {1, kGroup}, changes_);
  (void)state_.handle_older_report(at(1), {2, kGroup}, changes_);
  (void)state_.handle_leave(at(2), {kGroup}, changes_);
  EXPECT_EQ(now_text(), "E{}");
  apply(3, RecordType::kChangeToInclude);
  EXPECT_EQ(now_text(), "E{}");
  apply(3, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(now_text(), "E{}");
  // After the version 1 timer version 2 is left, and leaves count.
  (void)state_.handle_older_report(at(200), {2, kGroup}, changes_);
  (void)state_.handle_leave(at(259), {kGroup}, changes_);
  EXPECT_EQ(now_text(), "E{}");
  (void)state_.handle_leave(at(260), {kGroup}, changes_);
  EXPECT_TRUE(state_.empty());
}

TEST_F(Router, Mldv1ReportIsNotIgmpv1) {  // I-h: MLDv1 has a Done
  const IpAddress v6 = a("ff1e::1");
  (void)state_.handle_older_report(at(0), {1, v6}, changes_);
  apply(1, RecordType::kChangeToInclude, {}, v6);
  EXPECT_TRUE(state_.empty());
}

TEST_F(Router, GroupThatAgedOutForgetsItsOlderHost) {
  (void)state_.handle_older_report(at(0), {1, kGroup}, changes_);
  EXPECT_EQ(run(state_), "260 I{}");
  apply(261, RecordType::kChangeToExclude, sources({1}));
  EXPECT_EQ(now_text(), "E{1}");
}

// ---- Groups that are refused

TEST_F(Router, SsmGroupsTakeNoExcludeButEverythingElseOfTheReport) {  // S-d
  GroupReport mixed;
  mixed.records.push_back({RecordType::kModeIsExclude, kSsm, {}});
  mixed.records.push_back({RecordType::kAllowNewSources, kSsm, sources({1})});
  mixed.records.push_back({RecordType::kChangeToExclude, kSsm, sources({1})});
  mixed.records.push_back({RecordType::kChangeToExclude, a("ff3e::8000:1"), {}});
  mixed.records.push_back({RecordType::kChangeToExclude, kGroup, {}});
  const RouterRejects rejects = state_.handle_report(at(0), mixed, changes_);
  EXPECT_EQ(rejects.exclude_of_ssm_group, 3U);
  EXPECT_EQ(now_text(kSsm), "I{1}");
  EXPECT_EQ(now_text(), "E{}");
  EXPECT_EQ(state_.group_count(), 2U);
}

TEST_F(Router, SsmGroupsTakeNoOlderMessages) {  // S-e, P-i
  apply(0, RecordType::kAllowNewSources, sources({1}), kSsm);
  EXPECT_EQ(state_.handle_older_report(at(1), {2, kSsm}, changes_).older_report_of_ssm_group, 1U);
  EXPECT_EQ(state_.handle_older_report(at(1), {1, kSsm}, changes_).older_report_of_ssm_group, 1U);
  EXPECT_EQ(state_.handle_leave(at(1), {kSsm}, changes_).older_report_of_ssm_group, 1U);
  EXPECT_EQ(state_.handle_older_report(at(1), {1, a("ff3e::8000:1")}, changes_).older_report_of_ssm_group, 1U);
  EXPECT_EQ(now_text(kSsm), "I{1}");
  // No compatibility mode either: BLOCK counts.
  apply(2, RecordType::kBlockOldSources, sources({1}), kSsm);
  EXPECT_TRUE(state_.empty());
}

TEST_F(Router, LinkScopeAndNonsenseGroupsAreRefused) {  // I-o, S-f
  for (const char* group : {"224.0.0.1", "224.0.0.251", "ff02::fb", "ff01::1", "ff12::1"}) {
    EXPECT_EQ(apply(0, RecordType::kChangeToExclude, {}, a(group)).link_scope_group, 1U) << group;
    EXPECT_EQ(state_.handle_older_report(at(0), {2, a(group)}, changes_).link_scope_group, 1U) << group;
  }
  for (const char* group : {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "232.0.0.0", "ff3e::4000:0", "ff35::"}) {
    EXPECT_EQ(apply(0, RecordType::kAllowNewSources, sources({1}), a(group)).not_multicast, 1U) << group;
  }
  EXPECT_TRUE(state_.empty());
  EXPECT_TRUE(changes_.empty());
}

TEST_F(Router, RecordsThatAskForNothingCreateNothing) {  // R-4.2.1.2-b
  apply(0, RecordType::kModeIsInclude);
  apply(0, RecordType::kChangeToInclude);
  apply(0, RecordType::kAllowNewSources);
  apply(0, RecordType::kBlockOldSources, sources({1}));
  (void)state_.handle_leave(at(0), {kGroup}, changes_);
  EXPECT_TRUE(state_.empty());
  EXPECT_TRUE(changes_.empty());
}

// ---- Limits (R-5.3.3.8-b)

TEST_F(Router, OverTheGroupLimitOnlyNewGroupsAreIgnored) {  // R-5.3.3.8-b
  options_.groups_max = 2;
  GroupReport three;
  for (const char* group : {"239.1.1.1", "239.1.1.2", "239.1.1.3"}) {
    three.records.push_back({RecordType::kChangeToExclude, a(group), {}});
  }
  EXPECT_EQ(state_.handle_report(at(0), three, changes_).groups_limit, 1U);
  EXPECT_EQ(state_.group_count(), 2U);
  // What is there goes on being updated, left and replaced.
  EXPECT_EQ(apply(1, RecordType::kBlockOldSources, sources({1})).groups_limit, 0U);
  EXPECT_EQ(now_text(), "E{1}");
  EXPECT_EQ(apply(1, RecordType::kChangeToInclude, {}, a("239.9.9.9")).groups_limit, 0U);  // no addition
  apply(2, RecordType::kChangeToInclude);
  EXPECT_EQ(apply(2, RecordType::kChangeToExclude, {}, a("239.1.1.3")).groups_limit, 0U);
  EXPECT_EQ(state_.group_count(), 2U);
  EXPECT_EQ(state_.handle_older_report(at(3), {2, a("239.1.1.4")}, changes_).groups_limit, 1U);
}

TEST_F(Router, OverTheSourceLimitOnlyNewSourcesAreIgnored) {  // R-5.3.3.8-b
  options_.sources_per_group_max = 3;
  apply(0, RecordType::kAllowNewSources, sources({2, 4}));
  EXPECT_EQ(apply(10, RecordType::kAllowNewSources, sources({1, 2, 3, 4, 5})).sources_limit, 2U);
  EXPECT_EQ(now_text(), "I{1,2,4}");
  EXPECT_EQ(state_.next_deadline(), at(270));  // 2 and 4 were refreshed all the same
  EXPECT_EQ(apply(11, RecordType::kBlockOldSources, sources({1})).sources_limit, 0U);
  EXPECT_EQ(apply(11, RecordType::kAllowNewSources, sources({9})).sources_limit, 0U);
  EXPECT_EQ(now_text(), "I{2,4,9}");
}

TEST_F(Router, SourcesThatARecordReplacesMakeRoom) {
  options_.sources_per_group_max = 2;
  apply(0, RecordType::kAllowNewSources, sources({1, 2}));
  EXPECT_EQ(apply(1, RecordType::kChangeToInclude, sources({3, 4})).sources_limit, 0U);
  EXPECT_EQ(now_text(), "I{3,4}");
}

TEST_F(Router, BlockedSourcesCountAgainstTheLimitAndTheSurplusIsForwarded) {  // R-5.3.3.4-n
  options_.sources_per_group_max = 2;
  EXPECT_EQ(apply(0, RecordType::kChangeToExclude, sources({1, 2, 3})).sources_limit, 1U);
  EXPECT_EQ(now_text(), "E{1,2}");
  EXPECT_EQ(apply(1, RecordType::kAllowNewSources, sources({4})).sources_limit, 1U);
  EXPECT_TRUE(state_.filter(kGroup).accepts(source(4)));
}

TEST_F(Router, ManySourcesInOneRecordStayWithinTheLimit) {
  SourceList many;
  for (std::uint32_t n = 1; n <= 5000; ++n) many.push_back(source(n));
  EXPECT_EQ(apply(0, RecordType::kAllowNewSources, many).sources_limit, 5000U - 256U);
  EXPECT_EQ(state_.filter(kGroup).sources.size(), 256U);
}

// ---- Queries on a LAN (I-d)

TEST_F(LanRouter, LeaveIsAskedAboutAndTakesTheLastMemberQueryTime) {  // I-d
  (void)state_.handle_older_report(at(0), {2, kGroup}, changes_);
  (void)state_.handle_leave(at(10), {kGroup}, changes_);
  EXPECT_EQ(queries(), "Q");
  EXPECT_EQ(state_.next_deadline(), at(11));
  EXPECT_EQ(run(state_, at(11)), "");
  EXPECT_EQ(queries(), "Q");
  EXPECT_EQ(now_text(), "E{}");
  EXPECT_EQ(run(state_), "12 I{}");
}

TEST_F(LanRouter, GroupThatEndedUnnoticedForgetsItsOlderHost) {
  (void)state_.handle_older_report(at(0), {2, kGroup}, changes_);
  (void)state_.handle_leave(at(10), {kGroup}, changes_);
  // The group ended at 12 s, though nobody called, and its compatibility mode with it: the list counts.
  apply(20, RecordType::kChangeToExclude, sources({1}));
  EXPECT_EQ(now_text(), "E{1}");
}

// I-d
TEST_F(LanRouter, AnswerKeepsTheGroupAndSetsTheSuppressFlag) {  // RFC 3376 §6.6.3.1
  apply(0, RecordType::kChangeToExclude);
  apply(10, RecordType::kChangeToInclude);
  EXPECT_EQ(queries(), "Q");
  // Somebody else still wants it: the group timer is above LMQT again, so the repeat has the S flag.
  apply(10, RecordType::kModeIsExclude);
  EXPECT_EQ(run(state_, at(11)), "");
  EXPECT_EQ(queries(), "Qs");
  EXPECT_EQ(run(state_), "280 I{}");
}

TEST_F(LanRouter, AnswerAboutOneSourceSplitsTheRepeat) {  // RFC 3376 §6.6.3.2
  apply(0, RecordType::kAllowNewSources, sources({1, 2, 3}));
  apply(10, RecordType::kBlockOldSources, sources({1, 2}));
  EXPECT_EQ(queries(), "Q{1,2}");
  apply(10, RecordType::kModeIsInclude, sources({2}));
  EXPECT_EQ(run(state_, at(11)), "");
  EXPECT_EQ(queries(), "Q{2}s Q{1}");
  EXPECT_EQ(run(state_, at(20)), "12 I{2,3}");
}

TEST_F(LanRouter, NewQuestionsAreMergedWithThePendingOnes) {
  apply(0, RecordType::kAllowNewSources, sources({1, 2}));
  apply(10, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(queries(), "Q{1}");
  (void)state_.handle_report(Instant{} + std::chrono::milliseconds(10'500),
                             report(RecordType::kBlockOldSources, sources({2})), changes_);
  // One message with both; source 1 has had its two.
  EXPECT_EQ(queries(), "Q{1,2}");
  EXPECT_EQ(run(state_, at(20)), "12 I{2} | 12 I{}");
  EXPECT_EQ(queries(), "Q{2}");
}

TEST_F(LanRouter, RepeatedLeaveAsksNoSecondRound) {
  apply(0, RecordType::kChangeToExclude);
  apply(10, RecordType::kChangeToInclude);
  apply(10, RecordType::kChangeToInclude);
  EXPECT_EQ(queries(), "Q");
  EXPECT_EQ(run(state_), "12 I{}");
  EXPECT_EQ(queries(), "Q");
}

TEST_F(LanRouter, SourceWithAShortTimerIsNotAskedAbout) {
  apply(0, RecordType::kAllowNewSources, sources({1}));
  apply(269, RecordType::kBlockOldSources, sources({1}));
  EXPECT_EQ(queries(), "");
  EXPECT_EQ(run(state_), "270 I{}");
}

TEST_F(LanRouter, BlockOfAnUnknownSourceTakesTheGroupTimer) {  // (A-X-Y)=Group Timer
  apply(0, RecordType::kChangeToExclude);
  apply(269, RecordType::kBlockOldSources, sources({1}));
  // 1 s is left of the group timer, which is below LMQT: nothing is asked, and it all ends together.
  EXPECT_EQ(queries(), "");
  EXPECT_EQ(run(state_), "270 I{}");
}

TEST_F(LanRouter, QueryForMldIsVersionTwo) {
  const IpAddress v6 = a("ff1e::1");
  apply(0, RecordType::kChangeToExclude, {}, v6);
  apply(10, RecordType::kChangeToInclude, {}, v6);
  const auto query = state_.poll_query();
  ASSERT_TRUE(query);
  EXPECT_EQ(query->version, 2);
  EXPECT_EQ(query->group, v6);
  EXPECT_EQ(query->max_response_time, std::chrono::seconds(1));
  EXPECT_EQ(query->query_interval, std::chrono::seconds(125));
}

TEST_F(LanRouter, LongSourceListsAreAskedAboutInPieces) {
  SourceList many;
  for (std::uint32_t n = 1; n <= 200; ++n) many.push_back(source(n));
  apply(0, RecordType::kAllowNewSources, many);
  apply(10, RecordType::kBlockOldSources, many);
  SourceList asked;
  while (const auto query = state_.poll_query()) {
    EXPECT_LE(write_query(a("192.0.2.1"), *query).size(), 1280U);
    asked = set_union(asked, query->sources);
  }
  EXPECT_EQ(asked, many);
}

TEST_F(Router, TunnelAsksNothing) {  // I-e
  apply(0, RecordType::kChangeToExclude, sources({1}));
  apply(10, RecordType::kChangeToInclude, sources({2}));
  apply(11, RecordType::kBlockOldSources, sources({2}));
  EXPECT_FALSE(state_.poll_query());
  EXPECT_TRUE(state_.empty());
}

}  // namespace
}  // namespace amt
