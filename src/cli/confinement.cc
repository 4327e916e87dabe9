#include "cli/confinement.hh"

#include <utility>

#include "sys/log.hh"

namespace amt {
namespace {

/// Read again on reload; and by the resolver, whenever it is made anew.
void add_readable(SandboxOptions& options, const std::optional<std::string>& path) {
  if (path) options.files.readable.push_back(directory_of(*path));
}

/// Their files are removed at the end.
void add_sockets(SandboxOptions& options, const std::vector<std::string>& sockets) {
  for (const std::string& path : sockets) options.files.writable.push_back(directory_of(path));
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

SandboxOptions relay_sandbox(const RelayConfig& config, const std::vector<std::string>& sockets) {
  SandboxOptions options;
  options.capabilities = {Capability::kNetRaw, Capability::kNetAdmin};
  options.packet_sockets = true;
  options.bpf_map_updates = config.data_path == DataPath::kOrders;
  add_readable(options, config.secret_file);
  add_sockets(options, sockets);
  // A log that is rotated is opened again, under its name.
  if (config.events && *config.events != "-") options.files.writable.push_back(directory_of(*config.events));
  if (config.state) options.files.writable.push_back(directory_of(*config.state));
  options.files.writable.emplace_back("/dev/net/tun");
  return options;
}

SandboxOptions gateway_sandbox(const GatewayConfig& config, const std::vector<std::string>& sockets) {
  SandboxOptions options;
  options.capabilities = {Capability::kNetAdmin};
  options.packet_sockets = !config.downstream.empty() || config.relay.native;
  if (options.packet_sockets) options.capabilities.push_back(Capability::kNetRaw);
  add_readable(options, config.relay.dns.trust_anchor);
  add_sockets(options, sockets);
  options.files.writable.emplace_back("/dev/net/tun");
  return options;
}

SandboxOptions serve_sandbox(const ServeConfig& config, const std::string& socket) {
  SandboxOptions options;
  add_readable(options, config.playlist);
  add_readable(options, config.token_file);
  add_readable(options, config.relay.dns.trust_anchor);
  if (!socket.empty()) add_sockets(options, {socket});
  return options;
}

SandboxOptions control_client_sandbox() {
  SandboxOptions options;
  options.capabilities = {Capability::kDacOverride};
  return options;
}

Result<std::string, std::string> confine(const CommonConfig& common, SandboxOptions options) {
  if (common.no_sandbox) return std::string();
  add_readable(options, common.config_file);
  SysResult<std::string> entered = enter_sandbox(options);
  if (entered) return std::move(*entered);
  return Unexpected<std::string>("the sandbox cannot be entered: " + entered.error().to_string() +
                                 " (--no-sandbox goes on without)");
}

void log_confinement(const CommonConfig& common, const std::string& in_force) {
  if (common.no_sandbox) return log_warn("--no-sandbox: this process keeps all its privileges");
  log_info("sandbox: capabilities {}, {}", effective_capabilities(), in_force);
}

}  // namespace amt
