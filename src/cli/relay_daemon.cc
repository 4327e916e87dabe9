#include "cli/relay_daemon.hh"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/confinement.hh"
#include "cli/data_path.hh"
#include "cli/drain_query.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/relay_options.hh"
#include "cli/reload_report.hh"
#include "cli/service_watchdog.hh"
#include "observe/hand_over_client.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

constexpr Duration kDrainLookInterval = std::chrono::milliseconds(200);
/// How long the end waits for `--announce`.
constexpr Duration kAnnouncePatience = std::chrono::seconds(5);

std::string summary(const RelayEngineOptions& options) {
  std::string text;
  for (const Endpoint& address : options.local) text += (text.empty() ? "" : ", ") + address.to_string();
  for (const Endpoint& address : options.discovery) text += ", discovery " + address.to_string();
  for (const std::string& interface : options.upstream) text += ", upstream " + interface;
  if (options.router) text += ", router mode by " + options.router->interface;
  return text;
}

std::string unusable_events(const std::string& path, const SysError& error) {
  const std::string why = error.code == ENXIO ? "nobody reads from it" : std::generic_category().message(error.code);
  return fmt::format("--events {}: {} (example: --events /var/log/amt/events.json, or - for standard output)", path,
                     why);
}

}  // namespace

RelayDaemon::RelayDaemon(Invocation invocation, std::vector<std::string> arguments)
    : invocation_(std::move(invocation)),
      arguments_(std::move(arguments)),
      announcer_(loop_, config().announce),
      drain_timer_(loop_, [this] { look_at_drain(); }) {}

std::optional<int> RelayDaemon::open_files(Opened& opened) {
  if (const SysResult<void> ready = announcer_.open(); !ready) return fail(explain(ready.error()));
  if (config().events) {
    SysResult<LineOutput> output = LineOutput::open(*config().events);
    if (!output) return fail_usage("relay", unusable_events(*config().events, output.error()));
    opened.events = std::move(*output);
  }
  if (config().ipfix) {
    SysResult<UniqueFd> socket = FlowExporter::connect(*config().ipfix);
    if (!socket) return fail(explain(socket.error()));
    opened.collector = std::move(*socket);
  }
  SysResult<ObservationPlaces> places =
      predecessor_ && predecessor_->gives_sockets()
          ? adopt_observation(config().observe, "relay", predecessor_->take_listeners())
          : bind_observation(config().observe, "relay");
  if (!places) return fail(explain(places.error()));
  opened.places.emplace(std::move(*places));
  return std::nullopt;
}

std::optional<int> RelayDaemon::give_up_privileges(const Opened& opened, RelayEngineOptions& options) {
  Result<std::string, std::string> confined =
      confine(invocation_.common, relay_sandbox(config(), opened.places->paths()));
  if (!confined) return fail(confined.error());
  confinement_ = std::move(*confined);
  if (!invocation_.common.no_sandbox && !options.router) {
    options.on_opened = [] { return limit_capabilities({{Capability::kNetRaw}}); };
  }
  return std::nullopt;
}

std::optional<int> RelayDaemon::open() {
  Result<RelayEngineOptions, std::string> options = relay_engine_options(config());
  if (!options) return fail_usage("relay", options.error());
  if (const std::optional<int> status = find_predecessor(*options)) return status;
  Opened opened;
  if (const std::optional<int> status = open_files(opened)) return status;
  open_data_path(config(), *options);
  if (const std::optional<int> status = give_up_privileges(opened, *options)) return status;
  log_writer_.emplace();
  keep_books(opened, *options);
  options->on_upstream = [this](const UpstreamOwner::Change& change) { note_upstream(change); };
  SysResult<std::unique_ptr<RelayEngine>> engine = RelayEngine::create(loop_, *options, random_);
  if (!engine) return fail(explain(engine.error()));
  engine_ = std::move(*engine);
  if (events_) events_->watch(*engine_);
  monitor_.emplace(loop_, *engine_, *options, random_);
  start_servers(std::move(*opened.places));
  watch_addresses(options->local);
  confirm_take_over();

  if (options->router && config().workers.value_or(1) > 1) {
    log_warn("--workers {}: router mode has one worker, since {} has one reader", *config().workers,
             options->router->interface);
  }
  if (options->upstream.empty() && !options->router) {
    log_warn("no --upstream and no --interface: gateways are answered, but no multicast will come");
  }
  log_confinement(invocation_.common, confinement_);
  log_info("relay ready on {}", summary(*options));
  notify_ready(summary(*options));
  return std::nullopt;
}

