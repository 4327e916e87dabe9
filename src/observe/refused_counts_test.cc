#include "observe/refused_counts.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::seconds;

std::uint64_t sum_of(const std::vector<RefusedCounts::Refused>& list) {
  std::uint64_t sum = 0;
  for (const RefusedCounts::Refused& one : list) sum += one.count;
  return sum;
}

TEST(RefusedCounts, TellsTheFirstAtOnceAndTheRestOnceAMinute) {
  Counters<RelayReject> counters;
  RefusedCounts refused;
  Instant now{seconds(1000)};
  EXPECT_TRUE(refused.take(now, counters).empty());
  counters.add(RelayReject::kBadMac, 3);
  const auto first = refused.take(now, counters);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].reason, RelayReject::kBadMac);
  EXPECT_EQ(first[0].count, 3U);
  counters.add(RelayReject::kBadMac, 5);
  EXPECT_TRUE(refused.take(now + seconds(59), counters).empty());
  // Each reason has its own minute.
  counters.add(RelayReject::kTunnelLimit);
  EXPECT_EQ(sum_of(refused.take(now + seconds(59), counters)), 1U);
  EXPECT_EQ(sum_of(refused.take(now + seconds(60), counters)), 5U);
  EXPECT_TRUE(refused.take(now + seconds(200), counters).empty());
}

TEST(RefusedCounts, TellsAllInTheEnd) {
  Counters<RelayReject> counters;
  RefusedCounts refused;
  std::uint64_t told = 0;
  for (int second = 0; second < 100; ++second) {
    counters.add(RelayReject::kBadMac);
    counters.add(RelayReject::kEmpty, 2);
    told += sum_of(refused.take(Instant(seconds(second)), counters));
  }
  told += sum_of(refused.take_rest(counters));
  EXPECT_EQ(told, 300U);
  EXPECT_TRUE(refused.take_rest(counters).empty());
}

}  // namespace
}  // namespace amt
