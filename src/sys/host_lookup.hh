#pragma once
/// Host names, by the means that this host is set up with (/etc/hosts, DNS).

#include <string>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/result.hh"

namespace amt {

/// All addresses of `name`, of the families that this host has, the best first (RFC 6724); never an empty list. Waits
/// for the answer. Error: the reason in words, without the name.
[[nodiscard]] Result<std::vector<IpAddress>, std::string> look_up_host(const std::string& name);

}  // namespace amt
