#pragma once
/// The kernel-side filter of a capture.

#include "sys/error.hh"

namespace amt {

/// Lets only datagrams through whose destination is multicast above link scope (224/4 without 224.0.0/24; ff00::/8 with
/// a scope above 2), and that are not for another VLAN: those that arrived, for this host or for a group, and those
/// that this host sends. `fd` is a packet socket of type SOCK_RAW that will be bound to `interface`.
[[nodiscard]] SysResult<void> attach_multicast_filter(int fd, const std::string& interface);

/// Lets nothing through, in place of that.
[[nodiscard]] SysResult<void> attach_drop_all(int fd);

}  // namespace amt
