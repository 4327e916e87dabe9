#include "base/slab.hh"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.hh"

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

TEST(Slab, GivesBackTheRoomOfThoseThatWent) {
  Slab<int> slab;
  for (int i = 0; i < 6400; ++i) slab.insert(int{i});
  EXPECT_EQ(slab.capacity(), 6400U);
  for (std::uint32_t id = 0; id < 6400; ++id) {
    if (id != 1000) slab.erase(id);
  }
  EXPECT_EQ(slab[1000], 1000);
  EXPECT_LE(slab.capacity(), 2 * 64U);
  EXPECT_EQ(slab.next(0), 1000U);
  EXPECT_FALSE(slab.contains(5000));
  for (int i = 0; i < 6399; ++i) EXPECT_LT(slab.insert(int{i}), 6400U);
  EXPECT_EQ(slab.size(), 6400U);
}

TEST(Slab, AgreesWithAMap) {
  SeededRandom random(5);
  Slab<std::uint64_t> slab;
  std::map<std::uint32_t, std::uint64_t> held;
  for (std::uint64_t step = 0; step < 40'000; ++step) {
    // Long phases of growing and of shrinking.
    if (random.below(10) < (step / 4000 % 2 == 0 ? 7U : 3U)) {
      const std::uint32_t id = slab.insert(std::uint64_t{step});
      ASSERT_TRUE(held.emplace(id, step).second);
    } else if (!held.empty()) {
      const auto gone = std::next(held.begin(), static_cast<std::ptrdiff_t>(random.below(held.size())));
      ASSERT_EQ(slab[gone->first], gone->second);
      slab.erase(gone->first);
      held.erase(gone);
    }
  }
  std::map<std::uint32_t, std::uint64_t> seen;
  slab.for_each([&](std::uint32_t id) { seen.emplace(id, slab[id]); });
  EXPECT_EQ(seen, held);
}

TEST(SlabDeathTest, KnowsWhatIsGone) {
  Slab<int> slab;
  slab.erase(slab.insert(1));
  EXPECT_DEATH((void)slab[0], "assert");
  EXPECT_DEATH((void)slab[1], "assert");
  EXPECT_DEATH((void)slab[64], "assert");
  EXPECT_DEATH(slab.erase(0), "assert");
}

}  // namespace
}  // namespace amt
