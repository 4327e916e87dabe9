#pragma once
/// Shared by the netlink calls. Only for this room.

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

#include <memory>
#include <string>
#include <string_view>

#include "sys/error.hh"

namespace amt::netlink {

template <typename T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
using NlSocket = std::unique_ptr<nl_sock, Freed<nl_sock, nl_socket_free>>;
using NlCache = std::unique_ptr<nl_cache, Freed<nl_cache, nl_cache_free>>;
using NlAddress = std::unique_ptr<nl_addr, Freed<nl_addr, nl_addr_put>>;
using Link = std::unique_ptr<rtnl_link, Freed<rtnl_link, rtnl_link_put>>;
using AddressEntry = std::unique_ptr<rtnl_addr, Freed<rtnl_addr, rtnl_addr_put>>;
using Route = std::unique_ptr<rtnl_route, Freed<rtnl_route, rtnl_route_put>>;

[[nodiscard]] tl::unexpected<SysError> failed(std::string_view call, std::string object, int nl_error);

/// `f(nl_sock*)` returns libnl's code.
template <typename F>
SysResult<void> with_socket(std::string_view call, const std::string& object, F&& f) {
  const NlSocket socket(nl_socket_alloc());
  if (!socket) return failed(call, object, NLE_NOMEM);
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) return failed(call, object, error);
  if (const int error = f(socket.get()); error < 0) return failed(call, object, error);
  return {};
}

/// For errors: its name, or its number.
[[nodiscard]] std::string link_label(int index);

/// Sends the kernel only the attributes that `fill` sets on an empty link.
template <typename F>
SysResult<void> change_link(std::string_view call, int index, F&& fill) {
  return with_socket(call, link_label(index), [&](nl_sock* socket) {
    const Link original(rtnl_link_alloc());
    const Link change(rtnl_link_alloc());
    if (!original || !change) return -NLE_NOMEM;
    rtnl_link_set_ifindex(original.get(), index);
    if (const int error = fill(change.get()); error < 0) return error;
    return rtnl_link_change(socket, original.get(), change.get(), 0);
  });
}

}  // namespace amt::netlink
