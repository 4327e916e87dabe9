#pragma once
/// Log lines on their way to the thread that writes them.

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/counters.hh"
#include "base/log_level.hh"

namespace amt {

struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::chrono::system_clock::time_point at{};
  std::string text;
};

/// A thread that logs never waits for the reader of the log. Bounded: lines that do not fit are lost and counted. Any
/// thread.
class LogQueue {
 public:
  static constexpr std::size_t kLinesMax = 1024;

  /// From now on lines are taken. `wake` is called, on the thread that logs, when the first of a batch is there.
  void open(std::function<void()> wake);
  /// No more lines are taken; those that are there can still be.
  void close();

  /// True: `record` was taken, and will be written or counted as lost. False: the queue is closed, write it yourself.
  bool push(LogRecord& record);
  struct Batch {
    std::vector<LogRecord> records;
    std::uint64_t lost = 0;  ///< since the last batch, after these
  };
  [[nodiscard]] Batch take();
  /// Since the start.
  [[nodiscard]] std::uint64_t lost_in_all() const { return lost_in_all_.value(); }

 private:
  std::mutex mutex_;
  /// Written under the lock.
  Count lost_in_all_;
  std::function<void()> wake_;
  Batch waiting_;
};

/// The process's own, that `log_line` goes by while it is open.
[[nodiscard]] LogQueue& log_queue();

}  // namespace amt
