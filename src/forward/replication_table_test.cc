#include "forward/replication_table.hh"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ip/address.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const IpAddress kGroup = *IpAddress::parse("239.1.2.3");
const IpAddress kOtherGroup = *IpAddress::parse("ff3e::8000:d");
const IpAddress kA = *IpAddress::parse("198.51.100.1");
const IpAddress kB = *IpAddress::parse("198.51.100.2");
const IpAddress kC = *IpAddress::parse("198.51.100.3");

SourceFilter include(SourceList sources) { return {FilterMode::kInclude, std::move(sources)}; }
SourceFilter exclude(SourceList sources) { return {FilterMode::kExclude, std::move(sources)}; }
TunnelId id(unsigned n) { return TunnelId{n}; }

std::vector<unsigned> receivers(const ReplicationTable& table, const IpAddress& source,
                                const IpAddress& group = kGroup) {
  std::vector<unsigned> out;
  table.find(source, group).for_each([&](TunnelId tunnel) { out.push_back(static_cast<unsigned>(tunnel)); });
  EXPECT_EQ(table.find(source, group).size(), out.size());
  return out;
}

TEST(ReplicationTable, GivesNobodyAPacketThatNobodyAskedFor) {
  const ReplicationTable table;
  EXPECT_TRUE(table.find(kA, kGroup).empty());
  EXPECT_TRUE(table.empty());
}

// R-5.3.3.4-m
// R-5.3.1-b
TEST(ReplicationTable, SendsAnIncludedSourceOnlyToThoseWhoIncludeIt) {
  ReplicationTable table;
  table.apply(id(1), {kGroup, {}, include({kA})});
  table.apply(id(2), {kGroup, {}, include({kA, kB})});
  EXPECT_THAT(receivers(table, kA), UnorderedElementsAre(1, 2));
  EXPECT_THAT(receivers(table, kB), UnorderedElementsAre(2));
  EXPECT_THAT(receivers(table, kC), IsEmpty());
  EXPECT_THAT(receivers(table, kA, kOtherGroup), IsEmpty());
}

TEST(ReplicationTable, WalksInACircleFromWhereverOneBegins) {
  ReplicationTable table;
  for (const unsigned n : {1U, 2U}) table.apply(id(n), {kGroup, {}, include({kA})});
  for (const unsigned n : {3U, 4U, 5U}) table.apply(id(n), {kGroup, {}, exclude({})});
  table.apply(id(6), {kGroup, {}, exclude({kA})});
  const auto from = [&](std::size_t start) {
    std::vector<unsigned> out;
    table.find(kA, kGroup).for_each([&](TunnelId tunnel) { out.push_back(static_cast<unsigned>(tunnel)); }, start);
    return out;
  };
  const std::vector<unsigned> circle = from(0);
  EXPECT_THAT(circle, UnorderedElementsAre(1, 2, 3, 4, 5));
  std::set<unsigned> begins;
  for (std::size_t start = 1; start < 100; ++start) {
    std::vector<unsigned> turned = from(start);
    begins.insert(turned.front());
    std::rotate(turned.begin(), std::ranges::find(turned, circle.front()), turned.end());
    ASSERT_EQ(turned, circle) << start;
  }
  EXPECT_THAT(begins, UnorderedElementsAre(1, 2, 3, 4, 5));
}

// R-5.3.3.4-n
// R-5.3.1-b
TEST(ReplicationTable, SendsExcludersEverySourceButTheBlockedOnes) {
  ReplicationTable table;
  table.apply(id(9), {kGroup, {}, exclude({kA, kB})});
  table.apply(id(3), {kGroup, {}, exclude({kA})});
  table.apply(id(5), {kGroup, {}, exclude({})});
  table.apply(id(7), {kGroup, {}, include({kA})});
  EXPECT_THAT(receivers(table, kA), UnorderedElementsAre(5, 7));
  EXPECT_THAT(receivers(table, kB), UnorderedElementsAre(3, 5));
  EXPECT_THAT(receivers(table, kC), UnorderedElementsAre(3, 5, 9));
  EXPECT_EQ(table.find(kA, kGroup).blocked.size(), 2U);
}

