#include "membership/querier.hh"

#include "membership/querier_test_support.hh"

namespace amt {
namespace {

using namespace querier_test;
using router_test::sources;

class QuerierLink : public testing::Test, protected Link {};

// ---- General Queries

TEST_F(QuerierLink, IsSilentWithoutAnAddress) {
  run_to(1000s);
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(querier.is_querier());
  EXPECT_FALSE(querier.querier());
}

TEST_F(QuerierLink, AsksOftenAtTheStartAndThenEveryQueryInterval) {  // RFC 3376 §8.6, §8.7
  run_to(7s);
  set_address(kSelf);
  run_to(300s);
  EXPECT_EQ(sent(), "7000 Q | 38250 Q | 163250 Q | 288250 Q");
  EXPECT_EQ(querier.querier(), kSelf);
  EXPECT_EQ(querier.counters()[QuerierCounter::kGeneralQueriesSent], 4U);
}

TEST_F(QuerierLink, SaysWhatHostsNeedToKnow) {  // RFC 3376 §4.1
  set_address(kSelf);
  const auto view = DatagramView::parse(last_query);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source, kSelf);
  EXPECT_EQ(view->destination, a("224.0.0.1"));
  EXPECT_EQ(view->hop_limit, 1);
  EXPECT_TRUE(view->router_alert);
  const auto message = parse_group_message(*view, {});
  ASSERT_TRUE(message);
  const auto& query = std::get<GroupQuery>(*message);
  EXPECT_EQ(query.version, 3);
  EXPECT_EQ(query.max_response_time, 500ms);  // at the start
  EXPECT_EQ(query.robustness, 2);
  EXPECT_EQ(query.query_interval, 125s);
}

TEST(Querier, NeverGivesHostsLongerToAnswerThanItsInterval) {  // RFC 3376 §8.3
  Link link(QuerierOptions{.query_interval = 4s});
  link.set_address(kSelf);
  link.run_to(6s);
  const auto message = parse_group_message(*DatagramView::parse(link.last_query), {});
  EXPECT_EQ(std::get<GroupQuery>(*message).max_response_time, 4s);
}

// ---- Election (I-i; RFC 3376 §6.6.2)

TEST_F(RunningQuerier, GivesWayToALowerAddressUntilThatFallsSilent) {  // I-i
  EXPECT_TRUE(receive(write_query(kLower, general())));
  EXPECT_FALSE(querier.is_querier());
  EXPECT_EQ(querier.querier(), kLower);
  // Other Querier Present Interval: 2 * 125 s + 10 s / 2.
  run_to(200s);
  EXPECT_TRUE(receive(write_query(kLower, general())));
  run_to(454s);
  EXPECT_EQ(sent(), "");
  run_to(600s);
  EXPECT_EQ(sent(), "455000 Q | 580000 Q");
  EXPECT_EQ(querier.querier(), kSelf);
  EXPECT_EQ(querier.counters()[QuerierCounter::kQuerierChanges], 2U);
  EXPECT_TRUE(receive(write_query(kLower, general())));
  EXPECT_FALSE(querier.is_querier());
}

TEST_F(RunningQuerier, SpecificQueriesCountInTheElection) {
  EXPECT_TRUE(receive(write_query(kLower, specific(kGroup))));
  EXPECT_EQ(querier.querier(), kLower);
}

TEST_F(RunningQuerier, HigherAddressTakesNoPart) {  // I-i
  EXPECT_TRUE(receive(write_query(kHigher, general(7, 31744s))));
  EXPECT_EQ(querier.querier(), kSelf);
  run_to(160s);
  EXPECT_EQ(sent(), "156250 Q");
  EXPECT_EQ(querier.counters()[QuerierCounter::kQueriesReceived], 1U);
}

TEST_F(RunningQuerier, SnoopingSwitchWithoutAddressWinsNoElection) {  // I-i
  EXPECT_EQ(receive(write_query(kNone, general())).error(), QuerierReject::kQueryOfNoAddress);
  EXPECT_TRUE(querier.is_querier());
}

TEST_F(RunningQuerier, NobodyFromOutsideTheSubnetsIsElected) {  // RFC 9776 §6.6.2, §9.1
  const std::vector<Prefix> subnets = {*Prefix::parse("192.0.2.10/24"), *Prefix::parse("192.0.2.129/31")};
  querier.set_subnets(after(100s), subnets);
  for (const char* forged : {"10.0.0.1", "192.0.1.255", "192.0.2.0"}) {
    EXPECT_EQ(receive(write_query(a(forged), general())).error(), QuerierReject::kQueryFromElsewhere) << forged;
    EXPECT_EQ(querier.last_source(), a(forged));
  }
  EXPECT_EQ(receive(write_query(a("192.0.2.129"), general())).error(), QuerierReject::kOwnQuery);
  EXPECT_TRUE(querier.is_querier());
  EXPECT_EQ(querier.rejects()[QuerierReject::kQueryFromElsewhere], 3U);
  EXPECT_TRUE(receive(write_query(kLower, general())));
  EXPECT_EQ(querier.querier(), kLower);
}

TEST_F(RunningQuerier, WhoCouldNotBeElectedLosesTheRole) {
  EXPECT_TRUE(receive(write_query(a("10.0.0.1"), general())));
  EXPECT_FALSE(querier.is_querier());
  querier.set_subnets(after(100s), {*Prefix::parse("192.0.2.10/24")});
  EXPECT_TRUE(querier.is_querier());
  run_to(100s);
  EXPECT_EQ(sent(), "100000 Q");
}

TEST_F(RunningQuerier, StartupQueriesWantAnswersSoon) {
  querier.set_address(after(100s), std::nullopt);
  querier.set_address(after(100s), kSelf);
  const auto max_response_time = [this] {
    return std::get<GroupQuery>(*parse_group_message(*DatagramView::parse(last_query), {})).max_response_time;
  };
  run_to(100s);
  EXPECT_EQ(max_response_time(), 500ms);
  run_to(140s);
  EXPECT_EQ(max_response_time(), 500ms);
  run_to(300s);
  EXPECT_EQ(max_response_time(), 10s);
}

TEST_F(RunningQuerier, AsksAnewAndForgetsNothing) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  querier.ask_anew(after(100s));
  run_to(100s);
  EXPECT_EQ(sent(), "100000 Q");
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_TRUE(receive(write_query(kLower, general())));
  querier.ask_anew(after(100s));
  run_to(101s);
  EXPECT_EQ(sent(), "");
}

