#include "sys/log_limiter.hh"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace amt {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogLimiterTest : public ::testing::Test {
 protected:
  std::vector<std::string> take() { return std::exchange(lines_, {}); }

  Instant start_ = Instant{} + seconds(1000);
  std::vector<std::string> lines_;
  LogLimiter limiter_{[this](const std::string& line) { lines_.push_back(line); }};
};

TEST_F(LogLimiterTest, LogsTheFirstAtOnceAndTheRestOnceAMinute) {
  limiter_.warn(start_, "full", "refused {}", 1);
  EXPECT_THAT(take(), ElementsAre("refused 1"));
  for (int i = 2; i <= 40; ++i) limiter_.warn(start_ + seconds(i), "full", "refused {}", i);
  limiter_.flush(start_ + seconds(59));
  EXPECT_THAT(take(), IsEmpty());
  limiter_.flush(start_ + seconds(60));
  EXPECT_THAT(take(), ElementsAre("refused 2 (39 times in the last minute)"));
  limiter_.flush(start_ + seconds(119));
  limiter_.flush(start_ + seconds(120));
  EXPECT_THAT(take(), IsEmpty());
  // A quiet minute later it is new again.
  limiter_.warn(start_ + seconds(121), "full", "refused {}", 99);
  EXPECT_THAT(take(), ElementsAre("refused 99"));
}

TEST_F(LogLimiterTest, TellsTheNumberWithTheNextOneWhereNobodyFlushes) {
  for (int i = 0; i < 5; ++i) limiter_.warn(start_, "full", "refused");
  EXPECT_THAT(take(), ElementsAre("refused"));
  limiter_.warn(start_ + seconds(61), "full", "refused");
  EXPECT_THAT(take(), ElementsAre("refused (5 times in the last minute)"));
}

TEST_F(LogLimiterTest, KeepsKindsApart) {
  limiter_.warn(start_, "eth0", "eth0 is down");
  limiter_.warn(start_, "eth1", "eth1 is down");
  EXPECT_THAT(take(), ElementsAre("eth0 is down", "eth1 is down"));
}

TEST_F(LogLimiterTest, HoldsABoundedNumberOfKinds) {
  for (std::size_t i = 0; i < 2 * LogLimiter::kKeysMax; ++i) limiter_.warn(start_, std::to_string(i), "{}", i);
  EXPECT_EQ(take().size(), LogLimiter::kKeysMax + 1);
  limiter_.flush(start_ + seconds(60));
  EXPECT_THAT(take(), ElementsAre("257 (255 times in the last minute)"));
  limiter_.flush(start_ + seconds(120));
  limiter_.warn(start_ + seconds(121), "another", "there is room again");
  EXPECT_THAT(take(), ElementsAre("there is room again"));
}

TEST_F(LogLimiterTest, CountsWhatAllThreadsSay) {
  const auto warn = [this] {
    for (int i = 0; i < 1000; ++i) limiter_.warn(start_, "full", "refused");
  };
  std::thread other(warn);
  warn();
  other.join();
  limiter_.flush(start_ + seconds(60));
  EXPECT_THAT(take(), ElementsAre("refused", "refused (1999 times in the last minute)"));
}

}  // namespace
}  // namespace amt
