/// What hosts of every version say to a Querier: joining, leaving, and what is refused.
#include "membership/querier.hh"

#include "membership/querier_test_support.hh"

namespace amt {
namespace {

using namespace querier_test;
using router_test::sources;

// ---- Leaving (I-d)

TEST_F(RunningQuerier, LastListenerOfAnOlderVersionIsGoneInTwoSeconds) {  // I-d, I-g
  EXPECT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_TRUE(receive(igmpv2_leave(kHost, kGroup)));
  run_to(Duration(102s) - 1ms);
  EXPECT_EQ(wanted(kGroup), "E{}");
  run_to(110s);
  EXPECT_EQ(sent(), "100000 Q(239.1.1.1) | 101000 Q(239.1.1.1)");
  EXPECT_EQ(wanted(kGroup), "I{}");
  const auto view = DatagramView::parse(last_query);
  EXPECT_EQ(view->destination, kGroup);
  EXPECT_EQ(querier.counters()[QuerierCounter::kSpecificQueriesSent], 2U);
}

TEST_F(RunningQuerier, SecondListenerThatAnswersKeepsTheGroup) {  // I-d
  EXPECT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  EXPECT_TRUE(receive(igmpv2_leave(kHost, kGroup)));
  run_to(Duration(100s) + 500ms);
  EXPECT_TRUE(receive(igmpv2_report(a("192.0.2.51"), kGroup)));
  run_to(120s);
  EXPECT_EQ(sent(), "100000 Q(239.1.1.1) | 101000 Q(239.1.1.1)s");
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_EQ(changes.size(), 1U);
}

TEST_F(RunningQuerier, Igmpv1ListenerCannotLeaveSoLeavesAreIgnored) {  // I-g
  EXPECT_TRUE(receive(igmpv1_report(kHost, kGroup)));
  EXPECT_TRUE(receive(igmpv2_report(a("192.0.2.51"), kGroup)));
  EXPECT_TRUE(receive(igmpv2_leave(a("192.0.2.51"), kGroup)));
  EXPECT_TRUE(report(RecordType::kChangeToInclude, {}, kGroup));
  run_to(110s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wanted(kGroup), "E{}");
  run_to(370s);
  EXPECT_EQ(wanted(kGroup), "I{}");
}

TEST_F(RunningQuerier, GroupWithAnOlderListenerTakesNoSourceFilters) {  // I-g
  EXPECT_TRUE(receive(igmpv2_report(kHost, kGroup)));
  EXPECT_TRUE(report(RecordType::kBlockOldSources, sources({1}), kGroup));
  EXPECT_TRUE(report(RecordType::kChangeToExclude, sources({1}), kGroup));
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_EQ(sent(), "");
}

TEST_F(RunningQuerier, OlderReportForAGroupThatEndedUnnoticedStartsCompatibilityAnew) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  // Nobody called at 370 s, when the group ended.
  EXPECT_TRUE(querier.handle_datagram(after(400s), igmpv2_report(kHost, kGroup), changes));
  const std::vector<GroupRecord> block{{RecordType::kBlockOldSources, kGroup, sources({1})}};
  EXPECT_TRUE(querier.handle_datagram(after(401s), write_report(kHost, block), changes));
  EXPECT_FALSE(querier.poll_query());
}

TEST_F(RunningQuerier, LeavingHostOfTheNewVersionIsAskedAboutWithItsSources) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  EXPECT_TRUE(report(RecordType::kAllowNewSources, sources({1, 2}), kGroup));
  EXPECT_TRUE(report(RecordType::kChangeToInclude, sources({2}), kGroup));
  run_to(103s);
  EXPECT_EQ(sent(), "100000 Q(239.1.1.1) | 100000 Q(239.1.1.1){1} | 101000 Q(239.1.1.1) | 101000 Q(239.1.1.1){1}");
  EXPECT_EQ(wanted(kGroup), "I{2}");
}

