#include "sys/system_calls.hh"

#include <cerrno>

#if AMT_HAVE_SECCOMP
#include <linux/bpf.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#endif

namespace amt {

#if AMT_HAVE_SECCOMP
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

/// Names that this libseccomp does not know are no calls of its kernel's either.
constexpr const char* kAllowed[] = {
    // memory
    "brk", "madvise", "mincore", "mlock", "mmap", "mmap2", "mprotect", "mremap", "munlock", "munmap",
    // threads, signals, the end
    "exit", "exit_group", "futex", "futex_time64", "get_robust_list", "getcpu", "membarrier", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_setaffinity", "sched_yield", "set_robust_list",
    "set_tid_address", "sigaltstack", "sigreturn", "signalfd4", "tgkill", "arch_prctl",
    // time
    "clock_getres", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "getrusage",
    "gettimeofday", "nanosleep", "time", "timerfd_create", "timerfd_gettime", "timerfd_settime", "timerfd_settime64",
    "times",
    // descriptors
    "_llseek", "close", "close_range", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "fadvise64", "fallocate", "fcntl", "fcntl64", "fdatasync",
    "flock", "fsync", "ftruncate", "ftruncate64", "lseek", "memfd_create", "pipe", "pipe2", "poll", "ppoll",
    "ppoll_time64", "pread64", "preadv", "pselect6", "pwrite64", "pwritev", "read", "readv", "select", "write",
    "writev",
    // files (Landlock says which)
    "access", "chmod", "faccessat", "faccessat2", "fchmod", "fchmodat", "fstat", "fstat64", "fstatat64", "fstatfs",
    "getcwd", "getdents", "getdents64", "lstat", "lstat64", "mkdir", "mkdirat", "newfstatat", "open", "openat",
    "openat2", "readlink", "readlinkat", "rename", "renameat", "renameat2", "stat", "stat64", "statfs", "statx",
    "umask", "unlink", "unlinkat",
    // sockets; `socket` below
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
    "recvmmsg", "recvmmsg_time64", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socketpair",
    // this process
    "capget", "capset", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid",
    "getrandom", "getresgid", "getresuid", "getrlimit", "gettid", "getuid", "prctl", "prlimit64", "sysinfo",
    "ugetrlimit", "uname",
    // more of this confinement
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "seccomp"};

/// This program makes none of them. An attacker in the process might.
constexpr const char* kDeadly[] = {"execve",
                                   "execveat",
                                   "ptrace",
                                   "process_vm_readv",
                                   "process_vm_writev",
                                   "process_madvise",
                                   "kcmp",
                                   "pidfd_getfd",
                                   "perf_event_open",
                                   "userfaultfd",
                                   "init_module",
                                   "finit_module",
                                   "delete_module",
                                   "kexec_load",
                                   "kexec_file_load",
                                   "mount",
                                   "umount2",
                                   "pivot_root",
                                   "chroot",
                                   "move_mount",
                                   "open_tree",
                                   "fsopen",
                                   "fsmount",
                                   "setns",
                                   "unshare",
                                   "add_key",
                                   "request_key",
                                   "keyctl",
                                   "reboot",
                                   "swapon",
                                   "swapoff",
                                   "acct",
                                   "iopl",
                                   "ioperm",
                                   "open_by_handle_at",
                                   "io_uring_setup"};

/// Builds a filter; the first error is kept.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {}

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    // Calls that the library or the kernel does not know are left out.
    static_cast<void>(seccomp_attr_set(context_.get(), attribute, value));
  }
  void add(std::uint32_t action, const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number != __NR_SCMP_ERROR) keep(seccomp_rule_add(context_.get(), action, number, 0));
  }
  void add(std::uint32_t action, int number, const scmp_arg_cmp& condition) {
    keep(seccomp_rule_add_array(context_.get(), action, number, 1, &condition));
  }
  [[nodiscard]] int load() {
    if (!context_) return -ENOMEM;
    return error_ != 0 ? error_ : seccomp_load(context_.get());
  }

 private:
  void keep(int result) {
    if (error_ == 0) error_ = result;
  }

  Context context_;
  int error_ = 0;
};

scmp_arg_cmp equals(unsigned argument, int value) {
  return {argument, SCMP_CMP_EQ, static_cast<scmp_datum_t>(value), 0};
}

void add_conditional_calls(Filter& filter, const SystemCallChoice& choice) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(socket), equals(0, family));
  }
  if (choice.packet_sockets) {
    for (const int family : {AF_PACKET, AF_XDP}) filter.add(SCMP_ACT_ALLOW, SCMP_SYS(socket), equals(0, family));
  }
  // Other operations of bpf(2) are an attacker's.
  const auto update = static_cast<int>(BPF_MAP_UPDATE_ELEM);
  if (choice.bpf_map_updates) filter.add(SCMP_ACT_ALLOW, SCMP_SYS(bpf), equals(0, update));
  filter.add(SCMP_ACT_KILL_PROCESS, SCMP_SYS(bpf), scmp_arg_cmp{0, SCMP_CMP_NE, update, 0});
  // Threads, not processes. The arguments of clone3 are out of a filter's sight; without it the C library takes clone.
  filter.add(SCMP_ACT_ALLOW, SCMP_SYS(clone), scmp_arg_cmp{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD});
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // Types into the terminal as if its user did.
  filter.add(SCMP_ACT_ALLOW, SCMP_SYS(ioctl), scmp_arg_cmp{1, SCMP_CMP_NE, TIOCSTI, 0});
}

}  // namespace

SysResult<void> limit_system_calls(const SystemCallChoice& choice) {
  Filter filter;
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.set(SCMP_FLTATR_CTL_LOG, 1);
  // A filter is no reason to switch speculation off, which would slow everything down.
  filter.set(SCMP_FLTATR_CTL_SSB, 1);
  // A search tree in the place of a list.
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  filter.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (const char* const name : kAllowed) filter.add(SCMP_ACT_ALLOW, name);
  for (const char* const name : kDeadly) filter.add(SCMP_ACT_KILL_PROCESS, name);
  add_conditional_calls(filter, choice);
  if (const int error = filter.load(); error != 0) return tl::unexpected(SysError{"seccomp", {}, -error});
  return {};
}

#else

SysResult<void> limit_system_calls(const SystemCallChoice&) { return tl::unexpected(SysError{"seccomp", {}, ENOSYS}); }

#endif

}  // namespace amt