TEST_F(RunningQuerier, OwnQueryHeardBackIsNobody) {
  EXPECT_EQ(receive(write_query(kSelf, general())).error(), QuerierReject::kOwnQuery);
  EXPECT_TRUE(querier.is_querier());
}

TEST_F(QuerierLink, AnyOtherRouterIsTheQuerierWhileWeHaveNoAddress) {
  EXPECT_TRUE(receive(write_query(kHigher, general())));
  EXPECT_EQ(querier.querier(), kHigher);
  set_address(kLower);
  EXPECT_EQ(sent(), "0 Q");
  EXPECT_EQ(querier.querier(), kLower);
}

TEST_F(RunningQuerier, OlderVersionWinsToo) {  // I-i, RFC 3376 §7.3.1
  EXPECT_TRUE(receive(older_query(kLower, 100, kNone)));
  EXPECT_EQ(querier.querier(), kLower);
  EXPECT_TRUE(receive(older_query(a("192.0.2.1"), 0, kNone)));
  EXPECT_EQ(querier.querier(), a("192.0.2.1"));
  EXPECT_EQ(querier.counters()[QuerierCounter::kOlderQueriesReceived], 2U);
  EXPECT_EQ(querier.next_deadline(), after(355s));
}

TEST_F(RunningQuerier, TakesOverTheQueriersValuesWhileItIsThere) {  // RFC 3376 §4.1.6, §4.1.7
  EXPECT_TRUE(receive(write_query(kLower, general(3, 20s))));
  EXPECT_EQ(querier.next_deadline(), after(165s));  // 3 * 20 s + 5 s
  EXPECT_TRUE(report(RecordType::kModeIsExclude, {}, kGroup));
  run_to(164s);
  EXPECT_TRUE(receive(write_query(kLower, general(3, 20s))));
  run_to(179s);
  EXPECT_EQ(wanted(kGroup), "E{}");
  run_to(180s);  // 3 * 20 s + 2 * 10 s
  EXPECT_EQ(wanted(kGroup), "I{}");
  // Our own again.
  run_to(230s);
  EXPECT_EQ(sent(), "229000 Q");
  EXPECT_TRUE(report(RecordType::kModeIsExclude, {}, kGroup));
  run_to(499s);
  EXPECT_EQ(wanted(kGroup), "E{}");
  run_to(500s);
  EXPECT_EQ(wanted(kGroup), "I{}");
}

