#include "engine/relay_set.hh"

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "client/tunnel_events.hh"
#include "engine/relay_lookup.hh"
#include "engine/relay_survey.hh"
#include "engine/service_lookup.hh"
#include "engine/silence_reason.hh"
#include "gateway/duplicate_filter.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"
#include "sys/network_watch.hh"

namespace amt {
namespace {

/// Changes come in bursts, and to many hosts at once: they are looked at after the first of these, and up to the second
/// more, by chance.
constexpr Duration kNetworkCalm = std::chrono::milliseconds(500);
constexpr Duration kNetworkSpan = std::chrono::seconds(1);

/// Several that were named are asked a little apart, and the first that answers is used (RFC 8305 §5): a dead one costs
/// a quarter of a second. The race knows relays by their addresses.
bool can_race(const std::vector<RelayCandidate>& named) {
  for (std::size_t i = 1; i < named.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (named[i].endpoint.address == named[k].endpoint.address) return false;
    }
  }
  return named.size() > 1;
}

}  // namespace

struct RelaySet::Impl {
  Impl(EventLoop& event_loop, RelaySetOptions given, Random& source, GatewayConnection::DataHandler handler)
      : loop(event_loop),
        options(std::move(given)),
        random(source),
        on_data(std::move(handler)),
        started(monotonic_now()),
        network_timer(loop, [this] { on_network_change(); }),
        timer(loop, [this] { on_timer(); }) {}

  /// Are relays found, rather than given?
  [[nodiscard]] bool finds() const { return selection.has_value(); }
  SysResult<void> start();
  SysResult<void> open(TunnelNumber number, GatewayConnectionOptions tunnel);
  void close(TunnelNumber number);
  [[nodiscard]] GatewayConnectionOptions tunnel_options(const Endpoint& relay) const;
  [[nodiscard]] Destination destination(const IpAddress& relay) const;
  /// Those that were named, or the anycast addresses.
  [[nodiscard]] std::vector<RelayOption> default_relays() const;
  void begin_services();
  void on_services(const ServiceSearch& search);

  /// From which addresses relays are reached; empty: nobody looks at that.
  [[nodiscard]] std::map<IpAddress, std::optional<IpAddress>> ways() const;
  void watch_network();
  void on_network_change();

  void on_names(const std::vector<Endpoint>& relays);
  void on_timer();
  void on_event(TunnelNumber number, const GatewayEvent& event);
  void on_tunnel_data(TunnelNumber number, Instant now, std::span<const Bytes> datagrams);
  void on_records(const IpAddress& source, const DriadResult& driad);
  void on_probe(const RelayProbeOptions& probe, const ProbeResult& result);
  /// Does what the selection decided.
  void drain();
  void act(const LookUpSource& step);
  void act(const StartProbe& step);
  void act(const StopProbe& step);
  void act(const OpenTunnel& step);
  void act(const TunnelFilter& step);
  void act(const CloseTunnel& step) { close(step.tunnel); }
  static void act(const Tell& step) { log_at(step.level, "{}", step.text); }

  EventLoop& loop;
  RelaySetOptions options;
  Random& random;
  GatewayConnection::DataHandler on_data;
  Instant started;
  std::optional<RelaySelection> selection;
  std::optional<RelayNames> names;
  std::optional<ServiceLookup> services;
  std::optional<RelaySurvey> survey;
  std::map<IpAddress, RelaySurvey::Ticket> probes;
  std::optional<DuplicateFilter> duplicates;
  std::uint64_t duplicates_dropped = 0;
  /// What of one read is delivered, while duplicates are looked for.
  std::vector<Bytes> fresh;
  Counters<GatewayCounter> closed_counters;
  Counters<GatewayReject> closed_rejects;
  std::uint64_t closed_drops = 0;
  bool draining = false;
  std::map<IpAddress, std::optional<IpAddress>> known_ways;
  std::optional<NetworkWatch> network;
  Timer network_timer;
  Timer timer;
  // Last: their handlers use what is above.
  std::map<TunnelNumber, std::unique_ptr<GatewayConnection>> tunnels;
  std::optional<ReadWatch> network_reading;
};

SysResult<void> RelaySet::Impl::start() {
  const std::vector<RelayCandidate>& named = options.connection.gateway.candidates;
  if (!options.names.empty()) {
    names.emplace(loop, options.names, options.connection.local,
                  [this](const std::vector<Endpoint>& relays) { on_names(relays); });
  }
  if (can_race(named)) {
    options.search.order = {RelayOrigin::kNamed};
  } else if (!named.empty()) {
    if (options.on_relay) {
      for (const RelayCandidate& candidate : named) options.on_relay(candidate.endpoint.address);
    }
    return open(0, options.connection);
  }
  selection.emplace(options.search, random);
  survey.emplace(loop, random, options.connection.local);
  begin_services();
  selection->set_defaults(started, default_relays());
  watch_network();
  return {};
}

