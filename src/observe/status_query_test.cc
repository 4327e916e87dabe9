#include "observe/status_query.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "observe/top_rows.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StatusQuery, AsksForEverythingWhereNothingIsSaid) {
  const StatusQuery query = *StatusQuery::parse("");
  EXPECT_TRUE(query.counters && query.tunnels && query.channels && query.memberships);
  EXPECT_FALSE(query.sort || query.group || query.address || query.after || query.paged);
}

TEST(StatusQuery, LeavesListsOut) {
  const StatusQuery query = *StatusQuery::parse("tunnels=0&channels=0");
  EXPECT_TRUE(query.counters && query.memberships);
  EXPECT_FALSE(query.tunnels || query.channels);
  const StatusQuery one = *StatusQuery::parse("list=channels");
  EXPECT_TRUE(one.channels);
  EXPECT_FALSE(one.counters || one.tunnels || one.memberships);
}

TEST(StatusQuery, SortsByOctetsWhereOnlyANumberIsGiven) {
  EXPECT_EQ(StatusQuery::parse("top=5")->sort, SortKey::kBytes);
  EXPECT_EQ(StatusQuery::parse("top=5")->top, 5U);
  EXPECT_EQ(StatusQuery::parse("sort=heard&top=5")->sort, SortKey::kHeard);
  EXPECT_EQ(StatusQuery::parse("top=5&sort=heard")->sort, SortKey::kHeard);
  EXPECT_EQ(StatusQuery::parse("sort=since")->top, kSortedRowsMax);
}

TEST(StatusQuery, PagesByEndpointEncodedOrNot) {
  const Endpoint after = *Endpoint::parse("[2001:db8::1]:2268", 0);
  EXPECT_EQ(StatusQuery::parse("limit=10&after=[2001:db8::1]:2268")->after, after);
  EXPECT_EQ(StatusQuery::parse("limit=10&after=%5B2001%3Adb8::1%5d:2268")->after, after);
  EXPECT_EQ(StatusQuery::parse("limit=10")->top, 10U);
  EXPECT_TRUE(StatusQuery::parse("limit=10")->paged);
}

TEST(StatusQuery, FiltersByPrefixOrAddress) {
  EXPECT_EQ(StatusQuery::parse("group=232.1.0.0%2F16")->group, Prefix::parse("232.1.0.0/16"));
  EXPECT_EQ(StatusQuery::parse("address=2001:db8::1")->address, Prefix::parse("2001:db8::1/128"));
}

TEST(StatusQuery, SaysWhatIsWrong) {
  EXPECT_EQ(StatusQuery::parse("tunnels=2").error(), "tunnels=2: 0 or 1");
  EXPECT_EQ(StatusQuery::parse("top=0").error(), "top=0: a number from 1 to 10000");
  EXPECT_EQ(StatusQuery::parse("limit=10001").error(), "limit=10001: a number from 1 to 10000");
  EXPECT_EQ(StatusQuery::parse("top=5x").error(), "top=5x: a number from 1 to 10000");
  EXPECT_THAT(StatusQuery::parse("sort=age").error(), HasSubstr("sort=age: one of address, packets"));
  EXPECT_THAT(StatusQuery::parse("group=nobody").error(), HasSubstr("group=nobody: an address"));
  EXPECT_THAT(StatusQuery::parse("after=1.2.3.4%").error(), HasSubstr("ADDRESS:PORT"));
  EXPECT_THAT(StatusQuery::parse("list=relays").error(), HasSubstr("memberships"));
  EXPECT_THAT(StatusQuery::parse("x").error(), HasSubstr("x: not known; there are list"));
  EXPECT_THAT(StatusQuery::parse("limit=5&sort=bytes").error(), HasSubstr("limit and after"));
}

TEST(TopRows, KeepsTheFirstWhateverComes) {
  TopRows<int> top(3, [](int a, int b) { return a > b; });
  for (const int number : {5, 1, 9, 3, 7, 2, 8}) top.add(number);
  EXPECT_THAT(top.take_sorted(), ElementsAre(9, 8, 7));
  EXPECT_THAT(top.take_sorted(), ElementsAre());
  TopRows<int> few(3, [](int a, int b) { return a > b; });
  few.add(4);
  few.add(6);
  EXPECT_THAT(few.take_sorted(), ElementsAre(6, 4));
}

}  // namespace
}  // namespace amt
