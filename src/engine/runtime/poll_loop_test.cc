#include "engine/runtime/poll_loop.hh"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <optional>

namespace amt {
namespace {

Instant at(int milliseconds) { return Instant{} + std::chrono::hours(1) + std::chrono::milliseconds(milliseconds); }

class PollLoopTest : public testing::Test {
 protected:
  PollLoopTest() : loop_(std::move(*PollLoop::open())) { EXPECT_EQ(::pipe(pipe_.data()), 0); }
  ~PollLoopTest() override {
    for (const int fd : pipe_) ::close(fd);
  }
  PollLoopTest(const PollLoopTest&) = delete;
  PollLoopTest& operator=(const PollLoopTest&) = delete;

  void write_octet() { EXPECT_EQ(::write(pipe_[1], "x", 1), 1); }
  void read_octet() {
    char octet = 0;
    EXPECT_EQ(::read(pipe_[0], &octet, 1), 1);
  }
  bool is_readable() {
    pollfd ready{loop_->fd(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }

  std::array<int, 2> pipe_{};
  std::unique_ptr<PollLoop> loop_;
};

TEST_F(PollLoopTest, CallsAgainUntilAllIsRead) {
  int calls = 0;
  const ReadWatch watch(*loop_, pipe_[0], [&] { ++calls; });
  ASSERT_TRUE(loop_->process(at(0)));
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(is_readable());
  write_octet();
  EXPECT_TRUE(is_readable());
  ASSERT_TRUE(loop_->process(at(0)));
  ASSERT_TRUE(loop_->process(at(0)));
  EXPECT_EQ(calls, 2);
  read_octet();
  EXPECT_FALSE(is_readable());
}

TEST_F(PollLoopTest, WatchMayEndItselfAndBeMadeAgain) {
  int calls = 0;
  std::optional<ReadWatch> watch;
  watch.emplace(*loop_, pipe_[0], [&] {
    ++calls;
    watch.reset();
  });
  write_octet();
  ASSERT_TRUE(loop_->process(at(0)));
  ASSERT_TRUE(loop_->process(at(0)));
  EXPECT_EQ(calls, 1);
  watch.emplace(*loop_, pipe_[0], [&] { calls += 10; });
  ASSERT_TRUE(loop_->process(at(0)));
  EXPECT_EQ(calls, 11);
}

TEST_F(PollLoopTest, RestIsADeadline) {
  int calls = 0;
  std::optional<ReadWatch> watch;
  watch.emplace(*loop_, pipe_[0], [&] {
    if (++calls == 1) watch->rest_until(at(10));
  });
  write_octet();
  ASSERT_TRUE(loop_->process(at(0)));
  EXPECT_FALSE(is_readable());
  EXPECT_EQ(loop_->next_deadline(), at(10));
  ASSERT_TRUE(loop_->process(at(9)));
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(loop_->process(at(10)));
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(is_readable());
  EXPECT_EQ(loop_->next_deadline(), kNoDeadline);
}

TEST_F(PollLoopTest, TimersRunInOrderOnceAndMayBeSetByHandlers) {
  std::string order;
  std::optional<Timer> again;
  Timer first(*loop_, [&] { order += "1"; });
  Timer second(*loop_, [&] {
    order += "2";
    again->set(at(0));
  });
  again.emplace(*loop_, [&] {
    order += "3";
    again.reset();
  });
  second.set(at(5));
  first.set(at(9));
  first.set(at(4));
  EXPECT_EQ(loop_->next_deadline(), at(4));
  ASSERT_TRUE(loop_->process(at(3)));
  EXPECT_EQ(order, "");
  ASSERT_TRUE(loop_->process(at(5)));
  EXPECT_EQ(order, "12");
  EXPECT_FALSE(first.is_set());
  ASSERT_TRUE(loop_->process(at(5)));
  EXPECT_EQ(order, "123");
  EXPECT_EQ(loop_->next_deadline(), kNoDeadline);
}

TEST_F(PollLoopTest, TimerThatAnotherTakesBackDoesNotRun) {
  bool ran = false;
  std::optional<Timer> victim;
  Timer killer(*loop_, [&] { victim.reset(); });
  victim.emplace(*loop_, [&] { ran = true; });
  killer.set(at(1));
  victim->set(at(2));
  ASSERT_TRUE(loop_->process(at(2)));
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace amt
