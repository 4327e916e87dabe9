#include "cli/announcer.hh"

#include <gtest/gtest.h>

#include "cli/cli_test_support.hh"
#include "sys/clock.hh"

namespace amt::cli_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AnnouncerTest : public ::testing::Test {
 protected:
  /// A program that appends its argument to a file, and then does `more`.
  std::string command(const std::string& more = "") {
    return folder_.write("announce", "#!/bin/sh\necho \"$1\" >>" + folder_.path("said") + "\n" + more + "\n", 0700);
  }
  std::string said() { return folder_.read("said"); }
  bool run_until_said(const std::string& wanted) {
    const Instant end = monotonic_now() + seconds(60);
    Timer look(loop_, [&] {
      if (said() == wanted || monotonic_now() > end) return loop_.stop();
      look.set(monotonic_now() + milliseconds(5));
    });
    look.set(monotonic_now());
    loop_.run();
    return said() == wanted;
  }

  TemporaryFolder folder_;
  EventLoop loop_;
};

TEST_F(AnnouncerTest, RunsTheCommandWithEachNewState) {
  Announcer announcer(loop_, command());
  ASSERT_TRUE(announcer.open());
  announcer.announce("ready");
  ASSERT_TRUE(run_until_said("ready\n"));
  announcer.announce("ready");
  announcer.announce("drain");
  ASSERT_TRUE(run_until_said("ready\ndrain\n"));
  announcer.finish(seconds(60));
  EXPECT_EQ(said(), "ready\ndrain\nstop\n");
}

TEST_F(AnnouncerTest, OfStatesThatComeWhileItRunsTheLastIsTold) {
  // The first run ends when the test lets it.
  Announcer announcer(loop_, command("while [ ! -e " + folder_.path("go") + " ]; do sleep 0.01; done"));
  ASSERT_TRUE(announcer.open());
  announcer.announce("ready");
  ASSERT_TRUE(run_until_said("ready\n"));
  announcer.announce("unhealthy");
  announcer.announce("drain");
  folder_.write("go", "");
  EXPECT_TRUE(run_until_said("ready\ndrain\n"));
}

TEST_F(AnnouncerTest, TheEndWaitsNoLongerThanItMay) {
  Announcer announcer(loop_, command("sleep 60"));
  ASSERT_TRUE(announcer.open());
  const Instant start = monotonic_now();
  announcer.finish(milliseconds(100));
  EXPECT_GE(monotonic_now() - start, milliseconds(100));
  EXPECT_LT(monotonic_now() - start, seconds(30));
}

TEST_F(AnnouncerTest, ACommandThatFailsIsAWarning) {
  const std::string failing = command("exit 3");
  const Said result = said_by([&] {
    Announcer announcer(loop_, failing);
    EXPECT_TRUE(announcer.open());
    announcer.finish(seconds(60));
    return 0;
  });
  EXPECT_NE(result.errors.find(failing + " stop: status 3"), std::string::npos) << result.errors;
}

TEST_F(AnnouncerTest, WithoutACommandNothingIsRun) {
  Announcer announcer(loop_, std::nullopt);
  ASSERT_TRUE(announcer.open());
  announcer.announce("ready");
  announcer.finish(seconds(60));
}

}  // namespace
}  // namespace amt::cli_test
