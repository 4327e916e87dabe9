#include "discovery/split_membership.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const IpAddress kA = ip("198.51.100.1");
const IpAddress kB = ip("198.51.100.2");
const IpAddress kC = ip("198.51.100.3");
const IpAddress kGroup = ip("232.1.1.1");
const IpAddress kOther = ip("239.1.1.1");
SourceFilter include(SourceList sources) { return {FilterMode::kInclude, std::move(sources)}; }
SourceFilter exclude(SourceList sources) { return {FilterMode::kExclude, std::move(sources)}; }

class Split : public testing::Test {
 protected:
  std::string changes() {
    std::string text;
    while (const auto change = split.poll_change()) {
      text += (text.empty() ? "" : ", ") + std::to_string(change->tunnel) + " " + change->group.to_string() + " " +
              change->filter.to_string();
    }
    return text;
  }
  SplitMembership split;
};

TEST_F(Split, SourcesGoWhereTheyAreServed) {  // D-3.3.7-a
  split.set_wanted(kGroup, include({kA, kB, kC}));
  EXPECT_EQ(changes(), "");  // nobody serves them yet
  split.set_tunnels(kA, {1});
  EXPECT_EQ(changes(), "1 232.1.1.1 INCLUDE{198.51.100.1}");
  split.set_tunnels(kB, {2});
  EXPECT_EQ(changes(), "2 232.1.1.1 INCLUDE{198.51.100.2}");
  split.set_tunnels(kC, {1});
  EXPECT_EQ(changes(), "1 232.1.1.1 INCLUDE{198.51.100.1, 198.51.100.3}");
  split.set_wanted(kGroup, include({kB}));
  EXPECT_EQ(changes(), "1 232.1.1.1 INCLUDE{}");
  EXPECT_FALSE(split.is_wanted(kA));
  EXPECT_TRUE(split.is_wanted(kB));
}

TEST_F(Split, AnySourceGoesWholeToItsTunnel) {
  split.set_tunnels(std::nullopt, {7});
  split.set_tunnels(kA, {1});
  split.set_wanted(kOther, exclude({kA}));
  EXPECT_EQ(changes(), "7 239.1.1.1 EXCLUDE{198.51.100.1}");
  split.set_wanted(kOther, exclude({}));
  EXPECT_EQ(changes(), "7 239.1.1.1 EXCLUDE{}");
  split.set_wanted(kOther, include({kA}));
  EXPECT_EQ(changes(), "1 239.1.1.1 INCLUDE{198.51.100.1}, 7 239.1.1.1 INCLUDE{}");
  EXPECT_FALSE(split.is_wanted(std::nullopt));
}

TEST_F(Split, MovesMakeBeforeTheyBreak) {
  split.set_wanted(kGroup, include({kA}));
  split.set_wanted(kOther, include({kA, kB}));
  split.set_tunnels(kA, {1});
  changes();
  split.set_tunnels(kA, {2, 1});
  EXPECT_EQ(changes(), "2 232.1.1.1 INCLUDE{198.51.100.1}, 2 239.1.1.1 INCLUDE{198.51.100.1}");
  split.set_tunnels(kA, {2});
  EXPECT_EQ(changes(), "1 232.1.1.1 INCLUDE{}, 1 239.1.1.1 INCLUDE{}");
  split.set_tunnels(kA, {3});
  EXPECT_EQ(changes(),
            "3 232.1.1.1 INCLUDE{198.51.100.1}, 2 232.1.1.1 INCLUDE{}, "
            "3 239.1.1.1 INCLUDE{198.51.100.1}, 2 239.1.1.1 INCLUDE{}");
}

TEST_F(Split, ChangesOfOneGroupAreToldTogether) {
  split.set_wanted(kGroup, include({kA, kB}));
  split.set_tunnels(kA, {1});
  split.set_tunnels(kB, {1});
  EXPECT_EQ(changes(), "1 232.1.1.1 INCLUDE{198.51.100.1, 198.51.100.2}");
}

TEST_F(Split, WhatDoesNotChangeIsNotRepeated) {
  split.set_tunnels(kA, {1});
  split.set_wanted(kGroup, include({kA}));
  changes();
  split.set_wanted(kGroup, include({kA}));
  split.set_wanted(kGroup, include({kA, kB}));  // nobody serves B
  split.set_tunnels(kA, {1});
  EXPECT_EQ(changes(), "");
}

}  // namespace
}  // namespace amt
