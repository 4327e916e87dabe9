#pragma once
/// Addresses of this host, as far as sockets are concerned.

#include "amt/ip_address.hh"

namespace amt {

/// Whether a socket can be bound to `address` now. False while it is no address of this host, or duplicate address
/// detection still runs for it (RFC 4862 §5.4). True for addresses that the kernel accepts without an interface that
/// has them (ip_nonlocal_bind, local routes), and where the obstacle is not the address.
[[nodiscard]] bool can_bind(const IpAddress& address);

}  // namespace amt
