#pragma once
/// A lock for a few instructions, in rooms that know no threads.

#include <atomic>

namespace amt {

/// Lockable, for `std::scoped_lock`-like guards. Held for a microsecond at most, and never on a packet's way. A thread
/// that finds it taken sleeps until it is free and does not spin. Not recursive.
class BriefLock {
 public:
  BriefLock() = default;
  BriefLock(const BriefLock&) = delete;
  BriefLock& operator=(const BriefLock&) = delete;

  void lock() {
    while (taken_.exchange(1, std::memory_order_acquire) != 0) taken_.wait(1, std::memory_order_relaxed);
  }
  void unlock() {
    taken_.store(0, std::memory_order_release);
    taken_.notify_one();
  }

 private:
  /// An atomic that the kernel can wait on without a proxy.
  std::atomic<int> taken_ = 0;
};

/// Holds it for a scope.
class BriefLockGuard {
 public:
  explicit BriefLockGuard(BriefLock& lock) : lock_(lock) { lock_.lock(); }
  ~BriefLockGuard() { lock_.unlock(); }
  BriefLockGuard(const BriefLockGuard&) = delete;
  BriefLockGuard& operator=(const BriefLockGuard&) = delete;

 private:
  BriefLock& lock_;
};

}  // namespace amt
