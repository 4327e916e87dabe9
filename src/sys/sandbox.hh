#pragma once
/// A process that reads packets of strangers gives up privileges here, before the first packet.

#include <string>
#include <vector>

#include "sys/capabilities.hh"
#include "sys/error.hh"
#include "sys/landlock.hh"

namespace amt {

struct SandboxOptions {
  /// Kept where the process has them.
  std::vector<Capability> capabilities;
  bool packet_sockets = false;
  bool bpf_map_updates = false;
  /// Besides the files that every program needs: system libraries, /etc, /proc, /sys, /run, /dev/null.
  FileAccess files;
};

/// No new privileges (execve gives none), no core dumps and no debugger of the same user (keys are in memory), only
/// those files, capabilities and system calls. Call it while the process has one thread: capabilities and files are the
/// calling thread's and those threads' that it starts later. Result: for the log, which of the two lists are in force,
/// and which this kernel does not have. Error: the kernel refused a step that every kernel has.
SysResult<std::string> enter_sandbox(const SandboxOptions& options);

}  // namespace amt
