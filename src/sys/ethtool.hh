#pragma once
/// Commands for the driver of a network interface (linux/ethtool.h).

#include <string>

namespace amt {

/// One SIOCETHTOOL call. `socket`: any. `command`: one of the structures of linux/ethtool.h with its `cmd` set; the
/// driver writes its answer there. False: the driver refuses or lacks this command.
[[nodiscard]] bool call_driver(int socket, const std::string& interface, void* command);

}  // namespace amt
