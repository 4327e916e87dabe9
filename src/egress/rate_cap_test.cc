#include "egress/rate_cap.hh"

#include <gtest/gtest.h>

#include <thread>

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = RateCap::Verdict;

constexpr TunnelId kOne{1};
constexpr TunnelId kOther{70};

/// Octets that pass within `duration` when `octets` are offered every millisecond.
std::size_t passed(RateCap& cap, Instant& now, Duration duration, TunnelId tunnel, std::size_t octets) {
  std::size_t sum = 0;
  for (const Instant end = now + duration; now < end; now += milliseconds(1)) {
    if (cap.admit(now, tunnel, octets) == Verdict::kGo) sum += octets;
  }
  return sum;
}

TEST(RateCap, IsOffUnlessARateIsGiven) {
  EXPECT_FALSE(RateCap({}).is_on());
  EXPECT_TRUE(RateCap({.tunnel_bits_per_second = 1}).is_on());
  EXPECT_TRUE(RateCap({.total = std::make_shared<TotalRateCap>(1)}).is_on());
}

// R-4.1.4.2-a
TEST(RateCap, LetsARatePassAndNoMore) {
  RateCap cap({.tunnel_bits_per_second = 8'000'000});
  Instant now = Instant() + seconds(100);
  // A tenth of a second's worth at once, and then the rate: 1 octet a microsecond.
  const std::size_t sum = passed(cap, now, seconds(10), kOne, 1400);
  EXPECT_GE(sum, 10'000'000U);
  EXPECT_LE(sum, 10'000'000U + 110'000U);
}

TEST(RateCap, LeavesAStreamBelowTheRateAlone) {
  RateCap cap({.tunnel_bits_per_second = 8'000'000, .total = std::make_shared<TotalRateCap>(20'000'000)});
  Instant now = Instant() + seconds(100);
  EXPECT_EQ(passed(cap, now, seconds(10), kOne, 900), 900U * 10'000);
}

TEST(RateCap, HoldsEachTunnelToItsOwnRate) {
  RateCap cap({.tunnel_bits_per_second = 80'000});
  const Instant now = Instant() + seconds(100);
  while (cap.admit(now, kOne, 1400) == Verdict::kGo) {
  }
  EXPECT_EQ(cap.admit(now, kOne, 1400), Verdict::kTunnelFull);
  EXPECT_EQ(cap.admit(now, kOther, 1400), Verdict::kGo);
}

TEST(RateCap, HoldsAllTogetherAndTakesNothingFromTheRefused) {
  RateCap cap({.tunnel_bits_per_second = 1'000'000'000, .total = std::make_shared<TotalRateCap>(8'000'000)});
  Instant now = Instant() + seconds(100);
  while (cap.admit(now, kOne, 1400) == Verdict::kGo) {
  }
  for (int i = 0; i < 1'000'000; ++i) ASSERT_EQ(cap.admit(now, kOther, 1400), Verdict::kTotalFull);
  now += seconds(1);
  EXPECT_EQ(cap.admit(now, kOther, 1400), Verdict::kGo);
}

TEST(RateCap, IsOneForAllWorkers) {
  const auto total = std::make_shared<TotalRateCap>(8'000'000);
  const Instant now = Instant() + seconds(100);
  std::atomic<std::size_t> passed = 0;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&] {
      RateCap cap({.total = total});
      for (int i = 0; i < 10'000; ++i) {
        if (cap.admit(now, kOne, 100) == Verdict::kGo) passed += 100;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(passed, 100'000U);
}

TEST(RateCap, LetsTheLargestDatagramPassAtTheLowestRate) {
  RateCap cap({.tunnel_bits_per_second = 1});
  EXPECT_EQ(cap.admit(Instant() + seconds(100), kOne, 65'575), Verdict::kGo);
  EXPECT_EQ(cap.admit(Instant() + seconds(101), kOne, 100), Verdict::kTunnelFull);
}

}  // namespace
}  // namespace amt
