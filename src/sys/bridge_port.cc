#include "sys/bridge_port.hh"

#include <linux/if_bridge.h>
#include <netlink/route/link/bridge.h>
#include <sys/socket.h>

#include "sys/netlink_socket.hh"

namespace amt {

using namespace netlink;

SysResult<void> set_link_bridge(int index, int bridge_index) {
  return change_link("add to bridge", index, [bridge_index](rtnl_link* change) {
    rtnl_link_set_master(change, bridge_index);
    return 0;
  });
}

bool is_blocked_bridge_port(int index) {
  bool blocked = false;
  const SysResult<void> asked = with_socket("read bridge port", link_label(index), [&](nl_sock* socket) {
    nl_cache* raw = nullptr;
    if (const int error = rtnl_link_alloc_cache(socket, AF_BRIDGE, &raw); error < 0) return error;
    const NlCache cache(raw);
    const Link link(rtnl_link_get(cache.get(), index));
    if (!link || rtnl_link_is_bridge(link.get()) == 0) return 0;
    const int state = rtnl_link_bridge_get_port_state(link.get());
    blocked = state >= 0 && state != BR_STATE_FORWARDING;
    return 0;
  });
  return asked && blocked;
}

}  // namespace amt
