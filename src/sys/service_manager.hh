#pragma once
/// What systemd is told about this service (sd_notify(3)), in the protocol's own few lines: a datagram to the socket
/// that NOTIFY_SOCKET names. Without systemd all of it does nothing. Not thread-safe: the main thread calls.

#include <optional>
#include <string_view>

#include "amt/time.hh"

namespace amt {

/// READY=1 and a status line; the start has succeeded.
void notify_ready(std::string_view status);
/// MAINPID: another process is the service from now on.
void notify_main_process(int pid);
/// STOPPING=1
void notify_stopping();
/// WATCHDOG=1: the main loop still turns.
void notify_alive();

/// How often systemd wants to hear `notify_alive`: half of the time after which it restarts the service
/// (WATCHDOG_USEC). Nothing: no watchdog was set for this process.
[[nodiscard]] std::optional<Duration> watchdog_interval();

}  // namespace amt