void RelayDaemon::keep_books(Opened& opened, RelayEngineOptions& options) {
  if (opened.events) events_.emplace(loop_, std::move(*opened.events));
  if (opened.collector) {
    flows_.emplace(loop_, std::move(*opened.collector));
    options.data_path.flows = FlowTimeouts{config().ipfix_active, config().ipfix_idle};
  }
  if (!events_ && !flows_) return;
  options.on_events = [this](std::vector<RelayEvent> events, bool at_end) {
    if (flows_) flows_->add(events, at_end);
    if (events_) events_->add(std::move(events), at_end);
  };
}

int RelayDaemon::run() {
  // Before it says that it is ready. The handlers run on the loop: the objects that they stop exist by then.
  loop_.on_stop_signal([this](int) {
    log_info("stopping");
    if (config().descriptor_store && give_to_store()) return;
    stop(EndReason::kShutDown);
  });
  loop_.on_reload_signal([this] { static_cast<void>(reload()); });
  if (const std::optional<int> status = open()) return *status;
  announce();
  const ServiceWatchdog watchdog(loop_);
  loop_.run();
  return 0;
}

void RelayDaemon::stop(EndReason reason) {
  successor_.reset();
  if (state_file_) state_file_->remove();
  notify_stopping();
  // The route to this relay goes before the relay does.
  announcer_.finish(kAnnouncePatience);
  drain_timer_.set(kNoDeadline);
  engine_->shutdown(reason);
  if (events_) events_->finish();
  if (flows_) flows_->finish();
  loop_.stop();
}

void RelayDaemon::start_servers(ObservationPlaces places) {
  const HttpRoutes routes = monitor_->routes();
  HttpRoutes control_routes = routes;
  control_routes.command("/reload", [this](const std::string&) { return reload(); });
  control_routes.command("/drain", [this](const std::string& query) { return drain(query); });
  control_routes.post(kHandOverPath,
                      [this](const HttpRequest&, const HttpRespond& respond) { answer_hand_over(respond); });
  observation_.emplace(observe(loop_, std::move(places), config().observe, control_routes, routes));
}

ReloadReply RelayDaemon::reload() {
  if (successor_) return reload_failed("another process is taking over");
  Result<Reload, std::string> fresh = reload_command_line(arguments_, invocation_);
  if (!fresh) return reload_failed(fresh.error());
  const auto only_restart = [&fresh](std::string_view name, bool is_so) {
    const auto at = std::ranges::find(fresh->changed, name);
    if (!is_so || at == fresh->changed.end()) return;
    fresh->restart.push_back(*at);
    fresh->changed.erase(at);
  };
  const RelayConfig& next = std::get<RelayConfig>(fresh->invocation.command);
  // Tunnels that are there have not been counted from their start; gateways hold MACs of the secret that is in use.
  only_restart("events", next.events.has_value() != config().events.has_value());
  only_restart("secret-file", next.secret_file.has_value() != config().secret_file.has_value());
  if (Result<void, std::string> taken = apply(*fresh); !taken) return reload_failed(taken.error());

  configure_log({.level = fresh->invocation.common.log_level, .json = fresh->invocation.common.log_json});
  invocation_ = std::move(fresh->invocation);
  // An upstream interface that is down may have gone from the configuration.
  announce();
  if (events_) events_->add("reload", {{"changed", joined(fresh->changed)}, {"restart", joined(fresh->restart)}});
  return reload_done(*fresh);
}

