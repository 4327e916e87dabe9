#pragma once
/// Waiting at the start of a daemon: after a boot, interfaces, addresses, routes and the DNS come a little later than
/// it does.

#include <functional>
#include <string>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/time.hh"

namespace amt {

enum class Waited : std::uint8_t {
  kThere,
  kTimeOver,
  kStopped,  ///< SIGINT or SIGTERM
};

/// An address of this host, or a default route.
inline constexpr Duration kAddressWaitMax = std::chrono::seconds(8);

/// An interface. A name that was mistyped is an error that much later.
inline constexpr Duration kInterfaceWaitMax = std::chrono::seconds(4);

/// Asks `is_there` a few times a second, at most for `max`; the first time at once. The log says `waiting for WHAT` if
/// that is not enough.
[[nodiscard]] Waited await_condition(const std::string& what, Duration max, const std::function<bool()>& is_there);

/// Until all of these exist.
[[nodiscard]] Waited await_interfaces(const std::string& option, const std::vector<std::string>& names);

/// Until sockets can be bound to all of these.
[[nodiscard]] Waited await_addresses(const std::string& option, const std::vector<IpAddress>& addresses);

}  // namespace amt
