#pragma once
/// The thread that writes a daemon's log.

#include <atomic>

#include "engine/runtime/event_loop.hh"
#include "engine/runtime/loop_thread.hh"

namespace amt {

/// While it lives, `log_line` never waits: not for the disk, a slow terminal, or a pipe without a reader. One at a
/// time; outlives the threads that log. At the end waiting lines are written, unless stderr takes nothing.
class LogWriter {
 public:
  /// How long the end waits for stderr.
  static constexpr Duration kEndPatience = std::chrono::milliseconds(200);

  LogWriter();
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

 private:
  void write_waiting();
  void on_second();
  /// False: the end has come, and stderr still takes nothing.
  bool wait_for_stderr();

  LoopThread thread_;
  Timer second_;
  /// From now on stderr is waited for no longer than `kEndPatience`.
  std::atomic<bool> ending_ = false;
};

}  // namespace amt
