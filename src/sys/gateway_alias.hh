#pragma once
/// A gateway marks its interface for a relay on the same host by the interface's alias, which `ip link` shows.

#include <span>
#include <string>
#include <string_view>

#include "amt/ip_address.hh"

namespace amt {

/// `amt gateway of 192.0.2.1 2001:db8::1`: the relays that the gateway uses, as many as an alias holds.
[[nodiscard]] std::string gateway_alias(std::span<const IpAddress> relays);

/// Whether `alias` is of a gateway that uses a relay at one of these addresses.
[[nodiscard]] bool is_alias_of_gateway_of(std::string_view alias, std::span<const IpAddress> relay_addresses);

}  // namespace amt
