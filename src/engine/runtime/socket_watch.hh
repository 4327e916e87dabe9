#pragma once
/// Readiness of a stream socket, to read and to write.

#include <functional>
#include <memory>

#include "engine/runtime/event_loop.hh"

namespace amt {

/// Watches a descriptor that the caller owns, until this object is gone; lives on the loop's thread. Each handler may
/// destroy it.
class SocketWatch {
 public:
  /// `on_readable` is called while there is something to read, the end of the stream too.
  SocketWatch(EventLoop& loop, int fd, std::function<void()> on_readable, std::function<void()> on_writable);
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  /// Calls `on_writable` once, when the socket takes octets again.
  void await_writable();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
