#include <cerrno>
#include <fstream>
#include <iterator>

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

constexpr std::size_t kPlaylistOctetsMax = std::size_t{4} << 20;
/// Connections that have not been taken over: of requests that wait, status and pages.
constexpr std::size_t kOtherConnections = 64;
constexpr Duration kNameWaitMax = std::chrono::seconds(30);

Result<Playlist, std::string> read_playlist(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unexpected<std::string>("--playlist " + path + ": cannot be read");
  std::string text(kPlaylistOctetsMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unexpected<std::string>("--playlist " + path + ": cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kPlaylistOctetsMax) return Unexpected<std::string>("--playlist " + path + ": larger than 4 MiB");
  Playlist list = Playlist::parse(text);
  constexpr std::size_t kProblemsShown = 10;
  for (std::size_t i = 0; i < std::min(list.problems.size(), kProblemsShown); ++i) {
    log_warn("--playlist {}: {}", path, list.problems[i]);
  }
  return list;
}

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
  [[nodiscard]] std::optional<Endpoint> relay_of_list(const ChannelKey& key) const;
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

/// An entry of the list may name the relay of its channel.
std::optional<Endpoint> ServeSession::relay_of_list(const ChannelKey& key) const {
  for (const PlaylistEntry& entry : site_->playlist.entries) {
    const ChannelUrl* const url = entry.channel();
    if (url == nullptr || !url->relay || url->channel != key.channel || url->port != key.port) continue;
    return channel_key(*url, config_.relay.relay_port).relay;
  }
  return std::nullopt;
}

Result<ReceiverOptions, std::string> ServeSession::receiver_options(const ChannelKey& key) {
  ReceiverOptions options;
  options.relays.client = client_;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  if (const std::optional<Endpoint> relay = key.relay ? key.relay : relay_of_list(key)) {
    options.relays.client.gateway.candidates = {{RelayCandidate::Kind::kRelay, *relay}};
    options.relays.client.names.clear();
    return options;
  }
  if (!asks_dns_) return options;
  Result<std::unique_ptr<DnsClient>, std::string> dns = DnsClient::create(loop_, resolver_options(config_.relay.dns));
  if (!dns) return Unexpected<std::string>(dns.error());
  options.relays.dns = std::move(*dns);
  return options;
}

void ServeSession::reload() {
  site_->access.refresh();
  if (!config_.playlist) return log_info("SIGHUP: the subnets of this host were looked at again");
  Result<Playlist, std::string> list = read_playlist(*config_.playlist);
  if (!list) return log_error("SIGHUP: {}; the list stays as it was", list.error());
  site_->playlist = std::move(*list);
  log_info("SIGHUP: the playlist has {} entries", site_->playlist.entries.size());
}

/// Takes what needs a right or a file, then gives up the rest, then looks up relays.
std::optional<int> ServeSession::open() {
  Result<Playlist, std::string> playlist = Playlist();
  if (config_.playlist) playlist = read_playlist(*config_.playlist);
  if (!playlist) return fail_usage("serve", playlist.error());
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
  site_.emplace(ServeSite{.service = *service_,
                          .access = ServeAccess(config_.allowed, config_.allowed_origins),
                          .allow_relay_parameter = config_.allow_relay_parameter,
                          .relay_port = config_.relay.relay_port,
                          .playlist = std::move(*playlist),
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
