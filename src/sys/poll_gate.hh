#pragma once
/// A descriptor to watch in place of another, which can look away from it.

#include <utility>

#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// The kernel wakes the watchers of a socket for each datagram that has left it (`sock_wfree`), even if they wait for
/// arrivals alone: two locks for a datagram, a tenth of what a copy costs. An epoll of its own stands between; taking
/// the socket out of it and putting it back cost a system call each. Not thread-safe.
class PollGate {
 public:
  /// `fd` outlives the gate. Open at first.
  static SysResult<PollGate> create(int fd);

  /// Readable while the gate is open and the descriptor is readable or has an error.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  void close();
  /// Datagrams that arrived meanwhile are readable from here on.
  void open();

 private:
  PollGate(UniqueFd epoll, int fd) : epoll_(std::move(epoll)), fd_(fd) {}
  UniqueFd epoll_;
  int fd_;
};

}  // namespace amt
