#include "sys/netlink_socket.hh"

#include <net/if.h>
#include <netlink/errno.h>

#include <array>
#include <cerrno>

namespace amt::netlink {
namespace {

/// libnl turns the kernel's errno into its own codes; this turns them back.
int errno_of(int nl_error) {
  switch (nl_error < 0 ? -nl_error : nl_error) {
    case NLE_INTR:
      return EINTR;
    case NLE_BAD_SOCK:
      return EBADF;
    case NLE_AGAIN:
      return EAGAIN;
    case NLE_NOMEM:
      return ENOMEM;
    case NLE_EXIST:
      return EEXIST;
    case NLE_INVAL:
      return EINVAL;
    case NLE_RANGE:
      return ERANGE;
    case NLE_OPNOTSUPP:
      return EOPNOTSUPP;
    case NLE_AF_NOSUPPORT:
      return EAFNOSUPPORT;
    case NLE_OBJ_NOTFOUND:
      return ENOENT;
    case NLE_NOADDR:
      return EADDRNOTAVAIL;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_BUSY:
      return EBUSY;
    case NLE_NODEV:
      return ENODEV;
    default:
      return EIO;
  }
}

}  // namespace

tl::unexpected<SysError> failed(std::string_view call, std::string object, int nl_error) {
  return tl::unexpected(SysError{std::string(call), std::move(object), errno_of(nl_error)});
}

std::string link_label(int index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr) return name.data();
  return "interface " + std::to_string(index);
}

}  // namespace amt::netlink
