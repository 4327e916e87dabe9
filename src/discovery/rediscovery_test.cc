#include "discovery/rediscovery.hh"

#include <gtest/gtest.h>
#include <algorithm>
#include <vector>

#include "discovery/hold_downs.hh"
#include "discovery/query_budget.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const IpAddress kRelay = *IpAddress::parse("192.0.2.1");
const IpAddress kSource = *IpAddress::parse("198.51.100.1");

class RediscoveryTest : public testing::Test {
 protected:
  SeededRandom random{7};
  Instant now = Instant() + std::chrono::hours(1);
  Rediscovery rediscovery{{}, random};
};

TEST_F(RediscoveryTest, NoTrafficForWhatWasReportedRestarts) {  // D-3.3.4.1-a, D-3.3.2-a
  rediscovery.handle_reported(now);
  const Instant due = rediscovery.next_deadline();
  EXPECT_GE(due, now + seconds(4));
  EXPECT_LE(due, now + seconds(8));
  EXPECT_FALSE(rediscovery.poll_restart(due - milliseconds(1)));
  EXPECT_EQ(rediscovery.poll_restart(due), RestartReason::kNoTraffic);
  EXPECT_FALSE(rediscovery.poll_restart(due + seconds(1)));
  EXPECT_EQ(rediscovery.next_deadline(), kNoDeadline);
}

TEST_F(RediscoveryTest, GatewaysThatMissOneSourceDoNotLeaveTogether) {  // D-3.3.4.1-a
  Instant first = kNoDeadline;
  Instant last{};
  for (int i = 0; i < 100; ++i) {
    Rediscovery one({}, random);
    one.handle_reported(now);
    first = std::min(first, one.next_deadline());
    last = std::max(last, one.next_deadline());
  }
  EXPECT_GT(last - first, seconds(3));
}

TEST_F(RediscoveryTest, FruitlessRestartsBackOffTo120Seconds) {  // D-3.3.4.1-a
  Duration longest{};
  for (int round = 0; round < 100; ++round) {
    rediscovery.handle_reported(now);
    const Duration patience = rediscovery.next_deadline() - now;
    EXPECT_GE(patience, seconds(4));
    EXPECT_LE(patience, round < 4 ? seconds(8 << round) : seconds(120));
    longest = std::max(longest, patience);
    now = rediscovery.next_deadline();
    EXPECT_TRUE(rediscovery.poll_restart(now));
  }
  EXPECT_GT(longest, seconds(100));
  rediscovery.handle_reported(now);
  rediscovery.handle_traffic();
  rediscovery.handle_left();
  rediscovery.handle_reported(now);
  EXPECT_LE(rediscovery.next_deadline(), now + seconds(8));  // a relay that delivered ends the series
}

TEST_F(RediscoveryTest, TrafficEndsThePatience) {  // D-3.3.3-a
  rediscovery.handle_reported(now);
  rediscovery.handle_traffic();
  EXPECT_EQ(rediscovery.next_deadline(), kNoDeadline);
  rediscovery.handle_reported(now + seconds(60));  // a further report, as routine Requests draw them
  EXPECT_EQ(rediscovery.next_deadline(), kNoDeadline);
}

TEST_F(RediscoveryTest, NothingReportedNothingMissed) {
  rediscovery.handle_reported(now);
  rediscovery.handle_left();
  EXPECT_EQ(rediscovery.next_deadline(), kNoDeadline);
}

TEST_F(RediscoveryTest, FurtherReportsDoNotProlongThePatience) {
  rediscovery.handle_reported(now);
  const Instant due = rediscovery.next_deadline();
  rediscovery.handle_reported(now + seconds(3));
  EXPECT_EQ(rediscovery.next_deadline(), due);
}

TEST_F(RediscoveryTest, LimitRestartsAlsoWhenTheRelayDelivers) {  // D-3.3.5-b
  rediscovery.handle_limit(now);
  EXPECT_EQ(rediscovery.poll_restart(now), RestartReason::kLimit);
  rediscovery.handle_traffic();
  rediscovery.handle_limit(now);
  EXPECT_EQ(rediscovery.poll_restart(now), RestartReason::kLimit);
}

