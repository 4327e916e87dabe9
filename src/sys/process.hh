#pragma once
/// Child processes that never outlive their owner.

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "amt/time.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct ProcessOptions {
  /// The program, looked up in PATH, and its arguments.
  std::vector<std::string> arguments;
  /// Borrowed descriptors; -1: as this process has it. Everything else that this process opened is close-on-exec.
  int standard_input = -1;
  int standard_output = -1;
  int standard_error = -1;
  /// Starts there (`NetworkNamespace::fd`).
  std::optional<int> network_namespace_fd = std::nullopt;
};

struct ExitStatus {
  /// The exit status; 128 + the signal's number when a signal ended it.
  int code = 0;
};

/// Killed and waited for when this object goes; killed by the kernel when the thread that spawned it ends
/// (PR_SET_PDEATHSIG), so spawn on a thread that lives.
class Process {
 public:
  /// ENOENT and kin when the program cannot be run.
  static SysResult<Process> spawn(const ProcessOptions& options);
  /// A copy of this process, which runs `life` and exits with its result. Call it while this process has one thread.
  static SysResult<Process> fork(const std::function<int()>& life);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  [[nodiscard]] pid_t id() const { return id_; }
  /// Nothing when it still runs after `timeout`.
  std::optional<ExitStatus> wait(Duration timeout);
  void signal(int number) const;
  /// SIGTERM, and SIGKILL when it still runs after `patience`.
  ExitStatus terminate(Duration patience);

 private:
  Process(pid_t id, UniqueFd handle);
  pid_t id_ = -1;
  UniqueFd handle_;
  std::optional<ExitStatus> ended_;
};

}  // namespace amt
