#include "cli/private_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sys/unique_fd.hh"

namespace amt {
namespace {

/// Why the open file must not be used; empty: it may.
std::string refusal(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return "cannot be read";
  if (!S_ISREG(status.st_mode)) return "cannot be read: it is no regular file";
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return fmt::format("belongs to another user (uid {}), who could replace the secret (remedy: chown)", status.st_uid);
  }
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fmt::format("anyone on this host may {} it (mode {:04o}; remedy: chmod o-rw)",
                       (status.st_mode & S_IWOTH) != 0 ? "write" : "read", status.st_mode & 07777U);
  }
  return {};
}

}  // namespace

PrivateContent::~PrivateContent() { sodium_memzero(octets_.data(), octets_.size()); }

Result<void, std::string> PrivateContent::read(const std::string& path) {
  // Opened once, and what is open is looked at: nobody can put another file there in between. O_NONBLOCK: for a FIFO.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return Unexpected<std::string>("cannot be read: " + std::generic_category().message(errno));
  if (std::string why = refusal(fd.get()); !why.empty()) return Unexpected<std::string>(std::move(why));
  size_ = 0;
  while (size_ < octets_.size()) {
    const ssize_t got = ::read(fd.get(), octets_.data() + size_, octets_.size() - size_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unexpected<std::string>("cannot be read: " + std::generic_category().message(errno));
    if (got == 0) break;
    size_ += static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace amt
