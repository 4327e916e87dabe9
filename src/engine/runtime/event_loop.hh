#pragma once
/// The event loop: Boost.Asio used for readiness, timers and signals, behind types that keep it out of other headers.
/// Everything here runs on the one thread that calls `EventLoop::run`, and may be called there alone, but for
/// `EventLoop::post`.

#include <functional>
#include <memory>

#include "amt/time.hh"

namespace boost::asio {
class io_context;
}

namespace amt {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Until `stop`. May be called again.
  void run();
  void stop();
  /// Has the loop's thread call `work`, in the order of posting. Any thread. What `stop` leaves over is never called,
  /// or when `run` is called again.
  void post(std::function<void()> work);
  /// `handler(signal)` at SIGINT, SIGTERM, and SIGHUP unless the process was started with that ignored (nohup). A
  /// second one ends `run` at once, whatever the handler is waiting for.
  void on_stop_signal(std::function<void(int)> handler);
  /// SIGHUP is no stop signal, each has `handler` called. After `on_stop_signal`.
  void on_reload_signal(std::function<void()> handler);
  /// For servers that are built on Asio themselves.
  [[nodiscard]] boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Calls `on_readable` while there is something to read from a descriptor that somebody else owns, until this object is
/// gone. The handler may destroy the watch.
class ReadWatch {
 public:
  ReadWatch(EventLoop& loop, int fd, std::function<void()> on_readable);
  ~ReadWatch();
  ReadWatch(ReadWatch&&) noexcept;
  ReadWatch& operator=(ReadWatch&&) noexcept;

  /// For the handler: the next call is at `next_call`, whatever comes meanwhile, and if nothing comes. Nothing that
  /// comes before wakes the loop, which is what a rest saves.
  void rest_until(Instant next_call);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// One deadline at a time; `kNoDeadline` means none.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> on_due);
  ~Timer();
  Timer(Timer&&) noexcept;
  Timer& operator=(Timer&&) noexcept;

  void set(Instant deadline);
  [[nodiscard]] bool is_set() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
