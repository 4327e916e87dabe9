#include "cli/state_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sys/boot_id.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

constexpr Duration kInterval = std::chrono::seconds(2);
/// Of the time, where there are very many tunnels.
constexpr int kShare = 20;
constexpr mode_t kMode = 0600;

std::string reason(int code) { return std::generic_category().message(code); }

/// Why the open file must not be used; empty: it may.
std::string refusal(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return "is no regular file";
  if (status.st_uid != 0 && status.st_uid != geteuid()) return fmt::format("belongs to user {}", status.st_uid);
  if ((status.st_mode & 077) != 0) {
    return fmt::format("others may use it (mode {:04o}, {:04o} is due)", status.st_mode & 07777U, kMode);
  }
  if (static_cast<std::uint64_t>(status.st_size) > kStateOctetsMax) return "is too large";
  return {};
}

SysResult<void> write_all(int fd, const std::string& path, Bytes octets) {
  for (Bytes rest = octets; !rest.empty();) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected(SysError::last("write", path));
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

/// Under another name first, so that whoever reads finds all of it or what was there before.
SysResult<void> replace_file(const std::string& path, Bytes octets) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  if (!fd) return tl::unexpected(SysError::last("open", fresh));
  if (SysResult<void> written = write_all(fd.get(), fresh, octets); !written) {
    ::unlink(fresh.c_str());
    return written;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return tl::unexpected(SysError::last("rename", fresh));
  return {};
}

}  // namespace

Result<std::optional<std::vector<std::byte>>, std::string> take_state_file(const std::string& path) {
  const auto fail = [&path](const std::string& why) {
    return Unexpected<std::string>(fmt::format("--state {}: {}; the relay starts empty", path, why));
  };
  // What is open is looked at: nobody can put another file there in between. O_NONBLOCK: for a FIFO.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd && errno == ENOENT) return std::optional<std::vector<std::byte>>();
  if (!fd) return fail(reason(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(reason(errno));
  if (const std::string why = refusal(status); !why.empty()) return fail(why);
  ::unlink(path.c_str());
  std::vector<std::byte> octets(static_cast<std::size_t>(status.st_size));
  for (std::size_t at = 0; at < octets.size();) {
    const ssize_t got = ::read(fd.get(), octets.data() + at, octets.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(reason(errno));
    if (got == 0) return fail("cut off");
    at += static_cast<std::size_t>(got);
  }
  return std::optional(std::move(octets));
}

StateFile::StateFile(EventLoop& loop, RelayEngine& engine, std::string path)
    : engine_(engine), path_(std::move(path)), timer_(loop, [this] { collect(); }) {
  timer_.set(monotonic_now() + kInterval);
}

void StateFile::collect() {
  began_ = monotonic_now();
  const SysResult<BootId> boot = boot_id();
  if (!boot) return log_warn("--state {}: {}", path_, boot.error().to_string());
  engine_.collect_state(*boot, StateParts::kAll,
                        [this, alive = std::weak_ptr<int>(alive_)](const std::vector<std::byte>& document) {
                          if (!alive.expired()) write(document);
                        });
}

void StateFile::write(const std::vector<std::byte>& document) {
  if (const SysResult<void> replaced = replace_file(path_, document); !replaced) {
    log_warn_limited(path_, "--state {}: {}", path_, replaced.error().to_string());
  }
  const Instant now = monotonic_now();
  log_debug("--state: {} octets in {} ms", document.size(),
            std::chrono::duration_cast<std::chrono::milliseconds>(now - began_).count());
  timer_.set(now + std::max(kInterval, kShare * (now - began_)));
}

void StateFile::remove() {
  alive_.reset();
  timer_.set(kNoDeadline);
  ::unlink(path_.c_str());
}

}  // namespace amt
