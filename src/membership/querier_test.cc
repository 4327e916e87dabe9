#include "membership/querier.hh"

#include "membership/querier_test_support.hh"

namespace amt {
namespace {

using namespace querier_test;
using router_test::source;
using router_test::sources;

const IpAddress kSelf = a("192.0.2.10");
const IpAddress kLower = a("192.0.2.9");
const IpAddress kHigher = a("192.0.2.11");
const IpAddress kHost = a("192.0.2.50");
const IpAddress kGroup = a("239.1.1.1");
const IpAddress kSsm = a("232.1.1.1");
const IpAddress kNone = IpAddress::unspecified(Family::kIpv4);

GroupQuery general(std::uint8_t robustness = 2, Duration interval = 125s) {
  GroupQuery query;
  query.group = kNone;
  query.max_response_time = 10s;
  query.robustness = robustness;
  query.query_interval = interval;
  return query;
}
class QuerierLink : public testing::Test, protected Link {};

/// After the startup queries, with an address.
class RunningQuerier : public QuerierLink {
 protected:
  RunningQuerier() {
    set_address(kSelf);
    run_to(100s);
    EXPECT_EQ(sent(), "0 Q | 31250 Q");
  }
};

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

TEST_F(RunningQuerier, GivesWayToALowerAddress) {  // I-i
  EXPECT_TRUE(receive(write_query(kLower, general())));
  EXPECT_FALSE(querier.is_querier());
  EXPECT_EQ(querier.querier(), kLower);
  run_to(350s);
  EXPECT_EQ(sent(), "");
}

}  // namespace
}  // namespace amt