TEST(ReplicationTable, IsEmptyAgainAfterEveryFilterEnded) {
  ReplicationTable table;
  table.apply(id(1), {kGroup, {}, exclude({kA})});
  table.apply(id(2), {kGroup, {}, include({kA})});
  table.apply(id(1), {kGroup, exclude({kA}), include({kB})});
  EXPECT_THAT(receivers(table, kA), UnorderedElementsAre(2));
  table.apply(id(1), {kGroup, include({kB}), {}});
  table.apply(id(2), {kGroup, include({kA}), exclude({})});
  EXPECT_FALSE(table.empty());
  table.apply(id(2), {kGroup, exclude({}), {}});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.channel_count(), 0U);
}

TEST(ReplicationTable, CountsAPacketOnceAndAtTheMostPreciseChannel) {
  ReplicationTable table;
  table.apply(id(1), {kGroup, {}, include({kA})});
  table.apply(id(2), {kGroup, {}, include({kA})});
  table.apply(id(3), {kGroup, {}, exclude({kC})});
  table.count(kA, kGroup, 3, 3000);
  table.count(kB, kGroup, 1, 100);
  table.count(kC, kGroup, 1, 10);
  table.count(kA, kOtherGroup, 1, 1);
  std::map<std::string, std::string> seen;
  table.for_each_channel([&](const ReplicationTable::ChannelUse& use) {
    seen[use.channel.to_string()] =
        std::to_string(use.tunnels) + "/" + std::to_string(use.packets) + "/" + std::to_string(use.octets);
  });
  EXPECT_THAT(seen, ElementsAre(std::pair("198.51.100.1@239.1.2.3", "2/3/3000"), std::pair("239.1.2.3", "1/2/110")));
}

/// Against a table that is nothing but a list of filters, over sizes that cross from searched to indexed sets and back.
TEST(ReplicationTable, AgreesWithANaiveModel) {
  SeededRandom random(7);
  const KeyedHash hash(random);
  ReplicationTable table(hash);
  const std::vector<IpAddress> sources{kA, kB, kC};
  std::map<std::pair<unsigned, IpAddress>, SourceFilter> model;
  for (int step = 0; step < 6000; ++step) {
    const unsigned tunnel = static_cast<unsigned>(random.below(100));
    const IpAddress group = random.below(4) == 0 ? kOtherGroup : kGroup;
    SourceFilter after;
    // Long phases of growing and of shrinking.
    if (random.below(10) < (step / 1000 % 2 == 0 ? 9U : 2U)) {
      after.mode = random.below(2) == 0 ? FilterMode::kInclude : FilterMode::kExclude;
      for (const IpAddress& source : sources) {
        if (random.below(2) == 0) after.sources.push_back(source);
      }
    }
    SourceFilter& held = model[{tunnel, group}];
    if (held == after) continue;
    table.apply(id(tunnel), {group, held, after});
    held = after;
    if (step % 20 != 0) continue;
    for (const IpAddress& source : {kA, kB, kC, *IpAddress::parse("192.0.2.9")}) {
      std::vector<unsigned> want;
      for (const auto& [key, filter] : model) {
        if (key.second == group && filter.accepts(source)) want.push_back(key.first);
      }
      std::vector<unsigned> got = receivers(table, source, group);
      std::ranges::sort(got);
      ASSERT_EQ(got, want) << "step " << step;
    }
  }
}

TEST(KeyedHash, DependsOnItsKeyAndOnEveryPart) {
  SeededRandom random(1);
  const KeyedHash one(random);
  const KeyedHash two(random);
  EXPECT_NE(one(kA), two(kA));
  EXPECT_NE(one(kA, kGroup), one(kGroup, kA));
  EXPECT_NE(one(Endpoint{kA, 1}), one(Endpoint{kA, 2}));
  EXPECT_NE(one(Endpoint{kA, 1}), one(Endpoint{kB, 1}));
}

