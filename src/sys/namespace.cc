#include "sys/namespace.hh"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <string_view>

#include "sys/netlink.hh"

namespace amt {
namespace {

SysResult<void> write_file(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return tl::unexpected(SysError::last("write", path));
  }
  return {};
}

}  // namespace

SysResult<void> enter_user_namespace() {
  const std::string uid_map = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string gid_map = "0 " + std::to_string(::getegid()) + " 1";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return tl::unexpected(SysError::last("unshare", "user namespace"));
  // Without the right to set groups the group map would be refused (user_namespaces(7)).
  if (SysResult<void> written = write_file("/proc/self/setgroups", "deny"); !written) return written;
  if (SysResult<void> written = write_file("/proc/self/uid_map", uid_map); !written) return written;
  return write_file("/proc/self/gid_map", gid_map);
}

SysResult<NetworkNamespace> NetworkNamespace::current() {
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(SysError::last("open", "/proc/thread-self/ns/net"));
  return NetworkNamespace(std::move(fd));
}

SysResult<NetworkNamespace> NetworkNamespace::create() {
  // On a thread of its own: an ordinary user could leave the first namespace, but not come back to it.
  SysResult<NetworkNamespace> result = tl::unexpected(SysError{});
  // allow: a thread that only enters the namespace and ends; the others stay where they are
  std::thread([&result] {
    if (::unshare(CLONE_NEWNET) != 0) {
      result = tl::unexpected(SysError::last("unshare", "network namespace"));
      return;
    }
    result = current();
    const SysResult<LinkInfo> loopback = find_link("lo");
    if (const SysResult<void> up = loopback ? set_link_up(loopback->index) : tl::unexpected(loopback.error()); !up) {
      result = tl::unexpected(up.error());
    }
  }).join();
  return result;
}

SysResult<void> NetworkNamespace::enter() const {
  if (::setns(fd_.get(), CLONE_NEWNET) != 0) return tl::unexpected(SysError::last("setns", "network namespace"));
  return {};
}

}  // namespace amt