TEST_F(RunningQuerier, StormOfLeavesIsNoStormOfQueries) {
  constexpr std::uint64_t kLeaves = 3000;
  for (std::uint64_t i = 0; i < kLeaves; ++i) {
    EXPECT_TRUE(report(RecordType::kAllowNewSources, sources({1}), kSsm));
    EXPECT_TRUE(report(RecordType::kBlockOldSources, sources({1}), kSsm));
  }
  run_to(103s);
  EXPECT_LE(querier.counters()[QuerierCounter::kSpecificQueriesSent], 1000U);
  EXPECT_EQ(querier.counters()[QuerierCounter::kQueriesLimit], kLeaves - 500);
  // What was not asked about is not cut off: who stays and was not asked could not have answered.
  EXPECT_EQ(wanted(kSsm), "I{1}");
  // Later leaves are quick again.
  (void)sent();
  EXPECT_TRUE(report(RecordType::kBlockOldSources, sources({1}), kSsm));
  run_to(105s);
  EXPECT_EQ(sent(), "103000 Q(232.1.1.1){1} | 104000 Q(232.1.1.1){1}");
  EXPECT_EQ(wanted(kSsm), "I{}");
}

TEST_F(RunningQuerier, OneReportThatLeavesManyGroupsIsAskedAboutWithinTheLimit) {
  std::vector<GroupRecord> joins;
  std::vector<GroupRecord> leaves;
  for (std::uint32_t n = 0; n < 900; ++n) {
    joins.push_back({RecordType::kChangeToExclude, IpAddress::from_v4(0xef020000U + n), {}});
    leaves.push_back({RecordType::kChangeToInclude, IpAddress::from_v4(0xef020000U + n), {}});
  }
  EXPECT_TRUE(receive(write_report(kHost, joins)));
  EXPECT_TRUE(receive(write_report(kHost, leaves)));
  run_to(103s);
  EXPECT_EQ(querier.counters()[QuerierCounter::kSpecificQueriesSent], 1000U);
  EXPECT_EQ(querier.counters()[QuerierCounter::kQueriesLimit], 400U);
  EXPECT_EQ(querier.group_count(), 400U);
  run_to(370s);
  EXPECT_EQ(querier.group_count(), 0U);
}

// ---- What a router on a real link refuses

TEST_F(RunningQuerier, RefusesWhatDidNotStartOnThisLink) {  // I-k, RFC 3376 §4, §9.2
  EXPECT_EQ(receive(igmpv2_report(kHost, kGroup, {.hop_limit = 2})).error(), QuerierReject::kBadHopLimit);
  EXPECT_EQ(
      receive(datagram(kHigher, a("224.0.0.1"), older_message(0x11, 100, kNone), {.router_alert = false})).error(),
      QuerierReject::kNoRouterAlert);
  Octets damaged = igmpv2_report(kHost, kGroup);
  damaged.back() ^= std::byte{1};
  EXPECT_EQ(receive(damaged).error(), QuerierReject::kBadChecksum);
  EXPECT_EQ(receive(igmpv2_report(a("239.9.9.9"), kGroup)).error(), QuerierReject::kBadSource);
  EXPECT_EQ(receive(datagram(kHost, a("239.1.1.2"), older_message(0x16, 0, kGroup))).error(),
            QuerierReject::kBadDestination);
  EXPECT_EQ(receive(datagram(kHost, kGroup, older_message(0x99, 0, kGroup))).error(), QuerierReject::kNotMembership);
  EXPECT_EQ(receive({}).error(), QuerierReject::kBadHeader);
  EXPECT_EQ(receive(mldv1_report(a("fe80::50"), a("ff1e::1"))).error(), QuerierReject::kOtherFamily);
  EXPECT_EQ(querier.group_count(), 0U);
  EXPECT_EQ(querier.rejects()[QuerierReject::kBadHopLimit], 1U);
  EXPECT_EQ(querier.rejects()[QuerierReject::kNoRouterAlert], 1U);
  EXPECT_EQ(counter_name(QuerierReject::kNoRouterAlert), "reject_no_router_alert");
  EXPECT_EQ(counter_info(QuerierReject::kQueryOfNoAddress).help, "query from 0.0.0.0");
  EXPECT_EQ(counter_name(QuerierCounter::kQueriesLimit), "queries_limit");
}

