#pragma once
/// The files and capabilities that each subcommand keeps (sys/sandbox.hh, docs/security.md).

#include <optional>
#include <string>
#include <vector>

#include "amt/result.hh"
#include "config/config.hh"
#include "sys/sandbox.hh"

namespace amt {

/// Enters the sandbox, unless --no-sandbox is given. The configuration file, if there is one, stays readable. Result:
/// the restrictions in force, for `log_confinement`. Error: one line for the user.
[[nodiscard]] Result<std::string, std::string> confine(const CommonConfig& common, SandboxOptions options);

/// A daemon that is ready logs its restrictions.
void log_confinement(const CommonConfig& common, const std::string& in_force);

/// The directory that a file stands in, which stays the same when the file is replaced by another of its name.
[[nodiscard]] std::string directory_of(const std::string& path);

/// `sockets`: paths of UNIX sockets, which go at the end. CAP_NET_ADMIN is for large socket buffers and router mode's
/// interface.
[[nodiscard]] SandboxOptions relay_sandbox(const RelayConfig& config, const std::vector<std::string>& sockets);
/// CAP_NET_ADMIN is for the interface, which is set again after a change.
[[nodiscard]] SandboxOptions gateway_sandbox(const GatewayConfig& config, const std::vector<std::string>& sockets);
/// `socket`: the path of a UNIX socket that it listens on, or empty. It needs no capability: viewers come to it, and
/// channels through tunnels.
[[nodiscard]] SandboxOptions serve_sandbox(const ServeConfig& config, const std::string& socket);
/// Clients of a daemon: its socket may be another user's, and root may use it, too.
[[nodiscard]] SandboxOptions control_client_sandbox();

}  // namespace amt
