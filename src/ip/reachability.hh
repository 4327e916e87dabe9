#pragma once
#include "amt/ip_address.hh"

namespace amt {

/// A unicast address that hosts anywhere on the Internet can reach, firewalls apart: not private, and none of the
/// blocks that the registries of special-purpose addresses (RFC 6890) keep from it: 192.0.0.0/24, 192.0.2.0/24,
/// 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 240.0.0.0/4; of IPv6 all but 2000::/3, and there 2001:db8::/32.
[[nodiscard]] bool is_globally_reachable(const IpAddress& address);

}  // namespace amt
