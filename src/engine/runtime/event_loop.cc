#include "engine/runtime/event_loop.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <utility>

namespace amt {

namespace asio = boost::asio;
namespace {

/// Both count CLOCK_MONOTONIC.
std::chrono::steady_clock::time_point steady(Instant at) {
  return std::chrono::steady_clock::time_point(at.time_since_epoch());
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// By Asio's reactor.
struct AsioWatch final : LoopWatch, std::enable_shared_from_this<AsioWatch> {
  AsioWatch(asio::io_context& context, int fd, std::function<void()> handler)
      : watched(fd), descriptor(context, fd), rest(context), on_readable(std::move(handler)) {}

  void wait() {
    if (next_call != kNoDeadline) {
      look_away();
      rest.expires_at(steady(std::exchange(next_call, kNoDeadline)));
      return rest.async_wait(
          [self = shared_from_this()](const boost::system::error_code& error) { self->call(error); });
    }
    if (!descriptor.is_open()) descriptor.assign(watched);
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) { self->call(error); });
  }
  void call(const boost::system::error_code& error) {
    if (error || ended) return;
    on_readable();
    if (!ended) wait();
  }
  /// The descriptor belongs to the caller; `release` takes it out of the reactor and leaves it open. Else each arrival
  /// would wake the loop, for nothing.
  void look_away() {
    if (descriptor.is_open()) static_cast<void>(descriptor.release());
  }
  void rest_until(Instant at) override { next_call = at; }
  void end() override {
    ended = true;
    rest.cancel();
    look_away();
  }

  int watched;
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer rest;
  std::function<void()> on_readable;
  Instant next_call = kNoDeadline;
  bool ended = false;
};

struct AsioTimer final : LoopTimer, std::enable_shared_from_this<AsioTimer> {
  AsioTimer(asio::io_context& context, std::function<void()> handler) : timer(context), on_due(std::move(handler)) {}

  void set(Instant at) override {
    if (at == due) return;
    due = at;
    if (at == kNoDeadline) {
      timer.cancel();
      return;
    }
    timer.expires_at(steady(at));
    timer.async_wait([self = shared_from_this(), at](const boost::system::error_code& error) {
      if (error || self->ended || self->due != at) return;
      self->due = kNoDeadline;
      self->on_due();
    });
  }
  [[nodiscard]] Instant deadline() const override { return due; }
  void end() override {
    ended = true;
    timer.cancel();
  }

  asio::steady_timer timer;
  std::function<void()> on_due;
  Instant due = kNoDeadline;
  bool ended = false;
};

}  // namespace

struct EventLoop::Impl {
  // One thread runs it; others may still post.
  asio::io_context context{1};
  asio::signal_set signals{context};
  asio::signal_set reload_signals{context};
  std::function<void(int)> on_stop;
  std::function<void()> on_reload;

  void wait_for_signal() {
    signals.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      // The next one is not a request any more.
      signals.async_wait([this](const boost::system::error_code& again, int) {
        if (!again) context.stop();
      });
      on_stop(signal);
    });
  }

  void wait_for_reload() {
    reload_signals.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      wait_for_reload();
      on_reload();
    });
  }
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  {
    const auto keep_alive = asio::make_work_guard(impl_->context);
    impl_->context.run();
  }
  // Afterwards, not before: a `stop` that came before `run` counts, but not the one of a guard that guards nothing
  // more.
  impl_->context.restart();
}

void EventLoop::stop() { impl_->context.stop(); }

void EventLoop::post(std::function<void()> work) { asio::post(impl_->context, std::move(work)); }

void EventLoop::on_stop_signal(std::function<void(int)> handler) {
  impl_->on_stop = std::move(handler);
  impl_->signals.add(SIGINT);
  impl_->signals.add(SIGTERM);
  if (!is_ignored(SIGHUP)) impl_->signals.add(SIGHUP);
  impl_->wait_for_signal();
}

void EventLoop::on_reload_signal(std::function<void()> handler) {
  impl_->on_reload = std::move(handler);
  boost::system::error_code not_there;
  impl_->signals.remove(SIGHUP, not_there);
  impl_->reload_signals.add(SIGHUP);
  impl_->wait_for_reload();
}

boost::asio::io_context& EventLoop::context() { return impl_->context; }

std::shared_ptr<LoopWatch> EventLoop::watch(int fd, std::function<void()> on_readable) {
  auto made = std::make_shared<AsioWatch>(impl_->context, fd, std::move(on_readable));
  made->wait();
  return made;
}

std::shared_ptr<LoopTimer> EventLoop::make_timer(std::function<void()> on_due) {
  return std::make_shared<AsioTimer>(impl_->context, std::move(on_due));
}

}  // namespace amt
