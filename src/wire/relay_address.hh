#pragma once
/// Which addresses an Advertisement may name.

#include "amt/ip_address.hh"

namespace amt::wire {

/// X-3.3-a. Loopback is for tests on one machine: only discovery on loopback may name it.
[[nodiscard]] bool is_usable_relay(const IpAddress& relay, const IpAddress& discovery);

}  // namespace amt::wire
