#include "membership/upstream_filter.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

SourceFilter of(FilterMode mode, std::size_t sources) {
  SourceFilter filter{mode, {}};
  for (std::uint32_t i = 0; i < sources; ++i) filter.sources.push_back(IpAddress::from_v4(0xc6336400 + i));
  return filter;
}

TEST(UpstreamFilter, AsksForAGroupOfManySourcesAsAWhole) {
  const IpAddress group = *IpAddress::parse("239.1.2.3");
  const SourceFilter whole{FilterMode::kExclude, {}};
  for (const FilterMode mode : {FilterMode::kInclude, FilterMode::kExclude}) {
    EXPECT_EQ(asked_upstream(group, of(mode, kSourcesAskedMax), SsmRange()), of(mode, kSourcesAskedMax));
    EXPECT_EQ(asked_upstream(group, of(mode, kSourcesAskedMax + 1), SsmRange()), whole);
  }
  EXPECT_TRUE(asked_upstream(group, {}, SsmRange()).is_nothing());
}

TEST(UpstreamFilter, NamesEverySourceOfASourceSpecificGroup) {
  const SourceFilter many = of(FilterMode::kInclude, 10 * kSourcesAskedMax);
  EXPECT_EQ(asked_upstream(*IpAddress::parse("232.1.2.3"), many, SsmRange()), many);
}

}  // namespace
}  // namespace amt
