#include "engine/runtime/poll_loop.hh"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace amt {
namespace {

/// The others' turn is the next call.
constexpr int kEventsMax = 32;

}  // namespace

class PollLoop::Deadline final : public LoopTimer, public std::enable_shared_from_this<Deadline> {
 public:
  Deadline(PollLoop& loop, std::function<void()> handler) : loop_(loop), on_due_(std::move(handler)) {}

  void set(Instant at) override {
    if (at == at_) return;
    take_out();
    at_ = at;
    if (at != kNoDeadline) loop_.deadlines_.emplace(at, shared_from_this());
  }
  [[nodiscard]] Instant deadline() const override { return at_; }
  void end() override {
    take_out();
    ended_ = true;
  }
  void call() {
    if (!ended_) on_due_();
  }
  /// Is not set any more.
  void take_out() {
    if (at_ == kNoDeadline) return;
    for (auto [one, end] = loop_.deadlines_.equal_range(at_); one != end; ++one) {
      if (one->second.get() != this) continue;
      // This object may have no other owner.
      const std::shared_ptr<Deadline> self = std::move(one->second);
      loop_.deadlines_.erase(one);
      at_ = kNoDeadline;
      return;
    }
  }

 private:
  PollLoop& loop_;
  std::function<void()> on_due_;
  Instant at_ = kNoDeadline;
  bool ended_ = false;
};

class PollLoop::Watch final : public LoopWatch {
 public:
  Watch(PollLoop& loop, int fd, std::function<void()> handler)
      : loop_(loop), fd_(fd), on_readable_(std::move(handler)), rest_(loop, [this] {
          listen();
          call();
        }) {
    listen();
  }

  void rest_until(Instant next_call) override {
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
    rest_.set(next_call);
  }
  void end() override {
    ended_ = true;
    rest_.set(kNoDeadline);
    // The descriptor is still open: its owner ends the watch first.
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
    const auto self = loop_.watches_.extract(fd_);
  }
  void call() {
    if (!ended_) on_readable_();
  }

 private:
  void listen() {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd_;
    // For want of memory, or at the user's limit of watches.
    if (::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_ADD, fd_, &event) != 0 && !loop_.failure_) {
      loop_.failure_ = SysError::last("epoll_ctl");
    }
  }

  PollLoop& loop_;
  int fd_;
  std::function<void()> on_readable_;
  Timer rest_;
  bool ended_ = false;
};

SysResult<std::unique_ptr<PollLoop>> PollLoop::open() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return Unexpected<SysError>(SysError::last("epoll_create1"));
  return std::unique_ptr<PollLoop>(new PollLoop(std::move(epoll)));
}

PollLoop::~PollLoop() = default;

Instant PollLoop::next_deadline() const { return deadlines_.empty() ? kNoDeadline : deadlines_.begin()->first; }

SysResult<void> PollLoop::process(Instant now) {
  std::array<epoll_event, kEventsMax> events{};
  const int ready = ::epoll_wait(epoll_.get(), events.data(), kEventsMax, 0);
  if (ready < 0 && errno != EINTR) return Unexpected<SysError>(SysError::last("epoll_wait"));
  for (int i = 0; i < ready; ++i) {
    // A handler before this one may have ended it.
    const auto found = watches_.find(events[static_cast<std::size_t>(i)].data.fd);
    if (found == watches_.end()) continue;
    const std::shared_ptr<Watch> watch = found->second;
    watch->call();
  }
  call_due(now);
  if (failure_) return Unexpected<SysError>(*failure_);
  return {};
}

void PollLoop::call_due(Instant now) {
  // A timer that a handler sets for now runs in the next call: no handler is called twice.
  std::vector<std::shared_ptr<Deadline>> due;
  for (const auto& [at, deadline] : deadlines_) {
    if (at > now) break;
    due.push_back(deadline);
  }
  for (const std::shared_ptr<Deadline>& deadline : due) {
    // A handler before this one may have moved it.
    if (deadline->deadline() > now) continue;
    deadline->take_out();
    deadline->call();
  }
}

std::shared_ptr<LoopWatch> PollLoop::watch(int fd, std::function<void()> on_readable) {
  auto made = std::make_shared<Watch>(*this, fd, std::move(on_readable));
  watches_.insert_or_assign(fd, made);
  return made;
}

std::shared_ptr<LoopTimer> PollLoop::make_timer(std::function<void()> on_due) {
  return std::make_shared<Deadline>(*this, std::move(on_due));
}

}  // namespace amt
