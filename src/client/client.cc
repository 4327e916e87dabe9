#include "client/client.hh"

#include <algorithm>

#include "client/client_impl.hh"
#include "client/silence_reason.hh"

namespace amt {
namespace {

/// A network that loses its native multicast loses it for many hosts at once: they miss it within this, by chance, and
/// do not all ask their relays in the same moment.
constexpr Duration kSilenceSpread = std::chrono::milliseconds(300);

NativeOptions native_options(Random& random) {
  NativeOptions options;
  options.silence += random.between(Duration::zero(), kSilenceSpread);
  return options;
}

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

Client::Impl::Impl(ClientOptions given, Random& random_source, Instant now)
    : options(std::move(given)),
      random(random_source),
      probes(random_source),
      sources(options.local),
      payload_reader(options.payload_port) {
  if (options.payloads) options.verify_transport = true;
  if (options.native) native.emplace(native_options(random), KeyedHash(random));
  if (!options.names.empty()) names.emplace(options.names, options.local, now);
  const std::vector<RelayCandidate>& named = options.gateway.candidates;
  if (can_race(named) || discovers_alone()) options.search.order = {RelayOrigin::kNamed};
  if (finds_from_start()) selection.emplace(options.search, random);
}

bool Client::Impl::finds_from_start() const {
  return options.gateway.candidates.empty() || can_race(options.gateway.candidates);
}

bool Client::Impl::uses_services() const {
  const std::vector<RelayOrigin>& order = options.search.order;
  return options.has_dns && std::ranges::find(order, RelayOrigin::kDnsSd) != order.end();
}

void Client::Impl::begin(Instant now) {
  if (!finds()) {
    for (const RelayCandidate& candidate : options.gateway.candidates) emit(RelayChosen{candidate.endpoint.address});
    open_tunnel(now, kFirstTunnel, options.gateway, options.port_purpose);
  } else {
    if (uses_services()) {
      services.emplace(random);
      begin_services(now);
    }
    begin_defaults(false);
  }
  drain(now);
}

Client::Client(ClientOptions options, Random& random, Instant now)
    : impl_(std::make_unique<Impl>(std::move(options), random, now)) {
  impl_->begin(now);
}
Client::~Client() = default;

void Client::Impl::begin_packets() {
  accepted.clear();
  datagrams.clear();
  payloads.clear();
  payload_reader.release();
  packets_polled = false;
}

void Client::Impl::drain(Instant now) {
  if (is_shut_down) return;
  for (bool again = true; again;) {
    again = drain_native(now);
    again = drain_names(now) || again;
    for (auto& [number, tunnel] : tunnels) again = drain_tunnel(now, number, tunnel) || again;
    if (!finds()) continue;
    again = drain_selection(now) || again;
    again = drain_probes(now) || again;
    again = drain_services(now) || again;
    again = drain_sources(now) || again;
  }
  review_succession(now);
}

bool Client::Impl::set_relay_membership(Instant now, const IpAddress& group, const SourceFilter& filter) {
  const auto first = tunnels.find(kFirstTunnel);
  const bool taken = first == tunnels.end() || first->second.gateway.set_membership(now, group, filter);
  if (finds()) selection->set_membership(now, group, filter);
  return taken;
}

bool Client::may_join(const IpAddress& group, const SourceFilter& filter) const {
  const bool any_of_ssm = filter.mode == FilterMode::kExclude && impl_->options.gateway.ssm.contains(group);
  return is_forwardable_group(group) && !any_of_ssm;
}

bool Client::set_membership(Instant now, const IpAddress& group, const SourceFilter& filter) {
  if (!may_join(group, filter) || impl_->is_shut_down) return false;
  if (impl_->native) {
    impl_->native->set_membership(now, group, filter);
  } else if (!impl_->set_relay_membership(now, group, filter)) {
    return false;
  }
  impl_->drain(now);
  return true;
}

void Client::handle_datagrams(Instant now, SocketId socket, std::span<const Received> batch) {
  impl_->begin_packets();
  const auto owner = impl_->sockets.find(socket);
  if (owner == impl_->sockets.end() || impl_->is_shut_down) return;
  if (!owner->second) {
    for (const Received& message : batch) {
      message.for_each_datagram([&](Bytes datagram) { impl_->probes.handle_datagram(now, message.from, datagram); });
    }
    return impl_->drain(now);
  }
  Impl::Tunnel& tunnel = impl_->tunnels.at(*owner->second);
  for (const Received& message : batch) {
    message.for_each_datagram([&](MutableBytes datagram) {
      // The gateway counts a reject; no output follows.
      if (wire::peek_type(datagram) != wire::MessageType::kMulticastData) {
        if (tunnel.gateway.handle_control(now, message.from, datagram)) tunnel.logged_problem.clear();
        impl_->drain_tunnel(now, *owner->second, tunnel);
      } else if (const auto inner = tunnel.gateway.accept_data(now, message.from, message.ecn, datagram,
                                                               impl_->options.verify_transport)) {
        impl_->accepted.push_back(*inner);
      }
    });
  }
  impl_->report_ecn_mismatches(now, tunnel);
  impl_->handle_tunnel_data(now, *owner->second);
  impl_->drain(now);
}

void Client::handle_unreachable(Instant now, SocketId socket, const Endpoint& to) {
  const auto owner = impl_->sockets.find(socket);
  if (owner == impl_->sockets.end()) return;
  if (owner->second) {
    impl_->tunnels.at(*owner->second).gateway.handle_unreachable(now, to);
  } else {
    impl_->probes.handle_unreachable(to);
  }
  impl_->drain(now);
}

void Client::handle_send_error(Instant now, SocketId socket, const Endpoint& to, const std::string& problem) {
  const auto owner = impl_->sockets.find(socket);
  if (owner == impl_->sockets.end()) return;
  if (owner->second) {
    Impl::Tunnel& tunnel = impl_->tunnels.at(*owner->second);
    if (tunnel.logged_problem != problem) {
      impl_->emit_event(LogLevel::kWarn, "relay " + to.to_string() + " cannot be reached from here: " + problem);
    }
    tunnel.send_problem = tunnel.logged_problem = problem;
  } else {
    impl_->fail_probes(problem, [&](const Endpoint& target) { return target == to; });
  }
  impl_->drain(now);
}

void Client::Impl::fail_probes(const std::string& problem, const std::function<bool(const Endpoint&)>& concerns) {
  std::vector<RelayProbes::Ticket> failed;
  for (const auto& [ticket, probe] : probe_options) {
    if (concerns(probe.target)) failed.push_back(ticket);
  }
  for (const RelayProbes::Ticket ticket : failed) probes.handle_send_error(ticket, problem);
}

void Client::handle_socket_failed(Instant now, SocketId socket, const std::string& problem) {
  const auto owner = impl_->sockets.find(socket);
  if (owner == impl_->sockets.end()) return;
  const std::optional<TunnelNumber> number = owner->second;
  impl_->sockets.erase(owner);
  if (number) {
    Impl::Tunnel& tunnel = impl_->tunnels.at(*number);
    std::erase_if(tunnel.sockets, [&](const auto& entry) { return entry.second == socket; });
    tunnel.send_problem = problem;
    impl_->emit_event(LogLevel::kError, "no socket for a tunnel: " + problem);
    if (impl_->finds()) impl_->selection->handle_tunnel(now, *number, TunnelEvent::kSilent);
  } else {
    const auto failed =
        std::ranges::find_if(impl_->probe_sockets, [&](const auto& entry) { return entry.second == socket; });
    const Family family = failed->first;
    impl_->probe_sockets.erase(failed);
    impl_->fail_probes(problem, [&](const Endpoint& target) { return target.address.family() == family; });
  }
  impl_->drain(now);
}

void Client::handle_timeout(Instant now) {
  for (auto& [number, tunnel] : impl_->tunnels) {
    if (tunnel.deadline <= now) tunnel.gateway.handle_timeout(now);
  }
  if (impl_->first_doubted_until <= now) impl_->begin_succession(now);
  if (impl_->native) impl_->native->handle_timeout(now);
  if (impl_->names) impl_->names->handle_timeout(now);
  if (impl_->finds()) {
    impl_->selection->handle_timeout(now);
    impl_->probes.handle_timeout(now);
    if (impl_->services && impl_->services->is_start_due(now) && !impl_->asking_domains) {
      impl_->begin_services(now);
    } else if (impl_->services) {
      impl_->services->handle_timeout(now);
      impl_->services_changed = true;
    }
    if (impl_->network_check_at <= now) {
      impl_->network_check_at = kNoDeadline;
      impl_->begin_defaults(true);
    }
  }
  impl_->drain(now);
}

void Client::shutdown(Instant now) {
  if (std::exchange(impl_->is_shut_down, true)) return;
  while (!impl_->tunnels.empty()) impl_->close_tunnel(now, impl_->tunnels.begin()->first);
  for (const auto& [family, socket] : std::exchange(impl_->probe_sockets, {})) impl_->close_socket(socket);
}

Instant Client::Impl::next_deadline() const {
  if (is_shut_down) return kNoDeadline;
  Instant next = std::min({first_doubted_until, first_closes_at, first_closed_until});
  if (native) next = std::min(next, native->next_deadline());
  if (names) next = std::min(next, names->next_deadline());
  for (const auto& [number, tunnel] : tunnels) next = std::min(next, tunnel.deadline);
  if (!finds()) return next;
  next = std::min({next, selection->next_deadline(), probes.next_deadline(), network_check_at});
  return services && !asking_domains ? std::min(next, services->next_deadline()) : next;
}

ClientOutput Client::poll_output() {
  if (!impl_->outputs.empty()) {
    ClientOutput output = std::move(impl_->outputs.front());
    impl_->outputs.pop_front();
    return output;
  }
  if (!std::exchange(impl_->packets_polled, true) && !(impl_->datagrams.empty() && impl_->payloads.empty())) {
    return ClientPackets{impl_->datagrams, impl_->payloads};
  }
  return ClientDeadline{impl_->next_deadline()};
}

void Client::for_each_membership(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  if (impl_->native) return impl_->native->for_each_wanted(visit);
  if (impl_->finds()) return impl_->selection->for_each_wanted(visit);
  if (!impl_->tunnels.empty()) impl_->tunnels.begin()->second.gateway.for_each_membership(visit);
}

std::string Client::reason_of_silence() const {
  if (impl_->finds()) {
    if (const std::string problem = impl_->selection->problem(); !problem.empty()) return problem;
  }
  if (impl_->tunnels.empty()) return "no relay was found so far";
  const Impl::Tunnel& tunnel = impl_->tunnels.rbegin()->second;
  return amt::reason_of_silence(tunnel.gateway, tunnel.send_problem);
}

}  // namespace amt
