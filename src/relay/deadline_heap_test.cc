#include "relay/deadline_heap.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.hh"

namespace amt {
namespace {

TEST(DeadlineHeap, HasNoDeadlineWhenItIsEmpty) {
  const DeadlineHeap heap;
  EXPECT_EQ(heap.next(), kNoDeadline);
}

TEST(DeadlineHeap, AgreesWithANaiveModel) {
  SeededRandom random(1);
  DeadlineHeap heap;
  std::map<TunnelId, Instant> model;
  for (int step = 0; step < 5'000; ++step) {
    const TunnelId id{static_cast<std::uint32_t>(random.below(300))};
    if (model.contains(id) && random.below(2) == 0) {
      heap.remove(id);
      model.erase(id);
    } else {
      const Instant at{std::chrono::seconds(random.below(1000))};
      heap.set(id, at);
      model[id] = at;
    }
    ASSERT_EQ(heap.size(), model.size());
    if (model.empty()) continue;
    const auto first = std::ranges::min_element(model, {}, [](const auto& entry) { return entry.second; });
    ASSERT_EQ(heap.next(), first->second);
    ASSERT_EQ(model.at(heap.next_id()), heap.next());
    if (model.contains(id)) {
      ASSERT_EQ(heap.of(id), model.at(id));
    }
  }
}

}  // namespace
}  // namespace amt
