#pragma once
/// The capabilities of a thread (capabilities(7)). By the system calls themselves, since libcap-ng would keep its own
/// idea of them for each thread.

#include <cstdint>
#include <span>
#include <string>

#include "sys/error.hh"

namespace amt {

/// Numbers of the kernel's.
enum class Capability : std::uint8_t { kDacOverride = 1, kNetAdmin = 12, kNetRaw = 13 };

/// "CAP_NET_RAW"
[[nodiscard]] std::string to_string(Capability capability);

/// Does the calling thread have it, in effect?
[[nodiscard]] bool has_capability(Capability capability);

/// Those of the above that the calling thread has in effect: "CAP_NET_ADMIN CAP_NET_RAW"; none: "none".
[[nodiscard]] std::string effective_capabilities();

/// Gives up all capabilities of the calling thread but those of `kept` that it has; threads that it starts have no
/// more. There is no way back: neither the permitted nor the ambient set keeps anything else, nor, where the thread may
/// change it, the bounding set.
SysResult<void> limit_capabilities(std::span<const Capability> kept);

}  // namespace amt
