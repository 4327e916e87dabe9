/// What all tunnels of a ReplicationTable want together.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/random.hh"
#include "forward/replication_table.hh"
#include "membership/naive_merge.hh"

namespace amt {
namespace {

const IpAddress kGroup = *IpAddress::parse("239.1.1.1");
const IpAddress kA = *IpAddress::parse("198.51.100.1");
const IpAddress kB = *IpAddress::parse("198.51.100.2");
const IpAddress kC = *IpAddress::parse("198.51.100.3");
const IpAddress kD = *IpAddress::parse("198.51.100.4");

SourceFilter include(SourceList sources) { return {FilterMode::kInclude, std::move(sources)}; }
SourceFilter exclude(SourceList sources) { return {FilterMode::kExclude, std::move(sources)}; }
TunnelId id(std::size_t n) { return TunnelId{static_cast<std::uint32_t>(n)}; }

/// The change that comes of one call.
std::optional<FilterChange> apply(ReplicationTable& table, TunnelId tunnel, const FilterChange& change) {
  table.apply(tunnel, change);
  std::optional<FilterChange> merged = table.poll_change();
  EXPECT_FALSE(table.poll_change());
  return merged;
}

TEST(MergedFilter, IsToldOnlyWhereItChanges) {  // H-a, P-e
  ReplicationTable table(KeyedHash(), {});
  const auto first = apply(table, id(1), {kGroup, {}, include({kA})});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->before, SourceFilter{});
  EXPECT_EQ(first->after, include({kA}));
  EXPECT_FALSE(apply(table, id(2), {kGroup, {}, include({kA})}));
  EXPECT_FALSE(apply(table, id(1), {kGroup, include({kA}), {}}));
  const auto last = apply(table, id(2), {kGroup, include({kA}), {}});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->before, include({kA}));
  EXPECT_EQ(last->after, SourceFilter{});
}

TEST(MergedFilter, IsToldOnceHoweverOftenItChanged) {
  ReplicationTable table(KeyedHash(), {});
  table.apply(id(1), {kGroup, {}, include({kA})});
  table.apply(id(2), {kGroup, {}, exclude({})});
  table.apply(id(1), {kGroup, include({kA}), include({kA, kB})});
  table.apply(id(2), {kGroup, exclude({}), {}});
  const auto change = table.poll_change();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->before, SourceFilter{});
  EXPECT_EQ(change->after, include({kA, kB}));
  EXPECT_FALSE(table.poll_change());
  // What came and went again was nothing.
  table.apply(id(3), {kGroup, {}, include({kC})});
  table.apply(id(3), {kGroup, include({kC}), {}});
  EXPECT_FALSE(table.poll_change());
  table.apply(id(1), {kGroup, include({kA, kB}), {}});
  EXPECT_EQ(table.poll_change()->before, include({kA, kB}));
}

TEST(MergedFilter, AsksForAWholeGroupRatherThanForVeryManySources) {
  const IpAddress ssm = *IpAddress::parse("232.1.1.1");
  ReplicationTable table(KeyedHash(), {.sources_listed_max = 2, .ssm = SsmRange()});
  for (const IpAddress& group : {kGroup, ssm}) {
    EXPECT_EQ(apply(table, id(1), {group, {}, include({kA, kB})})->after, include({kA, kB}));
  }
  EXPECT_EQ(apply(table, id(2), {kGroup, {}, include({kC})})->after, exclude({}));
  EXPECT_EQ(apply(table, id(2), {ssm, {}, include({kC})})->after, include({kA, kB, kC}));
  EXPECT_FALSE(apply(table, id(3), {kGroup, {}, include({kD})}));
  EXPECT_FALSE(apply(table, id(3), {kGroup, include({kD}), {}}));
  // Nobody gets more for that.
  EXPECT_TRUE(table.find(kD, kGroup).empty());
  const auto back = apply(table, id(2), {kGroup, include({kC}), {}});
  EXPECT_EQ(back->before, exclude({}));
  EXPECT_EQ(back->after, include({kA, kB}));
  EXPECT_EQ(apply(table, id(4), {kGroup, {}, exclude({kB, kC, kD})})->after, exclude({kC, kD}));
}

