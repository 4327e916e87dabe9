#pragma once
#include <optional>
#include <string>

#include "amt/channel.hh"
#include "sys/netlink.hh"

namespace amt {

/// Where a channel is joined natively (`--native[=IF]`): on the interface that was given, else on the one that the
/// route to its source uses, for any source the default route. Nothing: there is no such route. Asks the kernel, a few
/// microseconds, `local` the first time some 100.
[[nodiscard]] std::optional<std::string> native_interface(const std::optional<std::string>& given,
                                                          const Channel& channel, LocalInterfaces& local);

}  // namespace amt