TEST_F(RediscoveryTest, EventsThatCannotWaitRestartAtOnce) {  // D-3.3.2-a
  rediscovery.handle_unserved(now);
  EXPECT_EQ(rediscovery.poll_restart(now), RestartReason::kFirstSubscription);
  rediscovery.handle_silent(now);
  EXPECT_EQ(rediscovery.poll_restart(now), RestartReason::kRelaySilent);
  rediscovery.handle_reported(now);
  rediscovery.handle_network_change(now);
  EXPECT_EQ(rediscovery.poll_restart(now), RestartReason::kNetworkChanged);
  EXPECT_EQ(rediscovery.next_deadline(), kNoDeadline);
}

TEST_F(RediscoveryTest, TunnelsAreJudgedApart) {  // D-3.3.7-a
  Rediscovery other({}, random);
  rediscovery.handle_reported(now);
  EXPECT_EQ(other.next_deadline(), kNoDeadline);
}

TEST(HoldDowns, AfterTheLimitFlagTenMinutes) {  // D-3.3.5-b
  HoldDowns held;
  const Instant now = Instant() + minutes(60);
  held.hold_after_limit(now, kRelay);
  EXPECT_TRUE(held.is_refusing(now + minutes(10) - seconds(1), kRelay));
  EXPECT_FALSE(held.is_refusing(now + minutes(10), kRelay));
  EXPECT_FALSE(held.is_refusing(now, *IpAddress::parse("192.0.2.2")));
}

TEST(HoldDowns, AfterNoTrafficThreeToTenMinutes) {  // D-3.3.4.1-b, X-10-12
  SeededRandom random(3);
  const Instant now = Instant() + minutes(60);
  bool before_five = false;
  bool after_eight = false;
  for (int i = 0; i < 100; ++i) {
    HoldDowns held;
    held.hold_after_no_traffic(now, kRelay, kSource, random);
    EXPECT_TRUE(held.is_fruitless(now + minutes(3) - seconds(1), kRelay, kSource));
    EXPECT_FALSE(held.is_fruitless(now + minutes(10), kRelay, kSource));
    before_five |= !held.is_fruitless(now + minutes(5), kRelay, kSource);
    after_eight |= held.is_fruitless(now + minutes(8), kRelay, kSource);
  }
  EXPECT_TRUE(before_five && after_eight);
}

TEST(HoldDowns, WantOfTrafficConcernsOneSource) {  // D-3.3.7-a
  SeededRandom random(3);
  HoldDowns held;
  const Instant now = Instant() + minutes(60);
  held.hold_after_no_traffic(now, kRelay, kSource, random);
  EXPECT_FALSE(held.is_fruitless(now, kRelay, *IpAddress::parse("198.51.100.2")));
  EXPECT_FALSE(held.is_fruitless(now, kRelay, std::nullopt));
  EXPECT_FALSE(held.is_refusing(now, kRelay));
}

TEST(HoldDowns, ALaterOneDoesNotShorten) {
  HoldDowns held;
  const Instant now = Instant() + minutes(60);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SeededRandom random(seed);
    held.hold_after_no_traffic(now, kRelay, kSource, random);
  }
  EXPECT_TRUE(held.is_fruitless(now + minutes(9), kRelay, kSource));
}

TEST(HoldDowns, NumberIsBounded) {
  HoldDowns held;
  const Instant now = Instant() + minutes(60);
  for (std::uint32_t i = 0; i <= HoldDowns::kHoldsMax; ++i) {
    held.hold_after_limit(now + milliseconds(i), IpAddress::from_v4(0xc0000000 + i));
  }
  EXPECT_FALSE(held.is_refusing(now, IpAddress::from_v4(0xc0000000)));  // the one that ends first made room
  EXPECT_TRUE(held.is_refusing(now, IpAddress::from_v4(0xc0000000 + HoldDowns::kHoldsMax)));
}

TEST(QueryBudget, NoWindowOf100MillisecondsHasMoreThanTen) {  // D-3.2.2-a
  QueryBudget budget;
  Instant now = Instant() + seconds(1);
  std::vector<Instant> sent;
  for (int step = 0; step < 1000; ++step, now += milliseconds(3)) {
    while (budget.next_allowed() <= now) {
      budget.spend(now);
      sent.push_back(now);
    }
  }
  for (std::size_t i = QueryBudget::kQueriesMax; i < sent.size(); ++i) {
    EXPECT_GE(sent[i] - sent[i - QueryBudget::kQueriesMax], milliseconds(100));
  }
  EXPECT_GT(sent.size(), 250U);  // and what is allowed is used
}

}  // namespace
}  // namespace amt
