#include <fmt/format.h>

#include <algorithm>

#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/gateway_daemon.hh"
#include "cli/subcommands.hh"
#include "cli/wait_for.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// The exit status, if one of these does not come.
std::optional<int> await_named(const std::string& option, const std::vector<std::string>& names) {
  const Waited waited = await_interfaces(option, names);
  if (waited == Waited::kThere) return std::nullopt;
  if (waited == Waited::kStopped) return 0;
  const auto missing = std::ranges::find_if(names, [](const std::string& name) { return !find_link(name); });
  // Status 1: the service manager tries again, and the interface may be there by then.
  return fail(no_such_interface(option, missing == names.end() ? names.front() : *missing));
}

/// Likewise.
std::optional<int> wait_for_network(const GatewayConfig& config) {
  if (const std::optional<int> status = await_named("--downstream", config.downstream)) return status;
  std::vector<std::string> bridges;
  if (config.bridge) bridges.push_back(*config.bridge);
  if (const std::optional<int> status = await_named("--bridge", bridges)) return status;
  // An address that is not there by then is an error of the start itself.
  if (config.relay.local && await_addresses("--local", {*config.relay.local}) == Waited::kStopped) return 0;
  return std::nullopt;
}

}  // namespace

int run_gateway(const Invocation& invocation, const std::vector<std::string>& arguments) {
  const GatewayConfig& config = std::get<GatewayConfig>(invocation.command);
  if (invocation.common.check_config) return config_is_good("gateway");
  if (std::ranges::find(config.downstream, config.interface) != config.downstream.end()) {
    return fail_usage("gateway",
                      fmt::format("--downstream {}: is the gateway's own interface; name the LAN's", config.interface));
  }
  if (const std::optional<int> status = wait_for_network(config)) return *status;
  return GatewayDaemon(invocation, arguments).run();
}

}  // namespace amt
