#include "base/backoff.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace amt {
namespace {

using std::chrono::seconds;

TEST(Backoff, StaysInTheWindowOfEachTry) {  // D-3.5-a, R-5.2.3.4.3-a, R-5.2.3.5.3-a
  SeededRandom random(5);
  EXPECT_EQ(random_backoff(random, seconds(1), seconds(120), 0), seconds(1));
  for (std::uint32_t k = 1; k < 40; ++k) {
    Duration longest{};
    for (int i = 0; i < 200; ++i) {
      const Duration wait = random_backoff(random, seconds(1), seconds(120), k);
      EXPECT_GE(wait, seconds(1));
      EXPECT_LE(wait, k < 7 ? seconds(1 << k) : seconds(120));
      longest = std::max(longest, wait);
    }
    EXPECT_GT(longest, (k < 7 ? seconds(1 << k) : seconds(120)) * 9 / 10);
  }
}

}  // namespace
}  // namespace amt
