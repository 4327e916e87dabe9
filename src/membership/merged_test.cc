#include "membership/merged.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/random.hh"
#include "membership/naive_merge.hh"

namespace amt {
namespace {

IpAddress a(const char* text) { return *IpAddress::parse(text); }

const IpAddress kGroup = a("239.1.1.1");
const IpAddress k1 = a("192.0.2.1");
const IpAddress k2 = a("192.0.2.2");
const IpAddress k3 = a("192.0.2.3");

SourceFilter include(SourceList list) { return {FilterMode::kInclude, std::move(list)}; }
SourceFilter exclude(SourceList list) { return {FilterMode::kExclude, std::move(list)}; }

TEST(MergedMembership, IncludesAddUp) {  // H-a
  MergedMembership merged;
  const auto first = merged.apply({kGroup, {}, include({k1})});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->before, SourceFilter{});
  EXPECT_EQ(first->after, include({k1}));
  EXPECT_EQ(merged.apply({kGroup, {}, include({k1, k2})})->after, include({k1, k2}));
  EXPECT_EQ(merged.filter(kGroup), include({k1, k2}));
}

TEST(MergedMembership, SecondPartyOfTheSameFilterChangesNothing) {
  MergedMembership merged;
  EXPECT_TRUE(merged.apply({kGroup, {}, include({k1})}));
  EXPECT_FALSE(merged.apply({kGroup, {}, include({k1})}));
  EXPECT_FALSE(merged.apply({kGroup, include({k1}), {}}));
  EXPECT_EQ(merged.filter(kGroup), include({k1}));
  EXPECT_EQ(merged.apply({kGroup, include({k1}), {}})->after, SourceFilter{});
  EXPECT_EQ(merged.group_count(), 0U);
}

// RFC 3376 §3.2, the three examples of one interface: "from socket s1: ( i, m, EXCLUDE, {a, b, c, d} ) ..."
TEST(MergedMembership, FollowsTheExampleOfRfc3376) {  // H-a, P-d, P-c
  const IpAddress ka = a("10.0.0.1");
  const IpAddress kb = a("10.0.0.2");
  const IpAddress kc = a("10.0.0.3");
  const IpAddress kd = a("10.0.0.4");
  const IpAddress ke = a("10.0.0.5");
  const IpAddress kf = a("10.0.0.6");
  MergedMembership merged;
  (void)merged.apply({kGroup, {}, exclude({ka, kb, kc, kd})});
  (void)merged.apply({kGroup, {}, exclude({kb, kc, kd, ke})});
  (void)merged.apply({kGroup, {}, include({kd, ke, kf})});
  EXPECT_EQ(merged.filter(kGroup), exclude({kb, kc}));
}

TEST(MergedMembership, LastExcluderLeavesTheIncludesBehind) {
  MergedMembership merged;
  (void)merged.apply({kGroup, {}, include({k1, k2})});
  (void)merged.apply({kGroup, {}, exclude({k2, k3})});
  EXPECT_EQ(merged.filter(kGroup), exclude({k3}));
  EXPECT_EQ(merged.apply({kGroup, exclude({k2, k3}), {}})->after, include({k1, k2}));
}

TEST(MergedMembership, VisitsEveryGroupAscending) {
  MergedMembership merged;
  (void)merged.apply({a("239.1.1.2"), {}, exclude({})});
  (void)merged.apply({kGroup, {}, include({k1})});
  std::vector<IpAddress> seen;
  merged.for_each_group([&](const IpAddress& group, const SourceFilter&) { seen.push_back(group); });
  EXPECT_EQ(seen, (std::vector<IpAddress>{kGroup, a("239.1.1.2")}));
}

TEST(MergedMembership, AgreesWithANaiveMergeOfAllParties) {
  constexpr std::size_t kParties = 7;
  constexpr std::size_t kGroups = 3;
  constexpr std::size_t kSources = 6;
  SeededRandom random(7450);
  MergedMembership merged;
  std::array<std::vector<SourceFilter>, kGroups> parties;
  for (auto& of_group : parties) of_group.resize(kParties);
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t g = random.below(kGroups);
    const IpAddress group = IpAddress::from_v4(0xef010100U + static_cast<std::uint32_t>(g));
    SourceFilter& party = parties[g][random.below(kParties)];
    SourceFilter next;
    if (random.below(3) == 0) next.mode = FilterMode::kExclude;
    if (random.below(4) != 0) {
      for (std::uint32_t s = 0; s < kSources; ++s) {
        if (random.below(2) == 0) next.sources.push_back(IpAddress::from_v4(0xc0000200U + s));
      }
    }
    if (next == party) continue;
    const SourceFilter before = merge_test::naive_merge(parties[g]);
    const auto change = merged.apply({group, party, next});
    party = next;
    const SourceFilter after = merge_test::naive_merge(parties[g]);
    ASSERT_EQ(change.has_value(), before != after) << step;
    if (change) {
      ASSERT_EQ(change->before, before) << step;
      ASSERT_EQ(change->after, after) << step;
      ASSERT_EQ(change->group, group) << step;
    }
    ASSERT_EQ(merged.filter(group), after) << step;
  }
  for (std::size_t g = 0; g < kGroups; ++g) {
    const IpAddress group = IpAddress::from_v4(0xef010100U + static_cast<std::uint32_t>(g));
    for (SourceFilter& party : parties[g]) {
      if (!party.is_nothing()) (void)merged.apply({group, party, {}});
    }
  }
  EXPECT_EQ(merged.group_count(), 0U);
}

}  // namespace
}  // namespace amt
