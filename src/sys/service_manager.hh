#pragma once
/// Notifications to systemd about this service (sd_notify(3)), in the protocol's own few lines: a datagram to the
/// socket that NOTIFY_SOCKET names. Without systemd all of it does nothing. Not thread-safe: the main thread calls.

#include <optional>
#include <string>
#include <string_view>

#include "amt/time.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// READY=1 and a status line; the start has succeeded.
void notify_ready(std::string_view status);
/// MAINPID: another process is the service from now on.
void notify_main_process(int pid);
/// FDSTORE=1: has systemd keep a descriptor for the process that it starts next, which finds it under this name.
/// Returns when systemd has it, or after a second. Error ENOENT: there is no systemd.
[[nodiscard]] SysResult<void> store_descriptor(int descriptor, const std::string& name);
/// The descriptor that an earlier process has stored under this name (LISTEN_FDS); once. Systemd keeps it until
/// `forget_descriptor`.
[[nodiscard]] std::optional<UniqueFd> take_stored_descriptor(std::string_view name);
void forget_descriptor(const std::string& name);
/// STOPPING=1
void notify_stopping();
/// WATCHDOG=1: the main loop still turns.
void notify_alive();

/// How often systemd wants to hear `notify_alive`: half of the time after which it restarts the service
/// (WATCHDOG_USEC). Nothing: no watchdog was set for this process.
[[nodiscard]] std::optional<Duration> watchdog_interval();

}  // namespace amt
