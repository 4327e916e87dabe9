/// The tunnels of a client: each a `Gateway` with a socket for each family that it needs.

#include <array>
#include <string_view>

#include "base/assert.hh"
#include "client/client_impl.hh"
#include "client/tunnel_events.hh"

namespace amt {
namespace {

/// RFC 6040 §4.2: alarms are rate-limited.
constexpr Duration kEcnAlarmInterval = std::chrono::minutes(1);

std::string_view name_of(Ecn ecn) {
  constexpr std::array<std::string_view, 4> kNames = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
  return kNames.at(static_cast<std::size_t>(ecn));
}

bool is_any_of(GatewayEvent::Kind kind, GatewayEvent::Kind one, GatewayEvent::Kind other) {
  return kind == one || kind == other;
}

ClientEvent log_of(const GatewayEvent& event) {
  const std::string endpoint = event.endpoint.to_string();
  switch (event.kind) {
    case GatewayEvent::Kind::kDiscovering:
      return {LogLevel::kInfo, "looking for a relay at " + endpoint};
    case GatewayEvent::Kind::kRelayFound:
      return {LogLevel::kInfo, "relay " + endpoint + " found"};
    case GatewayEvent::Kind::kRelayAnswers:
      return {LogLevel::kInfo, "relay " + endpoint + " answers"};
    case GatewayEvent::Kind::kRelayLimit:
      return {LogLevel::kWarn, "relay " + endpoint + " refuses new gateways (L flag)"};
    case GatewayEvent::Kind::kDataStopped:
      return {LogLevel::kDebug, "nothing of " + (event.source ? event.source->to_string() : "any source") +
                                    " comes through relay " + endpoint + " any more, asking it"};
    case GatewayEvent::Kind::kRelayAlive:
      return {LogLevel::kDebug, "relay " + endpoint + " answers"};
    case GatewayEvent::Kind::kUnreachable:
      return {LogLevel::kDebug, "relay " + endpoint + " is unreachable, says ICMP"};
    case GatewayEvent::Kind::kRelaySilent:
      return {LogLevel::kWarn, "relay " + endpoint + " does not answer, asking again"};
    case GatewayEvent::Kind::kRelayLost:
      return {LogLevel::kWarn, "relay " + endpoint + " does not answer, going on without it"};
    case GatewayEvent::Kind::kEndpointChanged:
      return {LogLevel::kInfo, "the relay now sees this gateway as " + endpoint};
  }
  AMT_ASSERT(false);
}

}  // namespace

SocketId Client::Impl::open_socket(Family family, std::optional<TunnelNumber> owner, std::uint16_t port,
                                   std::string purpose) {
  const SocketId id{next_socket++};
  sockets[id] = owner;
  const bool local_fits = options.local && options.local->family() == family;
  emit(OpenSocket{id, family, local_fits ? options.local : std::nullopt, port, std::move(purpose)});
  return id;
}

void Client::Impl::close_socket(SocketId socket) {
  if (sockets.erase(socket) != 0) emit(CloseSocket{socket});
}

void Client::Impl::open_tunnel(Instant now, TunnelNumber number, const GatewayOptions& gateway,
                               const std::string& purpose) {
  // One tunnel alone can have a port that was given.
  const std::uint16_t port = tunnels.empty() ? options.port : std::uint16_t{0};
  const auto [place, is_new] = tunnels.try_emplace(number, gateway, random, now);
  AMT_ASSERT(is_new);
  open_sockets(number, place->second, gateway.candidates, port, purpose);
}

void Client::Impl::open_sockets(TunnelNumber number, Tunnel& tunnel, const std::vector<RelayCandidate>& candidates,
                                std::uint16_t port, const std::string& purpose) {
  for (const RelayCandidate& candidate : candidates) {
    const Family family = candidate.endpoint.address.family();
    if (!tunnel.sockets.contains(family)) tunnel.sockets[family] = open_socket(family, number, port, purpose);
  }
}

void Client::Impl::close_tunnel(Instant now, TunnelNumber number) {
  const auto found = tunnels.find(number);
  if (found == tunnels.end()) return;
  Tunnel& tunnel = found->second;
  tunnel.gateway.shutdown(now);
  drain_tunnel(now, number, tunnel);
  closed_counters.add_all(tunnel.gateway.counters());
  closed_rejects.add_all(tunnel.gateway.rejects());
  for (const auto& [family, socket] : tunnel.sockets) close_socket(socket);
  tunnels.erase(found);
}

bool Client::Impl::drain_tunnel(Instant now, TunnelNumber number, Tunnel& tunnel) {
  for (bool spoke = false;; spoke = true) {
    const GatewayOutput output = tunnel.gateway.poll_output();
    if (const auto* message = std::get_if<GatewayTransmit>(&output)) {
      transmit(tunnel, *message);
    } else if (const auto* event = std::get_if<GatewayEvent>(&output)) {
      handle_tunnel_event(now, number, *event);
    } else {
      tunnel.deadline = std::get<GatewayDeadline>(output).at;
      return spoke;
    }
  }
}

void Client::Impl::handle_tunnel_event(Instant now, TunnelNumber number, const GatewayEvent& event) {
  emit(log_of(event));
  if (is_shut_down) return;
  if (names && is_any_of(event.kind, GatewayEvent::Kind::kRelaySilent, GatewayEvent::Kind::kRelayLost)) {
    names->set_trouble(now, true);
  } else if (names && is_any_of(event.kind, GatewayEvent::Kind::kRelayAnswers, GatewayEvent::Kind::kRelayAlive)) {
    names->set_trouble(now, false);
  }
  if (number == kFirstTunnel) return watch_first_tunnel(now, tunnels.at(number), event.kind);
  if (const std::optional<TunnelEvent> known = tunnel_event(event.kind)) {
    selection->handle_tunnel(now, number, *known, event.source);
  }
}

void Client::Impl::transmit(Tunnel& tunnel, const GatewayTransmit& message) {
  const auto socket = tunnel.sockets.find(message.to.address.family());
  if (socket == tunnel.sockets.end()) return;
  tunnel.send_problem.clear();
  emit(ClientTransmit{socket->second, message.to, message.datagram});
}

void Client::Impl::report_ecn_mismatches(Instant now, Tunnel& tunnel) {
  const std::uint64_t count = tunnel.gateway.counters()[GatewayCounter::kEcnMismatch];
  if (count == tunnel.ecn_mismatches_reported || now < tunnel.next_ecn_alarm) return;
  const EcnPair last = tunnel.gateway.last_ecn_mismatch();
  emit_event(LogLevel::kWarn,
             std::to_string(count - tunnel.ecn_mismatches_reported) +
                 " datagrams with congestion marks that should not occur together, the last one inner " +
                 std::string(name_of(last.inner)) + ", outer " + std::string(name_of(last.outer)));
  tunnel.ecn_mismatches_reported = count;
  tunnel.next_ecn_alarm = now + kEcnAlarmInterval;
}

Counters<GatewayCounter> Client::counters() const {
  Counters<GatewayCounter> sum = impl_->closed_counters;
  for (const auto& [number, tunnel] : impl_->tunnels) sum.add_all(tunnel.gateway.counters());
  return sum;
}

Counters<GatewayReject> Client::rejects() const {
  Counters<GatewayReject> sum = impl_->closed_rejects;
  for (const auto& [number, tunnel] : impl_->tunnels) sum.add_all(tunnel.gateway.rejects());
  return sum;
}

void Client::for_each_relay(const std::function<void(const Endpoint& relay, const Gateway& gateway)>& visit) const {
  for (const auto& [number, tunnel] : impl_->tunnels) {
    if (const std::optional<Endpoint> relay = tunnel.gateway.relay()) visit(*relay, tunnel.gateway);
  }
}

}  // namespace amt
