#include "membership/source_filter.hh"

#include <gtest/gtest.h>

#include <vector>

namespace amt {
namespace {

IpAddress a(const char* text) { return *IpAddress::parse(text); }

const IpAddress k1 = a("192.0.2.1");
const IpAddress k2 = a("192.0.2.2");
const IpAddress k3 = a("192.0.2.3");

TEST(SourceList, IsSortedWithoutRepeats) {
  const std::vector<IpAddress> loose = {k3, k1, k3, k2, k1};
  EXPECT_EQ(to_source_list(loose), (SourceList{k1, k2, k3}));
  EXPECT_EQ(to_source_list({}), SourceList{});
}

TEST(SourceList, FollowsSetAlgebra) {
  const SourceList left = {k1, k2};
  const SourceList right = {k2, k3};
  EXPECT_EQ(set_union(left, right), (SourceList{k1, k2, k3}));
  EXPECT_EQ(set_intersection(left, right), SourceList{k2});
  EXPECT_EQ(set_difference(left, right), SourceList{k1});
  EXPECT_EQ(set_difference(right, left), SourceList{k3});
  EXPECT_EQ(set_union(left, {}), left);
  EXPECT_EQ(set_intersection(left, {}), SourceList{});
}

TEST(SourceFilter, IncludeAcceptsTheListedAndExcludeTheOthers) {
  const SourceFilter include{FilterMode::kInclude, {k1, k3}};
  EXPECT_TRUE(include.accepts(k1));
  EXPECT_FALSE(include.accepts(k2));
  const SourceFilter exclude{FilterMode::kExclude, {k1, k3}};
  EXPECT_FALSE(exclude.accepts(k3));
  EXPECT_TRUE(exclude.accepts(k2));
}

TEST(SourceFilter, OnlyIncludeOfNobodyIsNothing) {
  EXPECT_TRUE(SourceFilter{}.is_nothing());
  EXPECT_FALSE((SourceFilter{FilterMode::kExclude, {}}.is_nothing()));
  EXPECT_FALSE((SourceFilter{FilterMode::kInclude, {k1}}.is_nothing()));
}

TEST(SourceFilter, IsWrittenForLogs) {
  EXPECT_EQ((SourceFilter{FilterMode::kExclude, {}}.to_string()), "EXCLUDE{}");
  EXPECT_EQ((SourceFilter{FilterMode::kInclude, {k1, k2}}.to_string()), "INCLUDE{192.0.2.1, 192.0.2.2}");
}

}  // namespace
}  // namespace amt
