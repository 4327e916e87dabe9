#pragma once
#include <string>

#include "engine/gateway_connection.hh"

namespace amt {

/// Why nothing comes through this tunnel, as far as its gateway's end can tell; for a person.
[[nodiscard]] std::string reason_of_silence(const GatewayConnection& tunnel);

}  // namespace amt