TEST(KeyedHash, SpreadsNeighboursOverATable) {
  SeededRandom random(2);
  const KeyedHash hash(random);
  std::vector<int> buckets(256);
  for (std::uint32_t i = 0; i < 256 * 64; ++i) ++buckets[hash(IpAddress::from_v4(0x0a000000 + i)) % 256];
  // 64 expected, standard deviation 8.
  EXPECT_LT(*std::ranges::max_element(buckets), 64 + 6 * 8);
  EXPECT_GT(*std::ranges::min_element(buckets), 64 - 6 * 8);
}

std::vector<std::string> in_slices_of(const ReplicationTable& table, std::size_t max,
                                      const std::function<void()>& between) {
  std::vector<std::string> out;
  ChannelCursor cursor;
  bool more = true;
  while (more) {
    std::size_t visited = 0;
    more = table.visit_channels(cursor, max, [&](const ReplicationTable::ChannelUse& use) {
      ++visited;
      out.push_back(use.channel.to_string());
    });
    // (*,G) comes along with the first of its sources.
    EXPECT_LE(visited, 2 * max);
    between();
  }
  return out;
}

TEST(ReplicationTable, ShowsItsChannelsInSlices) {
  ReplicationTable table;
  std::set<std::string> expected;
  for (unsigned n = 0; n < 10; ++n) {
    const IpAddress group = address_after(kGroup, n);
    SourceList sources;
    // One group has far more than a slice.
    for (unsigned s = 1; s <= (n == 5 ? 50 : 1); ++s) sources.push_back(address_after(kA, s));
    for (const IpAddress& source : sources) expected.insert(Channel{source, group}.to_string());
    table.apply(id(1), {group, {}, include(sources)});
  }
  table.apply(id(2), {kGroup, {}, exclude({})});
  expected.insert(Channel{std::nullopt, kGroup}.to_string());
  for (const std::size_t max : {1U, 3U, 7U, 1000U}) {
    const std::vector<std::string> seen = in_slices_of(table, max, [] {});
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), expected) << max;
    EXPECT_EQ(seen.size(), expected.size()) << max;
  }
}

TEST(ReplicationTable, ShowsWhatStaysOnceWhileTheRestChanges) {
  ReplicationTable table;
  SourceList sources;
  for (unsigned s = 1; s <= 60; ++s) sources.push_back(address_after(kA, s));
  table.apply(id(1), {kGroup, {}, include(sources)});
  table.apply(id(1), {kOtherGroup, {}, include({kA})});
  unsigned round = 0;
  const std::vector<std::string> seen = in_slices_of(table, 7, [&] {
    // Sources of another tunnel come between those that stay: the table grows and is laid out anew.
    SourceList more;
    for (unsigned s = 0; s < 40; ++s) more.push_back(address_after(kA, 1000 + 40 * round + s));
    table.apply(id(2), {kGroup, {}, include(more)});
    table.apply(id(2), {kGroup, include(more), {}});
    ++round;
  });
  for (const IpAddress& source : sources) {
    EXPECT_EQ(std::ranges::count(seen, Channel{source, kGroup}.to_string()), 1);
  }
  EXPECT_EQ(std::ranges::count(seen, Channel{kA, kOtherGroup}.to_string()), 1);
}

TEST(ReplicationTable, FindsTheUseOfOneChannel) {
  ReplicationTable table;
  table.apply(id(1), {kGroup, {}, include({kA})});
  table.apply(id(2), {kGroup, {}, exclude({kB})});
  table.count(kA, kGroup, 3, 300);
  table.count(kC, kGroup, 2, 200);
  EXPECT_EQ(table.use_of({kA, kGroup})->packets, 3U);
  EXPECT_EQ(table.use_of({kA, kGroup})->tunnels, 1U);
  EXPECT_EQ(table.use_of({std::nullopt, kGroup})->octets, 200U);
  EXPECT_FALSE(table.use_of({kB, kGroup}));  // blocked, and included by nobody
  EXPECT_FALSE(table.use_of({kC, kGroup}));
  EXPECT_FALSE(table.use_of({kA, kOtherGroup}));
  EXPECT_FALSE(table.use_of({std::nullopt, kOtherGroup}));
}

}  // namespace
}  // namespace amt
