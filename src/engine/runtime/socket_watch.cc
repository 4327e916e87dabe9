#include "engine/runtime/socket_watch.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace amt {

using Descriptor = boost::asio::posix::stream_descriptor;

struct SocketWatch::Impl : std::enable_shared_from_this<SocketWatch::Impl> {
  Impl(EventLoop& loop, int fd, std::function<void()> the_on_readable, std::function<void()> the_on_writable)
      : descriptor(loop.context(), fd),
        on_readable(std::move(the_on_readable)),
        on_writable(std::move(the_on_writable)) {}

  void await_readable() {
    descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->ended) return;
      self->on_readable();
      if (!self->ended) self->await_readable();
    });
  }

  Descriptor descriptor;
  std::function<void()> on_readable;
  std::function<void()> on_writable;
  bool ended = false;
};

SocketWatch::SocketWatch(EventLoop& loop, int fd, std::function<void()> on_readable, std::function<void()> on_writable)
    : impl_(std::make_shared<Impl>(loop, fd, std::move(on_readable), std::move(on_writable))) {
  impl_->await_readable();
}

SocketWatch::~SocketWatch() {
  impl_->ended = true;
  static_cast<void>(impl_->descriptor.release());  // it stays open
}

void SocketWatch::await_writable() {
  impl_->descriptor.async_wait(Descriptor::wait_write, [self = impl_](const boost::system::error_code& error) {
    if (!error && !self->ended) self->on_writable();
  });
}

}  // namespace amt
