#include "engine/relay/memory_return.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

constexpr std::size_t kMany = Exodus::kMany;

TEST(Exodus, IsOverWhenManyHaveGoneAndNoMoreAreGoing) {
  Exodus exodus;
  EXPECT_FALSE(exodus.is_over(3 * kMany));
  EXPECT_FALSE(exodus.is_over(2 * kMany));
  EXPECT_FALSE(exodus.is_over(kMany / 2));
  EXPECT_TRUE(exodus.is_over(kMany / 2 - 5));
  EXPECT_FALSE(exodus.is_over(kMany / 2 - 10)) << "that one has been told of";
}

TEST(Exodus, IsMadeOfSmallStepsToo) {
  Exodus exodus;
  int over = 0;
  for (std::size_t left = 2 * kMany; left > 0; left -= 64) over += exodus.is_over(left) ? 1 : 0;
  EXPECT_EQ(over, 1);
}

TEST(Exodus, IsNoneWhereTheyComeAndGo) {
  Exodus exodus;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(exodus.is_over(i % 2 == 0 ? 5 * kMany : 4 * kMany + 1));
}

}  // namespace
}  // namespace amt
