#include "engine/runtime/event_loop.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <thread>
#include <vector>

#include "sys/clock.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;

TEST(Timer, IsSetUntilItsHandlerRuns) {
  EventLoop loop;
  bool was_set_in_handler = true;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    was_set_in_handler = timer->is_set();
    loop.stop();
  });
  EXPECT_FALSE(timer->is_set());
  timer->set(monotonic_now() + milliseconds(1));
  EXPECT_TRUE(timer->is_set());
  timer->set(kNoDeadline);
  EXPECT_FALSE(timer->is_set());
  timer->set(monotonic_now() - milliseconds(1));
  loop.run();
  EXPECT_FALSE(was_set_in_handler);
}

TEST(Timer, MayBeSetAgainAndDestroyedByItsHandler) {
  EventLoop loop;
  int calls = 0;
  Instant due = monotonic_now();
  std::optional<Timer> timer;
  Timer end(loop, [&] { loop.stop(); });
  timer.emplace(loop, [&] {
    if (++calls == 3) {
      end.set(monotonic_now() + milliseconds(50));  // and no fourth call meanwhile
      return timer.reset();
    }
    timer->set(due);  // the same deadline again, long past
  });
  timer->set(due);
  loop.run();
  EXPECT_EQ(calls, 3);
}

/// Three octets wait in it.
class ReadyPipe {
 public:
  ReadyPipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end_ = UniqueFd(ends[0]);
    write_end_ = UniqueFd(ends[1]);
    for (int i = 0; i < 3; ++i) arrive();
  }
  void arrive() const { EXPECT_EQ(::write(write_end_.get(), "a", 1), 1); }
  [[nodiscard]] int fd() const { return read_end_.get(); }

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
};

/// How often it has waited for something.
long waits_of_this_thread() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

TEST(ReadWatch, MayBeDestroyedByItsHandlerAndLeavesTheDescriptorOpen) {
  EventLoop loop;
  const ReadyPipe pipe;
  int calls = 0;
  std::optional<ReadWatch> watch;
  Timer end(loop, [&] { loop.stop(); });
  // What is not read makes it ready again.
  watch.emplace(loop, pipe.fd(), [&] {
    char octet = 0;
    EXPECT_EQ(::read(pipe.fd(), &octet, 1), 1);
    if (++calls == 2) {
      end.set(monotonic_now() + milliseconds(50));  // and no third call meanwhile
      watch.reset();
    }
  });
  loop.run();
  EXPECT_EQ(calls, 2);
  EXPECT_NE(::fcntl(pipe.fd(), F_GETFD), -1);
}

TEST(ReadWatch, RestsAsLongAsItsHandlerSays) {
  EventLoop loop;
  const ReadyPipe pipe;
  constexpr Duration kRest = milliseconds(20);
  std::vector<Instant> calls;
  std::optional<ReadWatch> watch;
  Timer end(loop, [&] { loop.stop(); });
  // Ready all the time.
  watch.emplace(loop, pipe.fd(), [&] {
    calls.push_back(monotonic_now());
    if (calls.size() == 1) watch->rest_until(calls[0] + kRest);
    if (calls.size() == 2) end.set(calls[1] + kRest / 2);
    if (calls.size() == 3) loop.stop();
  });
  loop.run();
  // Once only: the third call comes as soon as the loop can, before a timer that is shorter than the rest.
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_GE(calls[1] - calls[0], kRest);
}

TEST(ReadWatch, IsNotWokenWhileItRests) {
  constexpr int kArrivals = 50;
  EventLoop loop;
  const ReadyPipe pipe;
  std::optional<ReadWatch> watch;
  std::optional<std::thread> arrivals;
  std::vector<long> waits;
  watch.emplace(loop, pipe.fd(), [&] {
    waits.push_back(waits_of_this_thread());
    if (waits.size() == 2) return loop.stop();
    watch->rest_until(monotonic_now() + milliseconds(150));
    arrivals.emplace([&pipe] {
      for (int i = 0; i < kArrivals; ++i) {
        pipe.arrive();
        std::this_thread::sleep_for(milliseconds(1));
      }
    });
  });
  loop.run();
  arrivals->join();
  ASSERT_EQ(waits.size(), 2U);
  EXPECT_LT(waits[1] - waits[0], kArrivals / 2);
}

TEST(ReadWatch, MayBeDestroyedWhileItRests) {
  EventLoop loop;
  const ReadyPipe pipe;
  int calls = 0;
  std::optional<ReadWatch> watch;
  Timer end(loop, [&] { loop.stop(); });
  watch.emplace(loop, pipe.fd(), [&] {
    ++calls;
    watch->rest_until(monotonic_now() + milliseconds(10));
    watch.reset();
  });
  end.set(monotonic_now() + milliseconds(30));
  loop.run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace amt
