#include "cli/failure.hh"
#include "cli/relay_daemon.hh"
#include "cli/relay_options.hh"
#include "cli/subcommands.hh"
#include "cli/wait_for.hh"

namespace amt {
namespace {

Waited wait_for_network(const RelayConfig& config) {
  if (const Waited waited = await_interfaces("--upstream", config.upstream); waited != Waited::kThere) return waited;
  if (config.local.empty()) {
    const Waited waited = await_condition("a default route, whose address is served", kAddressWaitMax,
                                          [] { return !default_relay_addresses().empty(); });
    if (waited != Waited::kThere) return waited;
  }
  for (const std::vector<IpAddress>* const addresses : {&config.local, &config.discovery}) {
    const Waited waited = await_addresses(addresses == &config.local ? "--local" : "--discovery", *addresses);
    if (waited != Waited::kThere) return waited;
  }
  return Waited::kThere;
}

}  // namespace

int run_relay(const Invocation& invocation, const std::vector<std::string>& arguments) {
  const RelayConfig& config = std::get<RelayConfig>(invocation.command);
  if (invocation.common.check_config) {
    const Result<RelayEngineOptions, std::string> options = relay_engine_options(config);
    return options ? config_is_good("relay") : fail_usage("relay", options.error());
  }
  if (wait_for_network(config) == Waited::kStopped) return 0;
  // Status 1: the service manager tries again. Status 2 is for options that a restart does not mend.
  if (config.local.empty() && default_relay_addresses().empty()) {
    return fail("--local: there is no default route to take an address from; name one (example: --local 192.0.2.1)");
  }
  // Any other address that is not there by now is an error of the start itself.
  return RelayDaemon(invocation, arguments).run();
}

}  // namespace amt
