#pragma once
#include <string>
#include <variant>

#include "amt/endpoint.hh"

namespace amt {

/// Where a server listens: an address and port (TCP), or the path of a UNIX socket.
using ListenPlace = std::variant<Endpoint, std::string>;

}  // namespace amt
