#include "observe/control_socket.hh"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace amt {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr mode_t kDirectoryMode = 0755;
/// Clients that come at once, and have not been accepted yet.
constexpr int kBacklog = 256;

/// A socket address of the UNIX family; the path fits (`listen` has looked).
class UnixAddress {
 public:
  explicit UnixAddress(const std::string& path) {
    address_.un.sun_family = AF_UNIX;
    std::memcpy(address_.un.sun_path, path.c_str(), path.size() + 1);
  }
  static constexpr std::size_t kPathOctetsMax = sizeof(sockaddr_un::sun_path) - 1;
  [[nodiscard]] const sockaddr* data() const { return &address_.any; }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  union {
    sockaddr any;
    sockaddr_un un{};
  } address_;
};

/// The umask for bind(2). It belongs to the process, so other threads have it for the moment, too: their files get no
/// more rights by it than by a usual one.
class UmaskThatAllows {
 public:
  explicit UmaskThatAllows(mode_t mode) : before_(::umask(~mode & 0777)) {}
  ~UmaskThatAllows() { ::umask(before_); }
  UmaskThatAllows(const UmaskThatAllows&) = delete;
  UmaskThatAllows& operator=(const UmaskThatAllows&) = delete;

 private:
  mode_t before_;
};

/// `path` is a socket, and no process listens there.
bool is_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const UnixAddress address(path);
  return probe && ::connect(probe.get(), address.data(), UnixAddress::size()) != 0 && errno == ECONNREFUSED;
}

SysResult<void> make_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string directory = path.substr(0, slash);
  if (::mkdir(directory.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
  return tl::unexpected(SysError::last("mkdir", directory));
}

}  // namespace

SysResult<ControlSocket> ControlSocket::listen(const std::string& path) {
  if (path.size() > UnixAddress::kPathOctetsMax) return tl::unexpected(SysError{"control socket", path, ENAMETOOLONG});
  if (SysResult<void> made = make_directory_of(path); !made) return tl::unexpected(made.error());
  ControlSocket socket(UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), path);
  const int fd = socket.fd_.get();
  if (fd < 0) return tl::unexpected(SysError::last("socket", path));
  // Before bind(2), which makes the file with these rights at once: another user of the directory could have put
  // another file there before a chmod by path.
  if (::fchmod(fd, kSocketMode) != 0) return tl::unexpected(SysError::last("chmod", path));
  const UmaskThatAllows umask_now(kSocketMode);
  const UnixAddress address(path);
  int bound = ::bind(fd, address.data(), UnixAddress::size());
  if (bound != 0 && errno == EADDRINUSE) {
    if (is_stale(path) && ::unlink(path.c_str()) == 0) {
      bound = ::bind(fd, address.data(), UnixAddress::size());
    } else {
      errno = EADDRINUSE;
    }
  }
  if (bound != 0) return tl::unexpected(SysError::last("control socket", path));
  if (SysResult<void> remembered = socket.remember_file(); !remembered) return tl::unexpected(remembered.error());
  if (::listen(fd, kBacklog) != 0) return tl::unexpected(SysError::last("listen", path));
  return socket;
}

SysResult<void> ControlSocket::remember_file() {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) return tl::unexpected(SysError::last("stat", path_));
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return {};
}

SysResult<ControlSocket> ControlSocket::adopt(UniqueFd fd) {
  sockaddr_un bound{};
  socklen_t octets = sizeof bound;
  const bool is_bound = ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &octets) == 0;
  if (!is_bound || bound.sun_family != AF_UNIX || bound.sun_path[0] == '\0') {
    return tl::unexpected(SysError{"take over control socket", {}, EINVAL});
  }
  ControlSocket socket(std::move(fd), bound.sun_path);
  if (SysResult<void> remembered = socket.remember_file(); !remembered) return tl::unexpected(remembered.error());
  socket.is_kept_ = true;
  return socket;
}

ControlSocket::~ControlSocket() {
  struct stat status {};
  const bool is_ours = !is_kept_ && !path_.empty() && inode_ != 0 && ::lstat(path_.c_str(), &status) == 0 &&
                       status.st_dev == device_ && status.st_ino == inode_;
  if (is_ours) ::unlink(path_.c_str());
}

}  // namespace amt
