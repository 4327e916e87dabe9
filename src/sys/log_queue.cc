#include "sys/log_queue.hh"

#include <utility>

namespace amt {

void LogQueue::open(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
}

void LogQueue::close() {
  const std::scoped_lock lock(mutex_);
  wake_ = nullptr;
}

bool LogQueue::push(LogRecord& record) {
  const std::scoped_lock lock(mutex_);
  if (!wake_) return false;
  if (waiting_.records.size() == kLinesMax) {
    ++waiting_.lost;
    lost_in_all_.add();
    return true;
  }
  waiting_.records.push_back(std::move(record));
  if (waiting_.records.size() == 1) wake_();
  return true;
}

LogQueue::Batch LogQueue::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(waiting_, {});
}

LogQueue& log_queue() {
  static LogQueue queue;
  return queue;
}

}  // namespace amt