TEST_F(RunningQuerier, UnsetValuesAreTheDefaults) {
  EXPECT_TRUE(receive(write_query(kLower, general(0, 0s))));
  EXPECT_EQ(querier.next_deadline(), after(355s));
}

TEST_F(RunningQuerier, LowerAddressOfOursTakesTheLinkBack) {  // I-i
  EXPECT_TRUE(receive(write_query(kLower, general())));
  set_address(a("192.0.2.8"));
  EXPECT_EQ(sent(), "100000 Q");
  EXPECT_TRUE(querier.is_querier());
}

TEST_F(RunningQuerier, IsSilentWhileItsAddressIsGone) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  EXPECT_TRUE(report(RecordType::kChangeToInclude, {}, kGroup));
  EXPECT_EQ(sent(), "100000 Q(239.1.1.1)");
  set_address(std::nullopt);
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  EXPECT_TRUE(report(RecordType::kChangeToInclude, {}, kGroup));
  run_to(300s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wanted(kGroup), "E{}");  // nobody was asked, so it ends by age
  set_address(kSelf);
  EXPECT_EQ(sent(), "300000 Q");
}

TEST_F(RunningQuerier, SpecificQueriesDoNotPutOffTheTakeover) {
  EXPECT_TRUE(receive(write_query(kLower, general())));
  run_to(200s);
  EXPECT_TRUE(receive(write_query(kLower, specific(kGroup))));
  run_to(355s);
  EXPECT_EQ(sent(), "355000 Q");
}

TEST_F(RunningQuerier, QueriesThatWaitedAreForgottenWithTheRole) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  const std::vector<GroupRecord> leave{{RecordType::kChangeToInclude, kGroup, {}}};
  EXPECT_TRUE(querier.handle_datagram(after(100s), write_report(kHost, leave), changes));
  EXPECT_TRUE(receive(write_query(kLower, general())));
  run_to(355s);
  EXPECT_EQ(sent(), "355000 Q");
}

// ---- The other one asks (RFC 3376 §6.6.1)

class GivenWay : public RunningQuerier {
 protected:
  GivenWay() {
    EXPECT_TRUE(receive(write_query(kLower, general())));
    EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
    EXPECT_TRUE(report(RecordType::kAllowNewSources, sources({1, 2}), kSsm));
  }
};

TEST_F(GivenWay, LeaveChangesNothingUntilTheQuerierAsks) {  // I-d
  EXPECT_TRUE(report(RecordType::kChangeToInclude, {}, kGroup));
  EXPECT_TRUE(receive(igmpv2_leave(kHost, kGroup)));
  EXPECT_TRUE(report(RecordType::kBlockOldSources, sources({1}), kSsm));
  run_to(110s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_EQ(wanted(kSsm), "I{1,2}");
  EXPECT_TRUE(receive(write_query(kLower, specific(kGroup))));
  EXPECT_TRUE(receive(write_query(kLower, specific(kSsm, sources({1})))));
  run_to(Duration(112s) - 1ms);
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_EQ(wanted(kSsm), "I{1,2}");
  run_to(112s);
  EXPECT_EQ(wanted(kGroup), "I{}");
  EXPECT_EQ(wanted(kSsm), "I{2}");
}

TEST_F(GivenWay, SuppressFlagLeavesTheTimersAlone) {  // I-d
  EXPECT_TRUE(receive(write_query(kLower, specific(kGroup, {}, true))));
  EXPECT_TRUE(receive(write_query(kLower, specific(kSsm, sources({1}), true))));
  run_to(150s);
  EXPECT_EQ(wanted(kGroup), "E{}");
  EXPECT_EQ(wanted(kSsm), "I{1,2}");
}

TEST_F(GivenWay, AnswerKeepsTheGroup) {
  EXPECT_TRUE(receive(write_query(kLower, specific(kGroup))));
  EXPECT_TRUE(report(RecordType::kModeIsExclude, {}, kGroup));
  run_to(150s);
  EXPECT_EQ(wanted(kGroup), "E{}");
}

TEST_F(GivenWay, HostsHaveTheTimeThatTheQueryGivesThem) {
  GroupQuery slow = specific(kGroup);
  slow.max_response_time = 5s;
  EXPECT_TRUE(receive(write_query(kLower, slow)));
  run_to(109s);
  EXPECT_EQ(wanted(kGroup), "E{}");
  run_to(110s);
  EXPECT_EQ(wanted(kGroup), "I{}");
}

TEST_F(GivenWay, QueryWithNoTimeToAnswerEndsNothingSoonerThanOurs) {
  GroupQuery hasty = specific(kGroup);
  hasty.max_response_time = 0s;
  EXPECT_TRUE(receive(write_query(kLower, hasty)));
  run_to(Duration(102s) - 1ms);
  EXPECT_EQ(wanted(kGroup), "E{}");
}

TEST_F(GivenWay, OlderSpecificQueryLowersToo) {  // RFC 2236 §3
  EXPECT_TRUE(receive(older_query(kLower, 10, kGroup)));
  run_to(102s);
  EXPECT_EQ(wanted(kGroup), "I{}");
}

TEST_F(RunningQuerier, WhoGivesWayRepeatsNoMoreQueries) {
  EXPECT_TRUE(report(RecordType::kChangeToExclude, {}, kGroup));
  EXPECT_TRUE(report(RecordType::kChangeToInclude, {}, kGroup));
  EXPECT_EQ(sent(), "100000 Q(239.1.1.1)");
  EXPECT_TRUE(receive(write_query(kLower, general())));
  run_to(105s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wanted(kGroup), "I{}");  // what was asked about ran out all the same
}

// ---- MLD

const IpAddress kSelf6 = a("fe80::10");
const IpAddress kHost6 = a("fe80::50");
const IpAddress kGroup6 = a("ff1e::1:1");

class MldQuerier : public testing::Test, protected Link {
 protected:
  MldQuerier() : Link(QuerierOptions{.family = Family::kIpv6}) { set_address(kSelf6); }
  static GroupQuery general6() {
    GroupQuery query = general();
    query.version = 2;
    query.group = IpAddress::unspecified(Family::kIpv6);
    return query;
  }
};

TEST_F(MldQuerier, AsksAllNodesFromItsLinkLocalAddress) {  // I-k, RFC 3810 §5.1.14
  EXPECT_EQ(sent(), "0 Q");
  const auto view = DatagramView::parse(last_query);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source, kSelf6);
  EXPECT_EQ(view->destination, a("ff02::1"));
  EXPECT_EQ(view->hop_limit, 1);
  EXPECT_TRUE(view->router_alert);
}

