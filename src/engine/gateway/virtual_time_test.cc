#include "engine/runtime/virtual_time.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

/// The clock of this test program.
amt::Instant amt::monotonic_now() { return amt::test::VirtualTime::now(); }

namespace amt::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;

TEST(VirtualTime, CallsTimersInOrderAndEachAtItsTime) {
  VirtualTime time;
  const Instant start = monotonic_now();
  std::vector<Duration> called;
  Timer later(time.loop(), [&] { called.push_back(monotonic_now() - start); });
  Timer first(time.loop(), [&] {
    called.push_back(monotonic_now() - start);
    if (called.size() == 1) first.set(monotonic_now() + minutes(1));
  });
  later.set(start + hours(2));
  first.set(start + hours(1));
  time.pass(hours(2));
  EXPECT_THAT(called, ElementsAre(hours(1), hours(1) + minutes(1), hours(2)));
  EXPECT_EQ(monotonic_now(), start + hours(2));
}

TEST(VirtualTime, IsTheRealTimeWithoutSuchAnObject) {
  const Instant before = monotonic_now();
  { VirtualTime().pass(hours(24)); }
  EXPECT_LT(monotonic_now() - before, hours(1));
}

}  // namespace
}  // namespace amt::test
