#pragma once
/// An event loop with a thread of its own.

#include <string>
#include <thread>

#include "engine/runtime/event_loop.hh"

namespace amt {

/// The only place where threads begin. Called from one thread, not its own.
class LoopThread {
 public:
  LoopThread() = default;
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() { stop(); }

  [[nodiscard]] EventLoop& loop() { return loop_; }
  /// `name`: as `top -H` shows it, 15 characters at most.
  void start(const std::string& name);
  /// Waits until the handler at hand has returned. Posted work waits for the next `start`.
  void stop();
  [[nodiscard]] bool is_running() const { return thread_.joinable(); }

 private:
  EventLoop loop_;
  std::thread thread_;  // allow: the engine's workers
};

}  // namespace amt
