#include "base/id_index.hh"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.hh"

namespace amt {
namespace {

/// Hashes with few homes: long runs of slots that run into each other and over the end.
std::uint64_t clumsy_hash(std::uint32_t key) { return (key % 7 == 0 ? 0xffffffffULL : key % 5 * 0x3fffffffULL) << 32; }

TEST(IdIndex, AgreesWithAMapWhateverTheHash) {
  SeededRandom random(3);
  for (const bool clumsy : {false, true}) {
    const auto hash = [&](std::uint32_t key) { return clumsy ? clumsy_hash(key) : key * 0x9e3779b97f4a7c15U; };
    IdIndex index;
    std::map<std::uint32_t, std::uint32_t> id_of;
    std::vector<std::uint32_t> key_of;
    for (int step = 0; step < 20'000; ++step) {
      const auto key = static_cast<std::uint32_t>(random.below(300));
      const auto is_it = [&](std::uint32_t id) { return key_of[id] == key; };
      const auto known = id_of.find(key);
      ASSERT_EQ(index.find(hash(key), is_it), known == id_of.end() ? std::nullopt : std::optional(known->second));
      // Long phases of growing and of shrinking.
      const bool grow = random.below(10) < (step / 2000 % 2 == 0 ? 8U : 3U);
      if (known == id_of.end() && grow) {
        id_of[key] = static_cast<std::uint32_t>(key_of.size());
        index.insert(hash(key), id_of[key]);
        key_of.push_back(key);
      } else if (known != id_of.end() && !grow) {
        index.erase(hash(key), known->second);
        id_of.erase(known);
      }
      ASSERT_EQ(index.size(), id_of.size());
    }
  }
}

TEST(IdIndex, GivesRoomBackButNotWhatWasReserved) {
  const auto hash = [](std::uint32_t id) { return id * 0x9e3779b97f4a7c15U; };
  for (const std::size_t reserved : {0U, 5000U}) {
    IdIndex index;
    index.reserve(reserved);
    const std::size_t least = index.octets();
    for (std::uint32_t id = 0; id < 50'000; ++id) index.insert(hash(id), id);
    const std::size_t full = index.octets();
    for (std::uint32_t id = 10; id < 50'000; ++id) index.erase(hash(id), id);
    EXPECT_GE(index.octets(), least);
    EXPECT_LT(index.octets(), std::max<std::size_t>(2 * least + 1, full / 100));
    for (std::uint32_t id = 0; id < 10; ++id) EXPECT_EQ(index.guess(hash(id)), id);
  }
}

TEST(IdIndexDeathTest, ErasesOnlyWhatIsThere) {
  IdIndex index;
  EXPECT_DEATH(index.erase(1, 1), "assert");
  index.insert(1, 1);
  EXPECT_DEATH(index.erase(1, 2), "assert");
}

}  // namespace
}  // namespace amt
