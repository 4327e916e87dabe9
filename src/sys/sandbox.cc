#include "sys/sandbox.hh"

#include <sys/prctl.h>

#include <cerrno>
#include <system_error>

#include "sys/system_calls.hh"

namespace amt {
namespace {

/// For the C library and its plug-ins (name service, character sets), libunbound and libnl. /proc as a whole: its files
/// below that have a new identity each time the kernel has forgotten them. /run: where resolv.conf often is.
constexpr const char* kSystemFiles[] = {"/etc",  "/usr", "/lib", "/lib32",       "/lib64",      "/nix/store",
                                        "/proc", "/sys", "/run", "/dev/urandom", "/dev/random", "/var/lib/unbound"};

std::string reason(const SysError& error) {
  const bool is_missing = error.code == ENOSYS || error.code == EOPNOTSUPP;
  return is_missing ? "not available here" : "refused: " + std::generic_category().message(error.code);
}

}  // namespace

SysResult<std::string> enter_sandbox(const SandboxOptions& options) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return tl::unexpected(SysError::last("prctl", "no_new_privs"));
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return tl::unexpected(SysError::last("prctl", "dumpable"));

  FileAccess files = options.files;
  for (const char* const path : kSystemFiles) files.readable.emplace_back(path);
  files.writable.emplace_back("/dev/null");
  const SysResult<void> landlock = restrict_files(files);
  if (const auto limited = limit_capabilities(options.capabilities); !limited) return tl::unexpected(limited.error());
  const SysResult<void> seccomp = limit_system_calls({options.packet_sockets, options.bpf_map_updates});

  const auto state = [](const SysResult<void>& limit) { return limit ? "on the list" : reason(limit.error()); };
  return "system calls " + state(seccomp) + ", files by Landlock " + state(landlock);
}

}  // namespace amt
