#include "load/latency.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.hh"

namespace amt {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(LatencyHistogram, HasNoQuantileOfNothing) {
  const LatencyHistogram none;
  EXPECT_EQ(none.quantile(0.5), Duration::zero());
  EXPECT_EQ(none.max(), Duration::zero());
}

TEST(LatencyHistogram, KeepsSmallValuesExactly) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 30; ++i) histogram.add(Duration(i));
  EXPECT_EQ(histogram.quantile(0.5), Duration(15));
  EXPECT_EQ(histogram.quantile(1), Duration(30));
  EXPECT_EQ(histogram.quantile(0), Duration(1));
}

TEST(LatencyHistogram, IsNeverBelowTheTruthAndAtMostThreePercentAbove) {
  SeededRandom random(7);
  LatencyHistogram histogram;
  std::vector<Duration> all;
  for (int i = 0; i < 20'000; ++i) {
    // From nanoseconds to minutes, each order of magnitude as likely.
    all.push_back(Duration(static_cast<Duration::rep>(random.below(std::uint64_t{1} << (1 + random.below(39))))));
    histogram.add(all.back());
  }
  std::ranges::sort(all);
  for (const double part : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const Duration truth = all[static_cast<std::size_t>(part * static_cast<double>(all.size())) - 1];
    EXPECT_GE(histogram.quantile(part), truth) << part;
    EXPECT_LE(histogram.quantile(part), truth + truth / 31 + Duration(1)) << part;
  }
  EXPECT_EQ(histogram.max(), all.back());
}

TEST(LatencyHistogram, NamesNoQuantileAboveTheLargest) {
  LatencyHistogram histogram;
  histogram.add(microseconds(1000));
  EXPECT_EQ(histogram.quantile(0.99), milliseconds(1));
}

TEST(LatencyHistogram, TakesWhatIsBelowZeroOrBeyondItsEnd) {
  LatencyHistogram histogram;
  histogram.add(-milliseconds(5));
  histogram.add(std::chrono::hours(10));
  EXPECT_EQ(histogram.quantile(0.5), Duration::zero());
  EXPECT_EQ(histogram.max(), std::chrono::hours(10));
  EXPECT_LE(histogram.quantile(1), std::chrono::hours(10));
}

}  // namespace
}  // namespace amt
