/// What a RouterState costs: a relay holds one per tunnel, a million of them.
#include <gtest/gtest.h>
#include <malloc.h>

#include "membership/router_test_support.hh"

namespace amt {
namespace {

using namespace router_test;

static_assert(sizeof(RouterState) <= 80);

std::size_t heap_in_use() { return mallinfo2().uordblks; }

TEST(RouterMemory, OneGroupWithOneSourceTakesNothingFromTheHeap) {
  constexpr std::size_t kStates = 10'000;
  const RouterOptions options;
  std::vector<RouterState> states;
  states.reserve(kStates);
  std::vector<FilterChange> changes;
  changes.reserve(1);
  const GroupReport join = report(RecordType::kAllowNewSources, sources({1}));
  for (std::size_t i = 0; i < kStates; ++i) states.emplace_back(options);
  const std::size_t empty = heap_in_use();
  for (RouterState& state : states) {
    (void)state.handle_report(at(0), join, changes);
    changes.clear();
  }
  EXPECT_EQ(heap_in_use(), empty);
  for (RouterState& state : states) {
    (void)state.handle_report(at(0), report(RecordType::kAllowNewSources, sources({2})), changes);
    changes.clear();
  }
  if (heap_in_use() == empty) GTEST_SKIP() << "this build's allocator does not say what it holds";
}

}  // namespace
}  // namespace amt
