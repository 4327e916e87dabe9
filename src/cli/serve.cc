#include <cerrno>

#include "cli/confinement.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/relay_arguments.hh"
#include "cli/serve_routes.hh"
#include "cli/service_watchdog.hh"
#include "cli/subcommands.hh"
#include "engine/runtime/log_writer.hh"
#include "library/way_to_relay.hh"
#include "observe/http_listen.hh"
#include "sys/clock.hh"
#include "sys/descriptor_limit.hh"
#include "sys/log.hh"
#include "sys/os_random.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// Connections that have not been taken over: of requests that wait, status and pages.
constexpr std::size_t kOtherConnections = 64;
constexpr Duration kNameWaitMax = std::chrono::seconds(30);

std::string place_name(const ListenPlace& place) {
  if (const auto* const path = std::get_if<std::string>(&place)) return "unix:" + *path;
  return std::get<Endpoint>(place).to_string();
}

/// One run of `amt serve`.
class ServeSession {
 public:
  ServeSession(const ServeConfig& config, const CommonConfig& common) : config_(config), common_(common) {}
  int run();

 private:
  /// The exit status, where it cannot go on.
  std::optional<int> open();
  StreamServiceOptions service_options();
  Result<ReceiverOptions, std::string> receiver_options(const ChannelKey& key);
  /// Those of --relay, or what finds one.
  Result<ReceiverOptions, std::string> default_receiver_options();
  void reload();

  const ServeConfig& config_;
  const CommonConfig& common_;
  std::optional<HttpPlace> listening_;
  std::string in_force_;
  std::optional<LogWriter> log_writer_;
  OsRandom random_;
  EventLoop loop_;
  ClientOptions client_;
  bool asks_dns_ = false;
  std::optional<StreamService> service_;
  ServeLists lists_{loop_, config_};
  std::optional<ServeSite> site_;
};

StreamServiceOptions ServeSession::service_options() {
  StreamServiceOptions options;
  options.channels_max = config_.channels_max;
  options.viewers_max = config_.viewers_max;
  options.ring_octets = config_.buffer_mebibytes << 20;
  options.receiver_options = [this](const ChannelKey& key) { return receiver_options(key); };
  return options;
}

Result<ReceiverOptions, std::string> ServeSession::default_receiver_options() {
  ReceiverOptions options;
  options.relays.client = client_;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  if (!asks_dns_) return options;
  Result<std::unique_ptr<DnsClient>, std::string> dns = DnsClient::create(loop_, resolver_options(config_.relay.dns));
  if (!dns) return Unexpected<std::string>(dns.error());
  options.relays.dns = std::move(*dns);
  return options;
}

Result<ReceiverOptions, std::string> ServeSession::receiver_options(const ChannelKey& key) {
  Result<std::vector<Endpoint>, std::string> relays =
      key.relay ? std::vector<Endpoint>{*key.relay} : lists_.relays_of(key);
  if (!relays) return Unexpected<std::string>(relays.error());
  if (relays->empty()) return default_receiver_options();
  ReceiverOptions options;
  options.relays.client = client_;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  GatewayOptions& gateway = options.relays.client.gateway;
  gateway.candidates.clear();
  for (const Endpoint& relay : *relays) gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
  options.relays.client.names.clear();
  return options;
}

void ServeSession::reload() {
  site_->access.refresh();
  if (config_.token_file) {
    Result<AccessTokens, std::string> tokens = read_token_file(*config_.token_file);
    if (tokens) {
      site_->access.set_tokens(std::move(*tokens));
    } else {
      log_error("SIGHUP: {}; the tokens stay as they were", tokens.error());
    }
  }
  lists_.reload();
  log_info("SIGHUP: subnets of this host, tokens and lists were looked at again");
}

/// Opens everything that needs a capability or a file, then gives up the rest, then looks up relays.
std::optional<int> ServeSession::open() {
  if (const std::optional<std::string> problem = unguarded_listening(config_)) return fail_usage("serve", *problem);
  if (const Result<void, std::string> read = lists_.read_file(); !read) return fail_usage("serve", read.error());
  std::optional<AccessTokens> tokens;
  if (config_.token_file) {
    Result<AccessTokens, std::string> read = read_token_file(*config_.token_file);
    if (!read) return fail_usage("serve", read.error());
    tokens = std::move(*read);
  }
  if (const std::optional<std::string> problem = unusable_native_interface(config_.relay)) {
    return fail_usage("serve", *problem);
  }
  static_cast<void>(raise_descriptor_limit(config_.viewers_max + kDescriptorsKept));
  SysResult<HttpPlace> listening = bind_http(config_.listen, "--listen");
  if (!listening) return fail(explain(listening.error()));
  listening_.emplace(std::move(*listening));
  const std::string socket = listening_->file ? listening_->file->path() : std::string();
  const Result<std::string, std::string> confined = confine(common_, serve_sandbox(config_, socket));
  if (!confined) return fail(confined.error());
  in_force_ = *confined;
  // Its thread, and those of look-ups, begin when there is nothing more to give up.
  log_writer_.emplace();
  Result<RelaySetOptions, std::string> relays = relay_set_options(
      loop_, config_.relay, [](const std::string& name) { return look_up_waiting(name, kNameWaitMax); });
  if (!relays) return fail(relays.error());
  client_ = std::move(relays->client);
  asks_dns_ = relays->dns != nullptr;
  service_.emplace(loop_, service_options(), random_);
  lists_.begin(random_, [this] { return default_receiver_options(); });
  site_.emplace(ServeSite{.service = *service_,
                          .lists = lists_,
                          .access = ServeAccess(config_.allowed, config_.allowed_origins, std::move(tokens)),
                          .allow_relay_parameter = config_.allow_relay_parameter,
                          .relay_port = config_.relay.relay_port,
                          .own_host = place_name(config_.listen),
                          .started = monotonic_now()});
  return std::nullopt;
}

int ServeSession::run() {
  if (const std::optional<int> failed = open()) return *failed;
  std::optional<HttpListener> listener(
      serve_http(loop_.context(), std::move(*listening_), make_serve_routes(*site_),
                 {.names = config_.http_names, .connections_max = config_.viewers_max + kOtherConnections}));
  loop_.on_stop_signal([&](int) {
    log_info("stopping");
    notify_stopping();
    listener.reset();
    lists_.shutdown();
    service_->shutdown();
    loop_.stop();
  });
  loop_.on_reload_signal([this] { reload(); });
  const ServiceWatchdog watchdog(loop_);
  log_confinement(common_, in_force_);
  log_info("serve ready on http://{}/", site_->own_host);
  notify_ready("serving on " + site_->own_host);
  loop_.run();
  return 0;
}

}  // namespace

int run_serve(const ServeConfig& config, const CommonConfig& common) {
  if (common.check_config) return config_is_good("serve");
  return ServeSession(config, common).run();
}

}  // namespace amt
