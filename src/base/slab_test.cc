#include "base/slab.hh"

#include <gtest/gtest.h>

#include <string>

namespace amt {
namespace {

TEST(Slab, UsesTheNumberThatWasErasedLastFirst) {
  Slab<std::string> slab;
  const std::uint32_t a = slab.insert("a");
  const std::uint32_t b = slab.insert("b");
  slab.erase(a);
  slab.erase(b);
  EXPECT_EQ(slab.size(), 0U);
  EXPECT_EQ(slab.insert("c"), b);
  EXPECT_EQ(slab.insert("d"), a);
  EXPECT_EQ(slab[a], "d");
}

TEST(Slab, LeavesObjectsWhereTheyAre) {
  Slab<int> slab;
  const int* const first = &slab[slab.insert(0)];
  for (int i = 1; i < 5000; ++i) slab.insert(int{i});
  EXPECT_EQ(first, &slab[0]);
  EXPECT_EQ(slab[4321], 4321);
}

TEST(Slab, WalksOverWhatIsThere) {
  Slab<int> slab;
  for (int i = 0; i < 2000; ++i) slab.insert(int{i});
  for (std::uint32_t id = 0; id < 2000; ++id) {
    if (id % 700 != 3) slab.erase(id);
  }
  std::vector<std::uint32_t> seen;
  slab.for_each([&](std::uint32_t id) { seen.push_back(id); });
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{3, 703, 1403}));
  EXPECT_EQ(slab.next(704), 1403U);
  EXPECT_EQ(slab.next(1404), std::nullopt);
}

TEST(SlabDeathTest, KnowsWhatIsGone) {
  Slab<int> slab;
  slab.erase(slab.insert(1));
  EXPECT_DEATH((void)slab[0], "assert");
  EXPECT_DEATH((void)slab[1], "assert");
  EXPECT_DEATH(slab.erase(0), "assert");
}

}  // namespace
}  // namespace amt
