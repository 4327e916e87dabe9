#include "sys/process.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/assert.hh"

namespace amt {
namespace {

/// Between fork and exec: calls that are safe there only. Returns errno.
int become(const ProcessOptions& options, char* const* arguments, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  // The parent may have died before the line above.
  if (::getppid() != parent) return ESRCH;
  if (options.network_namespace_fd && ::setns(*options.network_namespace_fd, CLONE_NEWNET) != 0) return errno;
  const std::array<std::pair<int, int>, 3> redirections = {{{options.standard_input, STDIN_FILENO},
                                                            {options.standard_output, STDOUT_FILENO},
                                                            {options.standard_error, STDERR_FILENO}}};
  for (const auto& [from, to] : redirections) {
    if (from >= 0 && ::dup2(from, to) < 0) return errno;
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(arguments[0], arguments);
  return errno;
}

}  // namespace

Process::Process(pid_t id, UniqueFd handle) : id_(id), handle_(std::move(handle)) {}

Process::Process(Process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), handle_(std::move(other.handle_)), ended_(other.ended_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(handle_, other.handle_);
  std::swap(ended_, other.ended_);
  return *this;
}

Process::~Process() {
  if (id_ >= 0 && !ended_) terminate(Duration::zero());
}

SysResult<Process> Process::spawn(const ProcessOptions& options) {
  AMT_ASSERT(!options.arguments.empty());
  std::vector<char*> arguments;
  // execvp() does not write to them.
  for (const std::string& argument : options.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  // Closed by a successful exec; else the child's errno comes through it.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(SysError::last("pipe", options.arguments[0]));
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return tl::unexpected(SysError::last("fork", options.arguments[0]));
  if (child == 0) {
    const int code = become(options, arguments.data(), parent);
    const ssize_t written = ::write(writing.get(), &code, sizeof code);
    ::_exit(written == sizeof code ? 127 : 126);
  }
  writing.reset();
  int code = 0;
  const bool failed = ::read(reading.get(), &code, sizeof code) == sizeof code;
  // By number: the declaration in glibc 2.36 lacks extern "C".
  UniqueFd handle(failed ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!failed && !handle) code = errno;
  if (!handle) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return tl::unexpected(SysError{"run", options.arguments[0], code});
  }
  return Process(child, std::move(handle));
}

SysResult<Process> Process::fork(const std::function<int()>& life) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return tl::unexpected(SysError::last("fork"));
  if (child == 0) {
    const bool has_parent = ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent;
    ::_exit(has_parent ? life() : 1);
  }
  UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const int code = errno;
  if (!handle) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return tl::unexpected(SysError{"pidfd_open", {}, code});
  }
  return Process(child, std::move(handle));
}

std::optional<ExitStatus> Process::wait(Duration timeout) {
  if (ended_) return ended_;
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  pollfd readable{handle_.get(), POLLIN, 0};
  ::poll(&readable, 1, static_cast<int>(std::clamp<decltype(milliseconds)>(milliseconds, 0, 1'000'000'000)));
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
  ended_ = ExitStatus{WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)};
  return ended_;
}

void Process::signal(int number) const {
  // Not yet waited for, so the id is still this child's.
  if (id_ >= 0 && !ended_) ::kill(id_, number);
}

ExitStatus Process::terminate(Duration patience) {
  if (patience > Duration::zero()) {
    signal(SIGTERM);
    if (const std::optional<ExitStatus> ended = wait(patience)) return *ended;
  }
  signal(SIGKILL);
  int status = 0;
  if (!ended_ && ::waitpid(id_, &status, 0) == id_) {
    ended_ = ExitStatus{WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status)};
  }
  return ended_.value_or(ExitStatus{});
}

}  // namespace amt
