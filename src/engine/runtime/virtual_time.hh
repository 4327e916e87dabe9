#pragma once
/// For tests: time that passes in an instant, for what runs on a `Loop`.

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "engine/runtime/poll_loop.hh"
#include "sys/clock.hh"

namespace amt::test {

/// While it lives, `monotonic_now` stands still between calls of `pass`. One file of the test program says so:
///
///     Instant amt::monotonic_now() { return amt::test::VirtualTime::now(); }
///
/// The linker takes that in place of sys/monotonic_now.cc. Sockets are real: what is sent on loopback has arrived.
class VirtualTime {
 public:
  VirtualTime() : loop_(PollLoop::open().value()) { now_ = now(); }
  ~VirtualTime() { now_.reset(); }
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  [[nodiscard]] Loop& loop() { return *loop_; }
  /// Without such an object alive, the real time.
  static Instant now() {
    return now_.value_or(Instant(std::chrono::steady_clock::now().time_since_epoch()));  // allow: the tests' clock
  }

  /// Reads what is readable and calls each timer at its time.
  void pass(Duration duration) {
    const Instant end = *now_ + duration;
    read_what_is_readable();
    for (Instant next = loop_->next_deadline(); next <= end; next = loop_->next_deadline()) {
      now_ = std::max(*now_, next);
      ASSERT_TRUE(loop_->process(*now_));
      read_what_is_readable();
    }
    now_ = end;
  }
  /// For what the kernel does in its own time. False: it did not come true.
  template <typename Condition>
  bool await(Condition condition) {
    constexpr int kLooksMax = 30'000;
    for (int i = 0; i < kLooksMax && !condition(); ++i) {
      pass(Duration::zero());
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return condition();
  }

 private:
  void read_what_is_readable() {
    constexpr int kReadsMax = 100'000;
    int reads = 0;
    for (pollfd ready{loop_->fd(), POLLIN, 0}; ::poll(&ready, 1, 0) > 0;) {
      ASSERT_LT(++reads, kReadsMax) << "a descriptor stays readable";
      ASSERT_TRUE(loop_->process(*now_));
    }
  }

  inline static std::optional<Instant> now_;
  std::unique_ptr<PollLoop> loop_;
};

}  // namespace amt::test
