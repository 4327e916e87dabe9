#pragma once
/// The gateway's pseudo-interface as a downstream: this host's own programs.

#include <memory>

#include "engine/gateway/downstream.hh"
#include "engine/runtime/loop.hh"
#include "io/tun_device.hh"
#include "sys/error.hh"

namespace amt {

/// `on_lost(error)` once, when the interface cannot be read any more because it was deleted.
[[nodiscard]] std::unique_ptr<Downstream> make_tun_downstream(Loop& loop, TunDevice device,
                                                              std::function<void(const SysError&)> on_lost);

}  // namespace amt
