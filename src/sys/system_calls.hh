#pragma once
/// Which system calls the process may still make (seccomp(2), by libseccomp).

#include "sys/error.hh"

namespace amt {

struct SystemCallChoice {
  bool packet_sockets = false;   ///< sockets of AF_PACKET and AF_XDP may be opened
  bool bpf_map_updates = false;  ///< bpf(2) may change the maps that are open, and nothing else
};

/// Of all threads, from now on and for good. Sets no_new_privs.
///
/// A call that is not on the list fails with EPERM, and the kernel's audit log names it: a new version of the C library
/// that makes an unknown call must not end a relay that serves ten thousand. Calls that only an attacker in the process
/// makes (execve, ptrace, bpf, mount and the like) end it at once. clone is allowed for threads alone. Arguments of
/// other calls are not checked: calls without conditions cost the data path nothing that can be measured (the kernel
/// remembers them in a bitmap, Linux 5.11). Error ENOSYS: the program was built without libseccomp; else the error of
/// seccomp(2).
SysResult<void> limit_system_calls(const SystemCallChoice& choice);

}  // namespace amt
