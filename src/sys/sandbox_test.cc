#include "sys/sandbox.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "sys/system_calls.hh"

namespace amt {
namespace {

constexpr int kRefused = 10;
constexpr int kAllowed = 11;
constexpr int kOtherwise = 12;

/// What became of a call, as an exit status.
int outcome(long result, int refusal = EPERM) {
  if (result >= 0) return kAllowed;
  return errno == refusal ? kRefused : kOtherwise;
}

/// In a child, which is gone afterwards with all its limits.
[[noreturn]] void attempt(const SandboxOptions& options, const std::function<int()>& act) {
  const SysResult<std::string> entered = enter_sandbox(options);
  ::_exit(entered ? act() : kOtherwise);
}

bool has_seccomp() {
#if AMT_HAVE_SECCOMP
  return true;
#else
  return false;
#endif
}
bool has_landlock() { return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U) > 0; }

std::string status_field(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

struct Call {
  const char* name;
  std::function<long()> make;
};

TEST(Sandbox, RefusesCallsThatNothingHereMakes) {
  if (!has_seccomp()) GTEST_SKIP() << "built without libseccomp";
  const Call calls[] = {
      {"setuid", [] { return ::syscall(SYS_setuid, 0); }},
      {"kill", [] { return ::syscall(SYS_kill, ::getppid(), 0); }},
      {"clone as fork does", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
      {"symlinkat", [] { return ::syscall(SYS_symlinkat, "a", AT_FDCWD, "/tmp/amt-no"); }},
      {"mknodat", [] { return ::syscall(SYS_mknodat, AT_FDCWD, "/tmp/amt-no", S_IFIFO, 0); }},
      {"sethostname", [] { return ::syscall(SYS_sethostname, "x", 1); }},
      {"a packet socket", [] { return static_cast<long>(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)); }},
      {"a Bluetooth socket", [] { return static_cast<long>(::socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC, 0)); }},
  };
  for (const Call& call : calls) {
    EXPECT_EXIT(attempt({}, [&] { return outcome(call.make()); }), testing::ExitedWithCode(kRefused), "") << call.name;
  }
  EXPECT_EXIT(attempt({}, [] { return outcome(::syscall(SYS_clone3, nullptr, 0), ENOSYS); }),
              testing::ExitedWithCode(kRefused), "");
}

TEST(Sandbox, EndsWhoHasTakenOver) {
  if (!has_seccomp()) GTEST_SKIP() << "built without libseccomp";
  const Call calls[] = {
      {"execve", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
      {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, BPF_MAP_CREATE, nullptr, 0); }},
      {"mount", [] { return ::syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr); }},
      {"unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"setns", [] { return ::syscall(SYS_setns, 0, 0); }},
  };
  for (const Call& call : calls) {
    EXPECT_EXIT(attempt({}, [&] { return outcome(call.make()); }), testing::KilledBySignal(SIGSYS), "") << call.name;
  }
}

TEST(Sandbox, LetsDoWhatDaemonsDo) {
  EXPECT_EXIT(attempt({},
                      [] {
                        int ran = 0;
                        std::thread([&ran] { ran = 1; }).join();
                        const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
                        const bool resolv = ::access("/etc/nsswitch.conf", R_OK) == 0 || errno == ENOENT;
                        return ran == 1 && fd >= 0 && resolv ? kAllowed : kOtherwise;
                      }),
              testing::ExitedWithCode(kAllowed), "");
}

TEST(Sandbox, OpensOnlyFilesThatWereNamed) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string directory = testing::TempDir() + "amt-sandbox-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  const std::string file = directory + "/file";
  const auto create = [&] { return static_cast<long>(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); };
  const auto read = [&] { return static_cast<long>(::open(file.c_str(), O_RDONLY | O_CLOEXEC)); };
  SandboxOptions writes;
  writes.files.writable = {directory};
  SandboxOptions reads;
  reads.files.readable = {directory, "/not/there"};
  EXPECT_EXIT(attempt({}, [&] { return outcome(create(), EACCES); }), testing::ExitedWithCode(kRefused), "");
  EXPECT_EXIT(attempt(writes, [&] { return outcome(create()); }), testing::ExitedWithCode(kAllowed), "");
  EXPECT_EXIT(attempt(reads, [&] { return outcome(read()); }), testing::ExitedWithCode(kAllowed), "");
  EXPECT_EXIT(attempt(reads, [&] { return outcome(create(), EACCES); }), testing::ExitedWithCode(kRefused), "");
  EXPECT_EXIT(attempt({}, [&] { return outcome(read(), EACCES); }), testing::ExitedWithCode(kRefused), "");
  EXPECT_EXIT(attempt(writes, [&] { return outcome(::unlink(file.c_str())); }), testing::ExitedWithCode(kAllowed), "");
  ::rmdir(directory.c_str());
}

TEST(Sandbox, KeepsNoCapabilityThatWasNotNamed) {
  EXPECT_EXIT(attempt({},
                      [] {
                        const bool none = status_field("CapEff") == "0000000000000000" &&
                                          status_field("CapPrm") == "0000000000000000" &&
                                          status_field("CapAmb") == "0000000000000000" &&
                                          status_field("NoNewPrivs") == "1";
                        return none ? kAllowed : kOtherwise;
                      }),
              testing::ExitedWithCode(kAllowed), "");
  if (!has_capability(Capability::kNetRaw)) GTEST_SKIP() << "this process has no CAP_NET_RAW to keep";
  SandboxOptions raw;
  raw.capabilities = {Capability::kNetRaw};
  raw.packet_sockets = true;
  EXPECT_EXIT(attempt(raw,
                      [] {
                        const bool one = status_field("CapEff") == "0000000000002000" &&
                                         status_field("CapPrm") == "0000000000002000";
                        if (!one) return kOtherwise;
                        return outcome(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
                      }),
              testing::ExitedWithCode(kAllowed), "");
}

TEST(Sandbox, SaysWhatIsInForce) {
  EXPECT_EXIT(
      {
        const SysResult<std::string> entered = enter_sandbox({});
        ::_exit(entered && entered->starts_with("system calls ") ? kAllowed : kOtherwise);
      },
      testing::ExitedWithCode(kAllowed), "");
}

}  // namespace
}  // namespace amt
