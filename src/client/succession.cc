/// How a client that was given one discovery address leaves the relay which that address led to. The relay's L flag or
/// its silence begins a search, which asks the address anew. The first tunnel stays until another brings the wanted
/// data.

#include "client/client_impl.hh"

namespace amt {

bool Client::Impl::discovers_alone() const {
  const std::vector<RelayCandidate>& named = options.gateway.candidates;
  return options.names.empty() && named.size() == 1 && named.front().kind == RelayCandidate::Kind::kDiscovery;
}

void Client::Impl::watch_first_tunnel(Instant now, const Tunnel& tunnel, GatewayEvent::Kind event) {
  if (!discovers_alone()) return;
  if (event == GatewayEvent::Kind::kDataStopped && !finds()) {
    first_doubted_until = now + options.search.answer_patience;
  } else if (event == GatewayEvent::Kind::kRelayAlive || event == GatewayEvent::Kind::kRelayAnswers) {
    first_doubted_until = kNoDeadline;
    // The relay is back, or the tunnel's own Relay Discovery found another before the search did.
    if (has_first_tunnel() && tunnels.size() == 1) end_succession();
  } else if (event == GatewayEvent::Kind::kRelayLimit && !finds() && tunnel.gateway.relay()) {
    // RFC 8777 §3.3.5: "should generally restart the discovery process". One without a tunnel has left by itself.
    begin_succession(now);
  } else if (event == GatewayEvent::Kind::kRelayLost) {
    first_doubted_until = kNoDeadline;
  }
}

void Client::Impl::begin_succession(Instant now) {
  first_is_silent = first_doubted_until <= now;
  first_doubted_until = kNoDeadline;
  selection.emplace(options.search, random);
  begin_defaults(false);
}

void Client::Impl::want_what_first_tunnel_has(Instant now) {
  if (!has_first_tunnel()) return;
  tunnels.at(kFirstTunnel).gateway.for_each_membership([&](const IpAddress& group, const SourceFilter& filter) {
    selection->set_membership(now, group, filter);
  });
}

void Client::Impl::end_succession() {
  for (const auto& [ticket, probe] : std::exchange(probe_options, {})) probes.stop(ticket);
  for (const auto& [family, socket] : std::exchange(probe_sockets, {})) close_socket(socket);
  selection.reset();
  tunnel_duplicates.reset();
}

void Client::Impl::review_succession(Instant now) {
  if (first_closed_until <= now) first_closed_until = kNoDeadline;
  if (!has_first_tunnel()) return;
  if (tunnels.size() == 1) {
    first_closes_at = kNoDeadline;
    if (!first_is_silent && waiting.empty() && !selection->is_racing()) end_succession();
    return;
  }
  const bool is_brought = selection->is_delivering();
  if (first_closes_at == kNoDeadline) first_closes_at = now + RelaySelection::kOverlapMax;
  if (is_brought) first_closes_at = std::min(first_closes_at, now + RelaySelection::kOverlap);
  if (first_closes_at > now) return;
  first_closes_at = kNoDeadline;
  first_closed_until = now + RelaySelection::kLag;
  close_tunnel(now, kFirstTunnel);
}

}  // namespace amt
