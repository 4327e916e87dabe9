#include "egress/batch_pace.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

BatchPace::Next after(const BatchPace& pace, std::size_t waiting) {
  return pace.next([waiting](std::size_t packets) { return waiting >= packets; });
}

TEST(BatchPace, WaitsForNothingWhenNothingCameMeanwhile) {
  EXPECT_EQ(after(BatchPace(milliseconds(2)), 0), BatchPace::Next::kWhenReadable);
}

TEST(BatchPace, LetsPacketsGatherWhenItCannotKeepUp) {
  EXPECT_EQ(after(BatchPace(milliseconds(2)), 1), BatchPace::Next::kAfterRest);
  EXPECT_EQ(after(BatchPace(milliseconds(2)), BatchPace::kEnough - 1), BatchPace::Next::kAfterRest);
}

TEST(BatchPace, GoesOnAtOnceWhenEnoughWaitOrWaitingIsForbidden) {
  EXPECT_EQ(after(BatchPace(milliseconds(2)), BatchPace::kEnough), BatchPace::Next::kAtOnce);
  EXPECT_EQ(after(BatchPace(Duration::zero()), 1), BatchPace::Next::kAtOnce);
}

TEST(BatchPace, RestsAsLongAsItWorkedWithinItsBounds) {
  const BatchPace pace(milliseconds(2));
  EXPECT_EQ(pace.rest(microseconds(300)), microseconds(300));
  EXPECT_EQ(pace.rest(microseconds(1)), BatchPace::kRestMin);
  EXPECT_EQ(pace.rest(milliseconds(5)), milliseconds(2));
  EXPECT_EQ(BatchPace(microseconds(5)).rest(milliseconds(1)), microseconds(5));
}

}  // namespace
}  // namespace amt