Result<void, std::string> RelayDaemon::apply(const Reload& fresh) {
  const RelayConfig& next = std::get<RelayConfig>(fresh.invocation.command);
  const Result<RelayEngineOptions, std::string> options = relay_engine_options(next);
  if (!options) return Unexpected<std::string>(options.error());
  std::optional<LineOutput> output;
  if (events_ && next.events) {
    SysResult<LineOutput> opened = LineOutput::open(*next.events);
    if (!opened) return Unexpected<std::string>(unusable_events(*next.events, opened.error()));
    output = std::move(*opened);
  }
  if (const SysResult<void> reloaded = engine_->reload(*options); !reloaded) {
    return Unexpected<std::string>(explain(reloaded.error()));
  }
  monitor_->reload(*options);
  own_addresses_->set_served(options->local, next.local.empty());
  // Standard output is not opened anew.
  if (output && (*next.events != "-" || config().events != next.events)) events_->replace(std::move(*output));
  return {};
}

void RelayDaemon::watch_addresses(const std::vector<Endpoint>& local) {
  const bool by_route = config().local.empty();
  own_addresses_.emplace(loop_, by_route,
                         [this](const std::vector<IpAddress>& fresh) { return serve_addresses(fresh); });
  own_addresses_->set_served(local, by_route);
  if (const SysResult<void> started = own_addresses_->start(); !started) {
    log_warn("changes of this host's addresses go unnoticed: {}", started.error().to_string());
  }
}

bool RelayDaemon::serve_addresses(const std::vector<IpAddress>& local) {
  if (successor_) return false;
  RelayConfig next = config();
  next.local = local;
  const Result<RelayEngineOptions, std::string> options = relay_engine_options(next);
  const SysResult<void> reloaded = options ? engine_->reload(*options) : SysResult<void>();
  if (!options || !reloaded) {
    log_warn_limited("addresses", "this host's addresses have changed, and the relay cannot serve the new ones: {}",
                     options ? explain(reloaded.error()) : options.error());
    return false;
  }
  monitor_->reload(*options);
  own_addresses_->set_served(options->local, true);
  log_info("this host's addresses have changed; the relay serves {}", summary(*options));
  return true;
}

ReloadReply RelayDaemon::drain(std::string_view text) {
  const std::optional<DrainQuery> query = DrainQuery::parse(text);
  if (successor_) return Unexpected<std::string>("another process is taking over");
  if (!query) return Unexpected<std::string>("drain takes timeout=MILLISECONDS or cancel=1");
  engine_->set_draining(!query->cancel);
  drain_until_ = query->cancel || !query->timeout ? kNoDeadline : monotonic_now() + *query->timeout;
  drain_timer_.set(query->cancel ? kNoDeadline : monotonic_now() + kDrainLookInterval);
  announce();
  const std::size_t tunnels = engine_->tunnel_count();
  log_info("{}, with {} tunnels", query->cancel ? "the drain is called off" : "draining: no new gateways", tunnels);
  if (events_) events_->add("drain", {{"state", query->cancel ? "called-off" : "begun"}});
  return boost::json::serialize(boost::json::object{{"draining", !query->cancel}, {"tunnels", tunnels}});
}

void RelayDaemon::look_at_drain() {
  const std::size_t tunnels = engine_->tunnel_count();
  const bool is_time_over = monotonic_now() >= drain_until_;
  if (tunnels != 0 && !is_time_over) return drain_timer_.set(monotonic_now() + kDrainLookInterval);
  log_info("drained: {}",
           tunnels == 0 ? "the last tunnel has gone" : fmt::format("the time is over, {} tunnels are left", tunnels));
  if (events_) events_->add("drain", {{"state", "over"}});
  stop(EndReason::kDrained);
}

void RelayDaemon::note_upstream(const UpstreamOwner::Change& change) {
  using Kind = UpstreamOwner::Change::Kind;
  if (events_) events_->add(change);
  if (change.kind != Kind::kJoined && change.kind != Kind::kLeft) announce();
}

void RelayDaemon::announce() {
  announcer_.announce(engine_->is_draining() ? "drain" : engine_->all_upstreams_are_up() ? "ready" : "unhealthy");
}

}  // namespace amt
