#pragma once
#include <string>

#include "gateway/gateway.hh"

namespace amt {

/// Why no data comes through the tunnel of `gateway`, as far as this end can know it; for a person. `send_problem`: why
/// the last message could not be sent; empty: it was.
[[nodiscard]] std::string reason_of_silence(const Gateway& gateway, const std::string& send_problem);

}  // namespace amt
