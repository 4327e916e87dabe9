#include "sys/landlock.hh"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "sys/unique_fd.hh"

namespace amt {
namespace {

// Later than the headers of some distributions: Linux 5.19, 6.2.
constexpr std::uint64_t kRefer = 1U << 13;
constexpr std::uint64_t kTruncate = 1U << 14;

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadDirectory = LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kFirstVersion = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr std::uint64_t kOfFiles = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr std::uint64_t kRead = kReadFile | kReadDirectory;
constexpr std::uint64_t kWrite = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;

/// The accesses that this kernel can refuse.
std::uint64_t refusable(long version) {
  return kFirstVersion | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
}

SysResult<void> allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!place || ::fstat(place.get(), &status) != 0) return {};
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(status.st_mode) ? rights : rights & kOfFiles;
  rule.parent_fd = place.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return tl::unexpected(SysError::last("landlock_add_rule", path));
  }
  return {};
}

}  // namespace

SysResult<void> restrict_files(const FileAccess& access) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return tl::unexpected(SysError::last("landlock_create_ruleset"));
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = refusable(version);
  const UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0)));
  if (!ruleset) return tl::unexpected(SysError::last("landlock_create_ruleset"));
  for (const std::string& path : access.readable) {
    if (auto allowed = allow(ruleset.get(), path, kRead); !allowed) return allowed;
  }
  for (const std::string& path : access.writable) {
    if (auto allowed = allow(ruleset.get(), path, kWrite & refusable(version)); !allowed) return allowed;
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return tl::unexpected(SysError::last("landlock_restrict_self"));
  }
  return {};
}

}  // namespace amt