TEST_F(RunningQuerier, HostsWithoutRouterAlertCount) {  // RFC 9776 §9.2
  EXPECT_TRUE(receive(igmpv2_report(kHost, kGroup, {.router_alert = false})));
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_TRUE(receive(datagram(kHost, a("224.0.0.2"), older_message(0x17, 0, kGroup), {.router_alert = false})));
  run_to(103s);
  EXPECT_EQ(wanted(kGroup), "I{}");
  EXPECT_EQ(querier.counters()[QuerierCounter::kReportsWithoutRouterAlert], 2U);
  EXPECT_EQ(querier.last_source(), kHost);
}

TEST_F(RunningQuerier, OlderReportsReachItByAnyOfItsAddresses) {  // RFC 9776 §4.2.15
  querier.set_subnets(after(100s), {*Prefix::parse("192.0.2.10/24")});
  for (const char* destination : {"224.0.0.2", "224.0.0.22", "192.0.2.10"}) {
    const IpAddress group = a("239.7.7.7");
    EXPECT_TRUE(receive(datagram(kHost, a(destination), older_message(0x16, 0, group)))) << destination;
    EXPECT_EQ(wanted(group), "E{}") << destination;
    querier.clear(changes);
  }
  EXPECT_EQ(receive(datagram(kHost, a("192.0.2.11"), older_message(0x16, 0, kGroup))).error(),
            QuerierReject::kBadDestination);
}

TEST_F(RunningQuerier, ReportFromNoAddressCounts) {  // RFC 3376 §4.2.13
  EXPECT_TRUE(receive(igmpv2_report(kNone, kGroup)));
  EXPECT_EQ(wanted(kGroup), "E{}");
}

TEST_F(RunningQuerier, LinkScopeAndSsmRulesHold) {  // I-o, S-d, S-e, P-i
  EXPECT_TRUE(receive(igmpv2_report(kHost, a("224.0.0.251"))));
  EXPECT_TRUE(receive(igmpv2_report(kHost, kSsm)));
  EXPECT_TRUE(receive(igmpv2_leave(kHost, kSsm)));
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kSsm));
  EXPECT_TRUE(report(RecordType::kAllowNewSources, sources({1}), a("192.0.2.1")));
  EXPECT_EQ(querier.group_count(), 0U);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(querier.counters()[QuerierCounter::kLinkScopeGroups], 1U);
  EXPECT_EQ(querier.counters()[QuerierCounter::kOlderReportsOfSsmGroups], 2U);
  EXPECT_EQ(querier.counters()[QuerierCounter::kExcludesOfSsmGroups], 1U);
  EXPECT_EQ(querier.counters()[QuerierCounter::kGroupsNotMulticast], 1U);
}

TEST(Querier, TablesHaveTheirLimits) {
  Link link(QuerierOptions{.groups_max = 2, .sources_per_group_max = 3});
  link.set_address(kSelf);
  for (const char* group : {"239.1.1.1", "239.1.1.2", "239.1.1.3"}) {
    EXPECT_TRUE(link.report(RecordType::kAllowNewSources, sources({1, 2, 3, 4}), a(group)));
  }
  EXPECT_EQ(link.querier.group_count(), 2U);
  EXPECT_EQ(link.wanted(kGroup), "I{1,2,3}");
  EXPECT_EQ(link.querier.counters()[QuerierCounter::kGroupsLimit], 1U);
  EXPECT_EQ(link.querier.counters()[QuerierCounter::kSourcesLimit], 2U);
}

TEST_F(RunningQuerier, LinkThatIsGoneWantsNothing) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  changes.clear();
  querier.clear(changes);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_TRUE(changes[0].after.is_nothing());
  EXPECT_EQ(querier.group_count(), 0U);
}

}  // namespace
}  // namespace amt
