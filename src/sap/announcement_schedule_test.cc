#include "sap/announcement_schedule.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

std::vector<Announcement> announcements(std::size_t count, std::size_t octets) {
  return std::vector<Announcement>(count, {.packet = std::vector<std::byte>(octets)});
}

TEST(AnnouncementSchedule, IntervalIsThatOfTheRfc) {
  EXPECT_EQ(announcement_interval(1, 500), seconds(300));
  EXPECT_EQ(announcement_interval(300, 500), seconds(300));
  EXPECT_EQ(announcement_interval(1000, 500), seconds(1000));
}

TEST(AnnouncementSchedule, TheFirstRoundIsSpread) {
  SeededRandom random(1);
  const Instant start{hours(1)};
  AnnouncementSchedule schedule(announcements(10, 300), random, start);
  EXPECT_NE(schedule.take_due(start, 0), nullptr);
  EXPECT_EQ(schedule.take_due(start, 0), nullptr);
  EXPECT_EQ(schedule.next_deadline(), start + AnnouncementSchedule::kFirstRoundGap);
}

TEST(AnnouncementSchedule, StaysBelowTheRate) {
  struct Load {
    std::size_t sessions;
    std::size_t octets;
    double bits_per_second;
  };
  for (const Load& load : {Load{1, 400, 400 * 8 / 300.0}, Load{100, 2000, static_cast<double>(kSapBitsPerSecond)}}) {
    SeededRandom random(1);
    const Instant start{hours(1)};
    AnnouncementSchedule schedule(announcements(load.sessions, load.octets), random, start);
    Instant now = start;
    std::size_t sent = 0;
    for (; now < start + hours(24); ++sent) {
      now = schedule.next_deadline();
      ASSERT_NE(schedule.take_due(now, 0), nullptr);
    }
    const double bits = static_cast<double>((sent - load.sessions) * load.octets * 8);
    EXPECT_NEAR(bits / (24.0 * 3600), load.bits_per_second, load.bits_per_second / 20);
  }
}

TEST(AnnouncementSchedule, OthersOnTheGroupMakeItSlower) {
  SeededRandom random(1);
  const Instant start{hours(1)};
  AnnouncementSchedule schedule(announcements(1, 500), random, start);
  ASSERT_NE(schedule.take_due(start, 3000), nullptr);
  EXPECT_GE(schedule.next_deadline(), start + seconds(2000));
  EXPECT_LE(schedule.next_deadline(), start + seconds(4000));
}

TEST(AnnouncementSchedule, WithNothingToSayThereIsNoDeadline) {
  SeededRandom random(1);
  AnnouncementSchedule schedule({}, random, Instant{});
  EXPECT_EQ(schedule.next_deadline(), kNoDeadline);
  EXPECT_EQ(schedule.take_due(Instant{hours(1)}, 0), nullptr);
}

}  // namespace
}  // namespace amt
