#pragma once
/// The event loop: Boost.Asio used for readiness, timers and signals, behind types that keep it out of other headers.
/// Objects of a loop run on the one thread that calls `run`, and are called there alone, except for `post`.

#include <functional>
#include <memory>

#include "engine/runtime/loop.hh"

namespace boost::asio {
class io_context;
}

namespace amt {

class EventLoop final : public Loop {
 public:
  EventLoop();
  ~EventLoop() override;

  /// Until `stop`. May be called again.
  void run();
  void stop();
  /// Has the loop's thread call `work`, in the order of posting. Any thread. Work that is left at `stop` is never
  /// called, or when `run` is called again.
  void post(std::function<void()> work);
  /// `handler(signal)` at SIGINT, SIGTERM, and SIGHUP unless the process was started with that ignored (nohup). A
  /// second one ends `run` at once, also while the handler waits.
  void on_stop_signal(std::function<void(int)> handler);
  /// SIGHUP is no stop signal, each has `handler` called. After `on_stop_signal`.
  void on_reload_signal(std::function<void()> handler);
  /// For servers that are built on Asio themselves.
  [[nodiscard]] boost::asio::io_context& context();

 private:
  std::shared_ptr<LoopWatch> watch(int fd, std::function<void()> on_readable) override;
  std::shared_ptr<LoopTimer> make_timer(std::function<void()> on_due) override;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