void RelaySet::Impl::begin_services() {
  const std::vector<RelayOrigin>& order = options.search.order;
  if (!options.dns || std::ranges::find(order, RelayOrigin::kDnsSd) == order.end()) return;
  services.emplace(loop, *options.dns, random, options.service_domains,
                   [this](const ServiceSearch& search) { on_services(search); });
}

void RelaySet::Impl::on_services(const ServiceSearch& search) {
  ServiceRelays relays{search.options(), search.is_searching(), search.problem()};
  for (RelayOption& option : relays.options) option.destination = destination(option.destination.address);
  selection->set_services(monotonic_now(), std::move(relays));
  drain();
}

void RelaySet::Impl::watch_network() {
  SysResult<NetworkWatch> watch = NetworkWatch::open();
  // Silence tells of a network that changed, too, only later.
  if (!watch) return log_warn("changes of the network go unnoticed: {}", watch.error().to_string());
  network.emplace(std::move(*watch));
  known_ways = ways();
  network_reading.emplace(loop, network->fd(), [this] {
    network->drain();
    if (network_timer.is_set()) return;
    network_timer.set(monotonic_now() + kNetworkCalm + random.between(Duration::zero(), kNetworkSpan));
  });
}

std::map<IpAddress, std::optional<IpAddress>> RelaySet::Impl::ways() const {
  std::map<IpAddress, std::optional<IpAddress>> found;
  for (const IpAddress& relay : kRelayAnycast) found[relay] = source_address_towards(relay);
  for (const auto& [number, tunnel] : tunnels) {
    const std::optional<Endpoint> relay = tunnel->gateway().relay();
    if (relay) found[relay->address] = source_address_towards(relay->address);
  }
  return found;
}

void RelaySet::Impl::on_network_change() {
  const auto found = ways();
  const bool same = std::ranges::all_of(found, [this](const auto& way) {
    const auto known = known_ways.find(way.first);
    return known == known_ways.end() || known->second == way.second;
  });
  known_ways = found;
  // Most of what happens on a host's interfaces is none of a tunnel's business.
  if (same) return;
  log_info("the network changed: looking for relays anew");
  if (services) services->start_anew();
  selection->set_defaults(monotonic_now(), default_relays());
  drain();
}

SysResult<void> RelaySet::Impl::open(TunnelNumber number, GatewayConnectionOptions tunnel) {
  SysResult<std::unique_ptr<GatewayConnection>> connection = GatewayConnection::create(
      loop, tunnel, random,
      [this, number](Instant now, std::span<const Bytes> datagrams) { on_tunnel_data(number, now, datagrams); },
      [this, number](const GatewayEvent& event) { on_event(number, event); });
  if (!connection) return Unexpected<SysError>(connection.error());
  tunnels[number] = std::move(*connection);
  return {};
}

void RelaySet::Impl::close(TunnelNumber number) {
  const auto tunnel = tunnels.find(number);
  if (tunnel == tunnels.end()) return;
  tunnel->second->shutdown();
  closed_counters.add_all(tunnel->second->gateway().counters());
  closed_rejects.add_all(tunnel->second->gateway().rejects());
  closed_drops += tunnel->second->receive_drops();
  tunnels.erase(tunnel);
}

GatewayConnectionOptions RelaySet::Impl::tunnel_options(const Endpoint& relay) const {
  GatewayConnectionOptions tunnel = options.connection;
  tunnel.gateway = found_relay_options(tunnel.gateway, relay);
  // One tunnel alone can have a port that was given; lasting ones differ by relay.
  if (!tunnels.empty()) tunnel.port = 0;
  if (!tunnel.port_purpose.empty()) tunnel.port_purpose += " by " + relay.address.to_string();
  return tunnel;
}

Destination RelaySet::Impl::destination(const IpAddress& relay) const {
  const std::optional<IpAddress>& local = options.connection.local;
  if (!local) return {relay, source_address_towards(relay)};
  return {relay, local->family() == relay.family() ? local : std::nullopt};
}

std::vector<RelayOption> RelaySet::Impl::default_relays() const {
  std::vector<RelayOption> relays;
  for (const RelayCandidate& candidate : options.connection.gateway.candidates) {
    RelayOption option;
    option.destination = destination(candidate.endpoint.address);
    option.origin = RelayOrigin::kNamed;
    option.precedence = static_cast<std::uint16_t>(relays.size());
    option.port = candidate.endpoint.port;
    option.discovery_optional = candidate.kind == RelayCandidate::Kind::kRelay;
    relays.push_back(option);
  }
  if (!relays.empty()) return relays;
  for (const IpAddress& address : kRelayAnycast) {
    RelayOption option;
    option.destination = destination(address);
    option.origin = RelayOrigin::kAnycast;
    relays.push_back(option);
  }
  return relays;
}