TEST_F(MldQuerier, ElectionComparesInterfaceIdentifiers) {  // I-i, RFC 3810 §7.6.2
  EXPECT_TRUE(receive(write_query(a("fe80::11"), general6())));
  EXPECT_TRUE(querier.is_querier());
  EXPECT_TRUE(receive(write_query(a("fe80:0:0:1::f"), general6())));
  EXPECT_EQ(querier.querier(), a("fe80:0:0:1::f"));
}

TEST_F(MldQuerier, OlderListenerIsGoneInTwoSeconds) {  // I-h
  EXPECT_TRUE(receive(mldv1_report(kHost6, kGroup6)));
  EXPECT_EQ(wanted(kGroup6), "E{}");
  EXPECT_TRUE(receive(mldv1_done(kHost6, kGroup6)));
  run_to(3s);
  EXPECT_EQ(sent(), "0 Q | 0 Q(ff1e::1:1) | 1000 Q(ff1e::1:1)");
  EXPECT_EQ(wanted(kGroup6), "I{}");
}

TEST_F(MldQuerier, ListensToLinkLocalAddressesOnly) {  // I-k, RFC 3810 §5.2.13, §7.6
  EXPECT_EQ(receive(mldv1_report(a("2001:db8::50"), kGroup6)).error(), QuerierReject::kBadSource);
  EXPECT_EQ(receive(mldv1_report(a("::"), kGroup6)).error(), QuerierReject::kBadSource);
  EXPECT_EQ(receive(write_query(a("2001:db8::1"), general6())).error(), QuerierReject::kBadSource);
  EXPECT_EQ(receive(datagram(kHost6, kGroup6, older_message(131, 0, kGroup6), {.router_alert = false})).error(),
            QuerierReject::kNoRouterAlert);
  EXPECT_EQ(receive(datagram(kHost6, kGroup6, older_message(131, 0, kGroup6), {.hop_limit = 255})).error(),
            QuerierReject::kBadHopLimit);
  EXPECT_EQ(querier.group_count(), 0U);
}

TEST_F(MldQuerier, OlderQueryIsCounted) {  // RFC 3810 §8.3.1
  EXPECT_TRUE(receive(older_query(a("fe80::f"), 10'000, IpAddress::unspecified(Family::kIpv6))));
  EXPECT_FALSE(querier.is_querier());
  EXPECT_EQ(querier.counters()[QuerierCounter::kOlderQueriesReceived], 1U);
}

}  // namespace
}  // namespace amt
