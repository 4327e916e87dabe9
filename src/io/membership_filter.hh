#pragma once
/// The kernel-side filter of a multicast router's ear on a LAN.

#include "sys/error.hh"

namespace amt {

/// Lets only IGMP and MLD through that arrived from others, and not for another VLAN. `fd` is a packet socket of type
/// SOCK_DGRAM; `interface` names it in errors.
[[nodiscard]] SysResult<void> attach_membership_filter(int fd, const std::string& interface);

}  // namespace amt
