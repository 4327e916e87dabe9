#include "sys/poll_gate.hh"

#include <sys/epoll.h>

namespace amt {
namespace {

int watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

SysResult<PollGate> PollGate::create(int fd) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return tl::unexpected(SysError::last("epoll_create1"));
  if (watch(epoll.get(), fd) != 0) return tl::unexpected(SysError::last("epoll_ctl"));
  return PollGate(std::move(epoll), fd);
}

void PollGate::close() { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr); }

// Where the kernel has no memory for it the gate stays closed until the next time.
void PollGate::open() { watch(epoll_.get(), fd_); }

}  // namespace amt
