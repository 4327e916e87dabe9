#pragma once
/// Ports of Linux bridges. Blocking, control plane only, as netlink.hh.

#include "sys/error.hh"

namespace amt {

/// Makes `index` a port of the bridge `bridge_index`.
[[nodiscard]] SysResult<void> set_link_bridge(int index, int bridge_index);

/// True while the spanning tree lets nothing through this port, or not yet. False for an interface that is no port of a
/// bridge.
[[nodiscard]] bool is_blocked_bridge_port(int index);

}  // namespace amt