void RelaySet::Impl::on_timer() {
  selection->handle_timeout(monotonic_now());
  drain();
}

void RelaySet::Impl::on_names(const std::vector<Endpoint>& relays) {
  std::vector<RelayCandidate> candidates;
  for (const Endpoint& relay : relays) {
    if (options.on_relay) options.on_relay(relay.address);
    candidates.push_back({RelayCandidate::Kind::kRelay, relay});
  }
  std::ranges::copy_if(options.connection.gateway.candidates, std::back_inserter(candidates),
                       [](const RelayCandidate& one) { return one.kind == RelayCandidate::Kind::kDiscovery; });
  if (finds()) {
    options.connection.gateway.candidates = std::move(candidates);
    selection->set_defaults(monotonic_now(), default_relays());
    return drain();
  }
  if (const SysResult<void> set = tunnels.at(0)->set_candidates(std::move(candidates)); !set) {
    log_warn("the relay's new address cannot be used: {}", set.error().to_string());
  }
}

void RelaySet::Impl::on_event(TunnelNumber number, const GatewayEvent& event) {
  if (names && (event.kind == GatewayEvent::Kind::kRelaySilent || event.kind == GatewayEvent::Kind::kRelayLost)) {
    names->set_trouble(true);
  } else if (names &&
             (event.kind == GatewayEvent::Kind::kRelayAnswers || event.kind == GatewayEvent::Kind::kRelayAlive)) {
    names->set_trouble(false);
  }
  if (!finds()) return;
  if (const std::optional<TunnelEvent> known = tunnel_event(event.kind)) {
    selection->handle_tunnel(monotonic_now(), number, *known, event.source);
    drain();
  }
}

void RelaySet::Impl::on_tunnel_data(TunnelNumber number, Instant now, std::span<const Bytes> datagrams) {
  if (!finds() || (!selection->is_watching() && !selection->is_moving())) return on_data(now, datagrams);
  const bool moving = selection->is_moving();
  if (moving && !duplicates) duplicates.emplace(random);
  fresh.clear();
  IpAddress last;
  for (const Bytes datagram : datagrams) {
    const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram);
    // One read brings mostly one source's packets.
    if (addresses && addresses->source != last) {
      last = addresses->source;
      selection->handle_traffic(now, number, last);
    }
    if (!moving || duplicates->is_new(now, number, datagram)) {
      fresh.push_back(datagram);
    } else {
      ++duplicates_dropped;
    }
  }
  if (!fresh.empty()) on_data(now, fresh);
  drain();
}

void RelaySet::Impl::drain() {
  // What is done draws further events, which come here again.
  if (draining || !finds()) return;
  draining = true;
  while (const std::optional<SelectionStep> step = selection->poll_step()) {
    std::visit([this](const auto& one) { this->act(one); }, *step);
  }
  draining = false;
  if (!selection->is_moving()) duplicates.reset();
  timer.set(selection->next_deadline());
}

void RelaySet::Impl::act(const LookUpSource& step) {
  if (!options.dns) return;
  look_up_driad(*options.dns, random, step.source,
                [this, source = step.source](const DriadResult& driad) { on_records(source, driad); });
}

void RelaySet::Impl::on_records(const IpAddress& source, const DriadResult& driad) {
  SourceRecords records = source_records(source, driad);
  for (RelayOption& option : records.options) option.destination = destination(option.destination.address);
  selection->handle_records(monotonic_now(), source, records);
  drain();
}

void RelaySet::Impl::act(const StartProbe& step) {
  RelayProbeOptions probe;
  probe.relay_port = step.option.port != 0 ? step.option.port : options.connection.gateway.relay_port;
  probe.target = {step.option.destination.address, probe.relay_port};
  probe.request_directly = step.option.discovery_optional;
  // The port of an address that was named for Relay Discovery says nothing of the relay that it names.
  if (step.option.origin == RelayOrigin::kNamed && !probe.request_directly) {
    probe.relay_port = options.connection.gateway.relay_port;
  }
  log_debug("asking relay {} ({})", probe.target.to_string(), to_string(step.option.origin));
  probes[probe.target.address] =
      survey->ask(probe, [this, probe](const ProbeResult& result) { on_probe(probe, result); });
}

void RelaySet::Impl::on_probe(const RelayProbeOptions& probe, const ProbeResult& result) {
  probes.erase(probe.target.address);
  ProbeOutcome outcome;
  if (result.state == RelayProbe::State::kConnected) {
    outcome = {ProbeOutcome::Kind::kConnected, *result.relay, result.request_time.value_or(Duration::zero()), {}};
  } else {
    const bool limited = result.state == RelayProbe::State::kLimited;
    outcome.kind = limited ? ProbeOutcome::Kind::kLimited : ProbeOutcome::Kind::kFailed;
    outcome.problem = "relay " + probe.target.address.to_string() + " " + explain_failure(result);
    log_info("{}", outcome.problem);
  }
  selection->handle_probe(monotonic_now(), probe.target.address, outcome);
  drain();
}