TEST(MergedFilter, BlocksWhatAllExcludeAndNobodyIncludes) {  // H-a, P-d, P-c
  ReplicationTable table(KeyedHash(), {});
  EXPECT_EQ(apply(table, id(1), {kGroup, {}, exclude({kA, kB, kC})})->after, exclude({kA, kB, kC}));
  EXPECT_EQ(apply(table, id(2), {kGroup, {}, exclude({kB, kC, kD})})->after, exclude({kB, kC}));
  EXPECT_EQ(apply(table, id(3), {kGroup, {}, include({kC})})->after, exclude({kB}));
  EXPECT_EQ(apply(table, id(1), {kGroup, exclude({kA, kB, kC}), {}})->after, exclude({kB, kD}));
  EXPECT_EQ(apply(table, id(2), {kGroup, exclude({kB, kC, kD}), {}})->after, include({kC}));
}

TEST(MergedFilter, OfEachGroupIsShownAndTaken) {
  ReplicationTable table;
  std::map<IpAddress, SourceFilter> want;
  for (std::uint32_t i = 0; i < 1500; ++i) {
    const IpAddress group = IpAddress::from_v4(0xe8010000 + i);
    table.apply(id(i), {group, {}, include({kA, kB})});
    if (i % 3 == 0) {
      table.apply(id(i), {group, include({kA, kB}), {}});
    } else {
      want[group] = include({kA, kB});
    }
  }
  std::map<IpAddress, SourceFilter> seen;
  table.for_each_group([&](const IpAddress& group, const SourceFilter& filter) { seen[group] = filter; });
  EXPECT_EQ(seen, want);
  std::map<IpAddress, SourceFilter> taken;
  while (const auto change = table.take_group()) {
    EXPECT_EQ(change->after, SourceFilter{});
    taken[change->group] = change->before;
  }
  EXPECT_EQ(taken, want);
  EXPECT_TRUE(table.empty());
}

TEST(MergedFilter, AgreesWithANaiveMergeOfAllTunnels) {
  constexpr std::size_t kTunnels = 7;
  constexpr std::size_t kGroups = 3;
  constexpr std::size_t kSources = 6;
  SeededRandom random(7450);
  ReplicationTable table(KeyedHash(), {});
  std::array<std::vector<SourceFilter>, kGroups> filters;
  for (auto& of_group : filters) of_group.resize(kTunnels);
  std::array<SourceFilter, kGroups> told;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t g = random.below(kGroups);
    const IpAddress group = IpAddress::from_v4(0xef010100U + static_cast<std::uint32_t>(g));
    const std::size_t tunnel = random.below(kTunnels);
    SourceFilter next;
    if (random.below(3) == 0) next.mode = FilterMode::kExclude;
    if (random.below(4) != 0) {
      for (std::uint32_t s = 0; s < kSources; ++s) {
        if (random.below(2) == 0) next.sources.push_back(IpAddress::from_v4(0xc0000200U + s));
      }
    }
    SourceFilter& held = filters[g][tunnel];
    if (next == held) continue;
    table.apply(id(tunnel), {group, held, next});
    held = next;
    if (random.below(3) != 0) continue;
    while (const auto change = table.poll_change()) {
      const auto of = std::to_integer<std::size_t>(change->group.bytes().back());
      ASSERT_EQ(change->before, told[of]) << step;
      ASSERT_NE(change->before, change->after) << step;
      told[of] = change->after;
    }
    for (std::size_t i = 0; i < kGroups; ++i) ASSERT_EQ(told[i], merge_test::naive_merge(filters[i])) << step;
  }
}

}  // namespace
}  // namespace amt
