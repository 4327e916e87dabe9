#pragma once
/// Addresses of this host, as far as sockets are concerned.

#include "amt/ip_address.hh"

namespace amt {

/// Whether a socket can be bound to `address` now. False while it is no address of this host, or duplicate address
/// detection still runs for it (RFC 4862 §5.4). True for what the kernel takes without an interface that has it
/// (ip_nonlocal_bind, local routes), and where something else than the address is in the way.
[[nodiscard]] bool can_bind(const IpAddress& address);

}  // namespace amt