void RelaySet::Impl::act(const StopProbe& step) {
  const auto probe = probes.find(step.target);
  if (probe == probes.end()) return;
  survey->cancel(probe->second);
  probes.erase(probe);
}

void RelaySet::Impl::act(const OpenTunnel& step) {
  if (options.on_relay) options.on_relay(step.relay.address);
  known_ways[step.relay.address] = source_address_towards(step.relay.address);
  const SysResult<void> opened = open(step.tunnel, tunnel_options(step.relay));
  if (opened) return;
  log_error("no tunnel to relay {}: {}", step.relay.to_string(), opened.error().to_string());
  selection->handle_tunnel(monotonic_now(), step.tunnel, TunnelEvent::kSilent);
}

void RelaySet::Impl::act(const TunnelFilter& step) {
  const auto tunnel = tunnels.find(step.tunnel);
  if (tunnel != tunnels.end()) static_cast<void>(tunnel->second->set_membership(step.group, step.filter));
}

SysResult<std::unique_ptr<RelaySet>> RelaySet::create(EventLoop& loop, RelaySetOptions options, Random& random,
                                                      GatewayConnection::DataHandler on_data) {
  auto impl = std::make_unique<Impl>(loop, std::move(options), random, std::move(on_data));
  if (const SysResult<void> begun = impl->start(); !begun) return Unexpected<SysError>(begun.error());
  return std::unique_ptr<RelaySet>(new RelaySet(std::move(impl)));
}

RelaySet::RelaySet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelaySet::~RelaySet() = default;

bool RelaySet::may_join(const IpAddress& group, const SourceFilter& filter) const {
  const bool any_of_ssm = filter.mode == FilterMode::kExclude && impl_->options.connection.gateway.ssm.contains(group);
  return is_forwardable_group(group) && !any_of_ssm;
}

bool RelaySet::set_membership(const IpAddress& group, const SourceFilter& filter) {
  if (!impl_->finds()) return impl_->tunnels.at(0)->set_membership(group, filter);
  if (!may_join(group, filter)) return false;
  impl_->selection->set_membership(monotonic_now(), group, filter);
  impl_->drain();
  return true;
}

void RelaySet::shutdown() {
  for (const auto& [number, tunnel] : impl_->tunnels) tunnel->shutdown();
  if (impl_->names) impl_->names->stop();
  impl_->timer.set(kNoDeadline);
  impl_->network_timer.set(kNoDeadline);
  impl_->network_reading.reset();
  // Nothing that is still under way may begin anything anew.
  impl_->survey.reset();
  impl_->services.reset();
  impl_->options.dns.reset();
}

Instant RelaySet::started() const { return impl_->started; }

std::string RelaySet::reason_of_silence() const {
  if (impl_->finds()) {
    if (const std::string problem = impl_->selection->problem(); !problem.empty()) return problem;
    if (impl_->tunnels.empty()) return "no relay was found so far";
  }
  return amt::reason_of_silence(*impl_->tunnels.rbegin()->second);
}

void RelaySet::for_each_relay(const std::function<void(const Endpoint& relay, const Gateway& gateway)>& visit) const {
  for (const auto& [number, tunnel] : impl_->tunnels) {
    const Gateway& gateway = tunnel->gateway();
    if (gateway.relay()) visit(*gateway.relay(), gateway);
  }
}

void RelaySet::for_each_membership(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  if (impl_->finds()) return impl_->selection->for_each_wanted(visit);
  impl_->tunnels.at(0)->gateway().for_each_membership(visit);
}

Counters<GatewayCounter> RelaySet::counters() const {
  Counters<GatewayCounter> sum = impl_->closed_counters;
  for (const auto& [number, tunnel] : impl_->tunnels) sum.add_all(tunnel->gateway().counters());
  return sum;
}

Counters<GatewayReject> RelaySet::rejects() const {
  Counters<GatewayReject> sum = impl_->closed_rejects;
  for (const auto& [number, tunnel] : impl_->tunnels) sum.add_all(tunnel->gateway().rejects());
  return sum;
}

std::uint64_t RelaySet::receive_drops() const {
  std::uint64_t drops = impl_->closed_drops;
  for (const auto& [number, tunnel] : impl_->tunnels) drops += tunnel->receive_drops();
  return drops;
}

std::uint64_t RelaySet::duplicates() const { return impl_->duplicates_dropped; }

}  // namespace amt
