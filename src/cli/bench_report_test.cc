#include "cli/bench_report.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void set(Counters<LoadCounter>& counters, LoadCounter which, std::uint64_t value) {
  counters.add(which, value - counters[which]);
}

/// 1000 gateways that joined in 2 s, and 8 s of data after it.
BenchReport served() {
  BenchReport report;
  report.relay = {*IpAddress::parse("192.0.2.1"), 2268};
  report.task = "nothing";
  report.gateways = 1000;
  report.channels = 2;
  report.complete = true;
  report.joining = seconds(2);
  report.total = seconds(10);
  report.cpu = seconds(1);
  Counters<LoadCounter>& counters = report.tally.counters;
  set(counters, LoadCounter::kQueriesReceived, 1000);
  set(counters, LoadCounter::kHandshakes, 1000);
  set(counters, LoadCounter::kJoins, 1000);
  set(counters, LoadCounter::kJoinsServed, 1000);
  report.at_complete = counters;
  set(report.at_complete, LoadCounter::kPackets, 2000);
  set(counters, LoadCounter::kPackets, 10'000);
  set(counters, LoadCounter::kBytes, 8'000'000);
  report.tally.handshake.add(milliseconds(4));
  report.tally.join.add(milliseconds(6));
  return report;
}

TEST(BenchReport, RatesAreOfTheTimeAfterTheLastGatewayHadItsAnswer) {
  const BenchReport report = served();
  const boost::json::object json = boost::json::parse(report.json()).as_object();
  // 8000 packets and 8 MB in 8 s; the handshakes in the 2 s before.
  EXPECT_DOUBLE_EQ(json.at("packets_per_second").as_double(), 1000);
  EXPECT_DOUBLE_EQ(json.at("bits_per_second").as_double(), 8e6);
  EXPECT_DOUBLE_EQ(json.at("handshakes_per_second").as_double(), 500);
  EXPECT_TRUE(json.at("complete").as_bool());
  EXPECT_EQ(json.at("counters").at("joins_served").to_number<int>(), 1000);
  EXPECT_EQ(json.at("handshake_milliseconds").at("count").to_number<int>(), 1);
}

TEST(BenchReport, RatesOfARunThatWasNotCompleteAreOfTheWholeTime) {
  BenchReport report = served();
  report.complete = false;
  const boost::json::object json = boost::json::parse(report.json()).as_object();
  EXPECT_DOUBLE_EQ(json.at("packets_per_second").as_double(), 1000);
  EXPECT_DOUBLE_EQ(json.at("handshakes_per_second").as_double(), 100);
}

TEST(BenchReport, ATaskOfRequestsCountsQueries) {
  BenchReport report = served();
  report.task = "requests";
  set(report.tally.counters, LoadCounter::kQueriesReceived, 5000);
  EXPECT_THAT(report.text(), HasSubstr("Requests answered    5000, 500/s"));
  report.task = "handshakes";
  EXPECT_THAT(report.text(), HasSubstr("handshakes           1000, 100/s"));
}

TEST(BenchReport, SaysNothingOfWhatDidNotHappen) {
  const std::string text = served().text();
  EXPECT_THAT(text, HasSubstr("1000 gateways, 2 channels, relay 192.0.2.1:2268, 10.0 s"));
  EXPECT_THAT(text, HasSubstr("1000 of 1000 brought data"));
  EXPECT_THAT(text, HasSubstr("1.00 s of CPU, 10 % of one core"));
  for (const char* const absent : {"What limits", "could not be sent", "repeated", "takes no more", "came faster",
                                   "brought no data", "damaged", "numbered", "channel changes"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
  EXPECT_THAT(served().shortfall(), IsEmpty());
}

TEST(BenchReport, NamesWhatLimited) {
  BenchReport report = served();
  report.cpu = milliseconds(9100);
  report.receive_drops = 3;
  report.send_errors = 4;
  Counters<LoadCounter>& counters = report.tally.counters;
  set(counters, LoadCounter::kRequestsRepeated, 5);
  set(counters, LoadCounter::kQueriesWithLimit, 6);
  set(counters, LoadCounter::kJoinsServed, 999);
  set(counters, LoadCounter::kDamaged, 7);
  set(counters, LoadCounter::kChannelChanges, 16);
  set(counters, LoadCounter::kNumbered, 100);
  set(counters, LoadCounter::kLost, 8);
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("What limits may be this side"));
  EXPECT_THAT(text, HasSubstr("3 packets came faster"));
  EXPECT_THAT(text, HasSubstr("4 messages could not be sent"));
  EXPECT_THAT(text, HasSubstr("5 Requests had to be repeated"));
  EXPECT_THAT(text, HasSubstr("6 Queries said that the relay takes no more gateways (--max-tunnels)"));
  EXPECT_THAT(text, HasSubstr("damaged              7"));
  EXPECT_THAT(text, HasSubstr("channel changes      16, 2/s"));
  EXPECT_THAT(text, HasSubstr("8 lost, 0 twice, 0 late, of 100"));
  EXPECT_THAT(text, HasSubstr("Joins that brought no data"));
}

TEST(BenchReport, FallsShortWhereAnswersOrDataAreMissing) {
  BenchReport report = served();
  set(report.tally.counters, LoadCounter::kJoinsServed, 900);
  EXPECT_THAT(report.shortfall(), IsEmpty());  // a tenth may still wait for its first packet
  set(report.tally.counters, LoadCounter::kJoinsServed, 899);
  EXPECT_THAT(report.shortfall(), HasSubstr("101 of 1000 joins brought no data; if these"));
  set(report.tally.counters, LoadCounter::kQueriesWithLimit, 9);
  report.complete = false;
  EXPECT_THAT(report.shortfall(), HasSubstr("not all of 1000 gateways had an answer, 9 answers refused (L flag), 101"));
}

TEST(BenchReport, WithoutDataNoJoinIsMissed) {
  BenchReport report = served();
  set(report.tally.counters, LoadCounter::kPackets, 0);
  set(report.tally.counters, LoadCounter::kJoinsServed, 0);
  EXPECT_THAT(report.shortfall(), IsEmpty());
  EXPECT_THAT(report.text(), Not(HasSubstr("brought data")));
}

TEST(BenchReport, TheLiveLineIsOfTheTimeSinceTheLastOne) {
  Counters<LoadCounter> before;
  Counters<LoadCounter> now;
  set(before, LoadCounter::kPackets, 100);
  set(now, LoadCounter::kPackets, 300);
  set(now, LoadCounter::kBytes, 250'000);
  set(now, LoadCounter::kQueriesReceived, 50);
  EXPECT_EQ(BenchReport::live_line(seconds(7), now, before, seconds(2)),
            "7 s: 25 Queries/s, 100 packets/s, 1.0 Mbit/s");
  EXPECT_EQ(BenchReport::live_line(seconds(0), now, before, seconds(0)), "0 s: 0 Queries/s, 0 packets/s, 0.0 Mbit/s");
}

}  // namespace
}  // namespace amt
