#include "cli/stop_signal.hh"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <optional>

#include "sys/clock.hh"

namespace amt {
namespace {

/// As ppoll(2) takes it; none: for ever.
std::optional<timespec> time_left(Instant until) {
  if (until == kNoDeadline) return std::nullopt;
  const Duration left = std::max(until - monotonic_now(), Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return timespec{static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

}  // namespace

SysResult<StopSignal> StopSignal::create() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // Where it is ignored (nohup) it stays so: a blocked signal would be delivered to the descriptor all the same.
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return tl::unexpected(SysError::last("sigprocmask"));
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return tl::unexpected(SysError::last("signalfd"));
  return StopSignal(std::move(fd));
}

bool StopSignal::wait_until(Instant until) const {
  pollfd stop{fd_.get(), POLLIN, 0};
  while (true) {
    const std::optional<timespec> timeout = time_left(until);
    if (::ppoll(&stop, 1, timeout ? &*timeout : nullptr, nullptr) > 0) return true;
    if (monotonic_now() >= until) return false;
  }
}

StopSignal::Waited StopSignal::wait_readable(int fd, Instant until) const {
  std::array<pollfd, 2> wanted = {pollfd{fd_.get(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
  while (true) {
    const std::optional<timespec> timeout = time_left(until);
    if (::ppoll(wanted.data(), wanted.size(), timeout ? &*timeout : nullptr, nullptr) > 0) break;
    if (monotonic_now() >= until) return Waited::kTimeout;
  }
  return wanted[0].revents != 0 ? Waited::kStop : Waited::kReadable;
}

}  // namespace amt
