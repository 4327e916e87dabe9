#pragma once
/// The objects of a loop: watched descriptors and deadlines. There are two loops: `EventLoop` of the programs, and
/// `PollLoop` for programs with a loop of their own. All of this belongs to the one thread that the loop runs on.

#include <functional>
#include <memory>

#include "amt/time.hh"

namespace amt {

/// A descriptor's watch, as one loop makes it.
class LoopWatch {
 public:
  LoopWatch() = default;
  LoopWatch(const LoopWatch&) = delete;
  LoopWatch& operator=(const LoopWatch&) = delete;
  virtual ~LoopWatch() = default;
  virtual void rest_until(Instant next_call) = 0;
  /// No call any more.
  virtual void end() = 0;
};

/// A deadline, as one loop keeps it.
class LoopTimer {
 public:
  LoopTimer() = default;
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  virtual ~LoopTimer() = default;
  virtual void set(Instant deadline) = 0;
  [[nodiscard]] virtual Instant deadline() const = 0;
  virtual void end() = 0;
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

 private:
  friend class ReadWatch;
  friend class Timer;
  [[nodiscard]] virtual std::shared_ptr<LoopWatch> watch(int fd, std::function<void()> on_readable) = 0;
  [[nodiscard]] virtual std::shared_ptr<LoopTimer> make_timer(std::function<void()> on_due) = 0;
};

/// Calls `on_readable` while there is data to read from a descriptor that the caller owns, until this object is gone.
/// The handler may destroy the watch.
class ReadWatch {
 public:
  ReadWatch(Loop& loop, int fd, std::function<void()> on_readable) : watch_(loop.watch(fd, std::move(on_readable))) {}
  ~ReadWatch() { end(); }
  ReadWatch(ReadWatch&& other) noexcept = default;
  ReadWatch& operator=(ReadWatch&& other) noexcept {
    end();
    watch_ = std::move(other.watch_);
    return *this;
  }

  /// For the handler: the next call is at `next_call`, with or without data. Data that comes before does not wake the
  /// loop, which a rest saves.
  void rest_until(Instant next_call) { watch_->rest_until(next_call); }

 private:
  void end() {
    if (watch_) watch_->end();
  }
  std::shared_ptr<LoopWatch> watch_;
};

/// One deadline at a time; `kNoDeadline` means none. The handler may destroy the timer.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_due) : timer_(loop.make_timer(std::move(on_due))) {}
  ~Timer() { end(); }
  Timer(Timer&& other) noexcept = default;
  Timer& operator=(Timer&& other) noexcept {
    end();
    timer_ = std::move(other.timer_);
    return *this;
  }

  void set(Instant deadline) { timer_->set(deadline); }
  [[nodiscard]] bool is_set() const { return timer_->deadline() != kNoDeadline; }

 private:
  void end() {
    if (timer_) timer_->end();
  }
  std::shared_ptr<LoopTimer> timer_;
};

}  // namespace amt
