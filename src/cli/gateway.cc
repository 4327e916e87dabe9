#include <algorithm>
#include <utility>

#include "cli/confinement.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/observation.hh"
#include "cli/relay_arguments.hh"
#include "cli/reload_report.hh"
#include "cli/service_watchdog.hh"
#include "cli/subcommands.hh"
#include "cli/wait_for.hh"
#include "engine/gateway/gateway_engine.hh"
#include "engine/runtime/log_writer.hh"
#include "library/way_to_relay.hh"
#include "observe/monitor.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"
#include "sys/os_random.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// After a boot, until a resolver answers.
constexpr Duration kNameWaitMax = std::chrono::seconds(30);

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

/// Why there cannot be listeners on that interface.
std::optional<std::string> unusable_downstream(const GatewayConfig& config, const std::string& name) {
  const SysResult<LinkInfo> link = find_link(name);
  if (link && !link->ethernet) {
    return fmt::format("--downstream {}: is no Ethernet interface; programs of this host use {}", name,
                       config.interface);
  }
  return std::nullopt;
}

}  // namespace

int run_gateway(const Invocation& invocation, const std::vector<std::string>& arguments) {
  const GatewayConfig& config = std::get<GatewayConfig>(invocation.command);
  if (invocation.common.check_config) return config_is_good("gateway");
  // Its thread begins when there is nothing more to give up.
  std::optional<LogWriter> log_writer;
  if (std::ranges::find(config.downstream, config.interface) != config.downstream.end()) {
    return fail_usage("gateway",
                      fmt::format("--downstream {}: is the gateway's own interface; name the LAN's", config.interface));
  }
  if (const std::optional<int> status = wait_for_network(config)) return *status;
  EventLoop loop;
  // Sockets before the rest: what a directory of somebody else's asks for is given up below, and look-ups of names
  // start threads.
  SysResult<ObservationPlaces> places = bind_observation(config.observe, "gateway");
  if (!places) return fail(explain(places.error()));
  const auto confined = confine(invocation.common, gateway_sandbox(config, places->paths()));
  if (!confined) return fail(confined.error());
  log_writer.emplace();
  GatewayEngineOptions options;
  Result<RelaySetOptions, std::string> relays = relay_set_options(
      loop, config.relay, [](const std::string& name) { return look_up_waiting(name, kNameWaitMax); });
  if (!relays) return fail(relays.error());
  options.relays = std::move(*relays);
  options.interface = config.interface;
  options.tap = config.tap;
  options.mtu_octets = config.mtu_octets;
  options.settings = {.routes = config.routes,
                      .addresses = config.addresses,
                      .dummy_address = config.addresses.empty() && !config.tap,
                      .bridge = config.bridge};
  options.downstream = config.downstream;
  options.native = config.relay.native;
  options.native_interface = config.relay.native_interface;
  options.lan.forward_always = config.forward_always;
  options.lan.membership = {config.robustness, config.query_interval};
  for (const std::string& downstream : config.downstream) {
    if (const std::optional<std::string> problem = unusable_downstream(config, downstream)) {
      return fail_usage("gateway", *problem);
    }
  }
  if (const std::optional<std::string> problem = unusable_native_interface(config.relay)) {
    return fail_usage("gateway", *problem);
  }

  OsRandom random;
  SysResult<std::unique_ptr<GatewayEngine>> engine = GatewayEngine::create(loop, std::move(options), random);
  if (!engine) return fail(explain(engine.error()));
  Invocation running = invocation;
  const auto reload = [&]() -> ReloadReply {
    Result<Reload, std::string> fresh = reload_command_line(arguments, running);
    if (!fresh) return reload_failed(fresh.error());
    configure_log({.level = fresh->invocation.common.log_level, .json = fresh->invocation.common.log_json});
    running = std::move(fresh->invocation);
    return reload_done(*fresh);
  };
  GatewayMonitor monitor(loop, **engine);
  const HttpRoutes routes = monitor.routes();
  HttpRoutes control_routes = routes;
  control_routes.command("/reload", [&](const std::string&) { return reload(); });
  const Observation observation = observe(loop, std::move(*places), config.observe, control_routes, routes);

  const auto stop = [&] {
    notify_stopping();
    (*engine)->shutdown();
    loop.stop();
  };
  int status = 0;
  loop.on_stop_signal([&](int) {
    log_info("stopping");
    stop();
  });
  loop.on_reload_signal([&] { static_cast<void>(reload()); });
  (*engine)->on_interface_lost([&](const SysError& error) {
    status = fail(fmt::format("the interface {} is gone ({}); start the gateway again", (*engine)->interface(),
                              error.to_string()));
    stop();
  });
  log_confinement(invocation.common, *confined);
  log_info("gateway ready on {}", (*engine)->interface());
  notify_ready("gateway on " + (*engine)->interface());
  const ServiceWatchdog watchdog(loop);
  loop.run();
  return status;
}

}  // namespace amt
