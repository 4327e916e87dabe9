#pragma once
/// An identity of this machine that survives a restart.

#include <optional>
#include <string>

namespace amt {

/// The first of these that there is: machine-id(5); the board's serial UUID (DMI; root reads it); the Ethernet address
/// of the first interface. Containers and small routers have no machine-id. Nothing: there is none of these. Never
/// leave the process with it: hash it with a purpose.
[[nodiscard]] std::optional<std::string> machine_identity();

}  // namespace amt
