#include "sys/network_watch.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace amt {

SysResult<NetworkWatch> NetworkWatch::open(Of what) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return Unexpected<SysError>(SysError::last("socket", "netlink"));
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  // Of this group rtnetlink(7) has no mask.
  constexpr unsigned kIpv4Settings = 1U << (RTNLGRP_IPV4_NETCONF - 1);
  if (what == Of::kInterfaces) groups.nl_groups |= RTMGRP_LINK | kIpv4Settings;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) {
    return Unexpected<SysError>(SysError::last("bind", "netlink"));
  }
  return NetworkWatch(std::move(fd));
}

void NetworkWatch::drain() const {
  std::array<char, 8192> ignored{};
  // ENOBUFS: more happened than there was room for; that something did is all that counts.
  while (::recv(fd_.get(), ignored.data(), ignored.size(), 0) > 0 || errno == ENOBUFS || errno == EINTR) {
  }
}

}  // namespace amt
