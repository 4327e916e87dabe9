#include "cli/gateway_daemon.hh"

#include <fmt/format.h>

#include <utility>

#include "cli/confinement.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/relay_arguments.hh"
#include "cli/service_watchdog.hh"
#include "library/way_to_relay.hh"
#include "observe/hand_over_client.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// After a boot, until a resolver answers.
constexpr Duration kNameWaitMax = std::chrono::seconds(30);

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

GatewayDaemon::GatewayDaemon(Invocation invocation, std::vector<std::string> arguments)
    : invocation_(std::move(invocation)), arguments_(std::move(arguments)) {}

std::optional<int> GatewayDaemon::check_interfaces() const {
  for (const std::string& downstream : config().downstream) {
    if (const std::optional<std::string> problem = unusable_downstream(config(), downstream)) {
      return fail_usage("gateway", *problem);
    }
  }
  if (const std::optional<std::string> problem = unusable_native_interface(config().relay)) {
    return fail_usage("gateway", *problem);
  }
  return std::nullopt;
}

Result<GatewayEngineOptions, std::string> GatewayDaemon::engine_options() {
  Result<RelaySetOptions, std::string> relays = relay_set_options(
      loop_, config().relay, [](const std::string& name) { return look_up_waiting(name, kNameWaitMax); });
  if (!relays) return Unexpected<std::string>(relays.error());
  GatewayEngineOptions options;
  options.relays = std::move(*relays);
  options.interface = config().interface;
  options.tap = config().tap;
  options.mtu_octets = config().mtu_octets;
  options.settings = {.routes = config().routes,
                      .addresses = config().addresses,
                      .dummy_address = config().addresses.empty() && !config().tap,
                      .bridge = config().bridge};
  options.downstream = config().downstream;
  options.native = config().relay.native;
  options.native_interface = config().relay.native_interface;
  options.lan.forward_always = config().forward_always;
  options.lan.membership = {config().robustness, config().query_interval};
  return options;
}

std::optional<int> GatewayDaemon::open() {
  if (const std::optional<int> status = find_predecessor()) return status;
  // Sockets before the rest: what a directory of somebody else's asks for is given up below, and look-ups of names
  // start threads.
  SysResult<ObservationPlaces> places = open_places();
  if (!places) return fail(explain(places.error()));
  Result<std::string, std::string> confined = confine(invocation_.common, gateway_sandbox(config(), places->paths()));
  if (!confined) return fail(confined.error());
  confinement_ = std::move(*confined);
  log_writer_.emplace();
  if (const std::optional<int> status = open_engine()) return status;
  monitor_.emplace(loop_, *engine_);
  start_servers(std::move(*places));
  engine_->on_interface_lost([this](const SysError& error) {
    status_ = fail(
        fmt::format("the interface {} is gone ({}); start the gateway again", engine_->interface(), error.to_string()));
    stop();
  });
  confirm_take_over();
  log_confinement(invocation_.common, confinement_);
  log_info("gateway ready on {}", engine_->interface());
  notify_ready("gateway on " + engine_->interface());
  return std::nullopt;
}

std::optional<int> GatewayDaemon::open_engine() {
  for (;;) {
    Result<GatewayEngineOptions, std::string> options = engine_options();
    if (!options) return fail(options.error());
    if (const std::optional<int> status = check_interfaces()) return status;
    // The one before does nothing more from here on: all that may take its time has been done.
    const Result<GatewayInheritance*, std::string> inherited = inheritance();
    if (!inherited) return fail(inherited.error());
    options->inheritance = *inherited;
    SysResult<std::unique_ptr<GatewayEngine>> engine = GatewayEngine::create(loop_, std::move(*options), random_);
    if (engine) {
      engine_ = std::move(*engine);
      return std::nullopt;
    }
    if (*inherited == nullptr) return fail(explain(engine.error()));
    if (is_bound_to_predecessor(engine.error().to_string()))
      return fail(predecessor_->failure(explain(engine.error())));
  }
}

void GatewayDaemon::start_servers(ObservationPlaces places) {
  const HttpRoutes routes = monitor_->routes();
  HttpRoutes control_routes = routes;
  control_routes.command("/reload", [this](const std::string&) { return reload(); });
  control_routes.post(kHandOverPath,
                      [this](const HttpRequest&, const HttpRespond& respond) { answer_hand_over(respond); });
  observation_.emplace(observe(loop_, std::move(places), config().observe, control_routes, routes));
}

ReloadReply GatewayDaemon::reload() {
  if (successor_) return reload_failed("another process is taking over");
  Result<Reload, std::string> fresh = reload_command_line(arguments_, invocation_);
  if (!fresh) return reload_failed(fresh.error());
  configure_log({.level = fresh->invocation.common.log_level, .json = fresh->invocation.common.log_json});
  invocation_ = std::move(fresh->invocation);
  return reload_done(*fresh);
}

void GatewayDaemon::stop() {
  successor_.reset();
  notify_stopping();
  engine_->shutdown();
  loop_.stop();
}

int GatewayDaemon::run() {
  // Before it says that it is ready. The handlers run on the loop: whatever they stop is there by then.
  loop_.on_stop_signal([this](int) {
    log_info("stopping");
    if (config().descriptor_store && give_to_store()) return;
    stop();
  });
  loop_.on_reload_signal([this] { static_cast<void>(reload()); });
  if (const std::optional<int> status = open()) return *status;
  const ServiceWatchdog watchdog(loop_);
  loop_.run();
  return status_;
}

}  // namespace amt
