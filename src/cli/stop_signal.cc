#include "cli/stop_signal.hh"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>

#include "sys/clock.hh"

namespace amt {

SysResult<StopSignal> StopSignal::create() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return tl::unexpected(SysError::last("sigprocmask"));
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return tl::unexpected(SysError::last("signalfd"));
  return StopSignal(std::move(fd));
}

bool StopSignal::wait_until(Instant until) const {
  pollfd stop{fd_.get(), POLLIN, 0};
  while (true) {
    const Duration left = std::max(until - monotonic_now(), Duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
    if (::ppoll(&stop, 1, &timeout, nullptr) > 0) return true;
    if (monotonic_now() >= until) return false;
  }
}

bool StopSignal::wait_readable(int fd) const {
  std::array<pollfd, 2> wanted = {pollfd{fd_.get(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
  while (::poll(wanted.data(), wanted.size(), -1) < 0) {
  }
  return wanted[0].revents != 0;
}

}  // namespace amt
