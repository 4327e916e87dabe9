#pragma once
/// An Ethernet address of our own that outlives the program.

#include <string>

#include "ip/ethernet.hh"

namespace amt {

/// Locally administered, unicast; the same for `interface` at every start on this machine and in this network
/// namespace, another one elsewhere. So switches and hosts see one router, not a new one after each restart.
[[nodiscard]] MacAddress stable_mac(const std::string& interface);

}  // namespace amt
