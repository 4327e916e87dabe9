#include "sys/delivery_statistics.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

TEST(DeliveryStatistics, TheKernelTells) { EXPECT_TRUE(read_delivery_statistics("lo")); }

TEST(DeliveryStatistics, WhatReachesAProtocolIsNoProblem) {
  const DeliveryStatistics before{.v4_received = 1000, .v4_multicast = 100, .v4_delivered = 900, .v4_elsewhere = 50};
  const DeliveryStatistics after{.v4_received = 1300, .v4_multicast = 300, .v4_delivered = 1150, .v4_elsewhere = 99};
  EXPECT_EQ(judge_delivery(before, after, 200, 0), DeliveryProblem::kNone);
}

TEST(DeliveryStatistics, WhatReachesNoneWasDropped) {
  const DeliveryStatistics before{.v4_received = 1000, .v4_multicast = 100, .v4_delivered = 900};
  // 200 of multicast, and 200 of the tunnel that brought them; merged datagrams are counted once.
  DeliveryStatistics after{.v4_received = 1400, .v4_multicast = 300, .v4_delivered = 1100};
  EXPECT_EQ(judge_delivery(before, after, 2000, 0), DeliveryProblem::kFirewall);
  EXPECT_EQ(judge_delivery(before, after, 3, 0), DeliveryProblem::kNone);
  after.v4_reverse_path_drops = 150;
  EXPECT_EQ(judge_delivery(before, after, 2000, 0), DeliveryProblem::kReversePath);
}

TEST(DeliveryStatistics, EachFamilyIsJudgedByItsOwn) {
  const DeliveryStatistics before{};
  const DeliveryStatistics after{.v6_multicast = 100, .v6_delivered = 2};
  EXPECT_EQ(judge_delivery(before, after, 100, 0), DeliveryProblem::kNone);
  EXPECT_EQ(judge_delivery(before, after, 0, 100), DeliveryProblem::kFirewall);
}

}  // namespace
}  // namespace amt
