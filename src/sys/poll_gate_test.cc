#include "sys/poll_gate.hh"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <optional>

namespace amt {
namespace {

class PollGateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    read_end_ = UniqueFd(ends[0]);
    write_end_ = UniqueFd(ends[1]);
    SysResult<PollGate> gate = PollGate::create(read_end_.get());
    ASSERT_TRUE(gate.has_value()) << gate.error().to_string();
    gate_.emplace(std::move(*gate));
  }
  void write_one() const { ASSERT_EQ(::write(write_end_.get(), "x", 1), 1); }
  [[nodiscard]] bool is_readable() const {
    pollfd ready{gate_->fd(), POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }

  UniqueFd read_end_;
  UniqueFd write_end_;
  std::optional<PollGate> gate_;
};

TEST_F(PollGateTest, IsReadableWhileTheDescriptorIs) {
  EXPECT_FALSE(is_readable());
  write_one();
  EXPECT_TRUE(is_readable());
  char octet = 0;
  ASSERT_EQ(::read(read_end_.get(), &octet, 1), 1);
  EXPECT_FALSE(is_readable());
}

TEST_F(PollGateTest, TellsNothingWhileClosedAndAllAfterwards) {
  gate_->close();
  write_one();
  EXPECT_FALSE(is_readable());
  gate_->open();
  EXPECT_TRUE(is_readable());
}

TEST_F(PollGateTest, WakesAWatcherThatWaitedBeforeItWasClosed) {
  // As the event loop does: edge triggered, armed once.
  const UniqueFd loop(::epoll_create1(0));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  ASSERT_EQ(::epoll_ctl(loop.get(), EPOLL_CTL_ADD, gate_->fd(), &event), 0);
  gate_->close();
  write_one();
  EXPECT_EQ(::epoll_wait(loop.get(), &event, 1, 0), 0);
  gate_->open();
  EXPECT_EQ(::epoll_wait(loop.get(), &event, 1, 0), 1);
}

}  // namespace
}  // namespace amt
