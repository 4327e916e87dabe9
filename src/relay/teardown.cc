/// RFC 7450 §5.3.3.5: Teardown; and the end of a tunnel for whatever reason.

#include "relay/relay_impl.hh"

namespace amt {
Relay::Impl::Outcome Relay::Impl::handle_teardown(Instant now, Bytes message) {
  counters.add(RelayCounter::kTeardownsReceived);
  const auto teardown = wire::Teardown::parse(message);
  if (!teardown) return reject(RelayReject::kBadLength);

  // R-5.3.5-c: address and port come from the fields; who sent it from where does not matter (R-5.3.3.5-e).
  const Endpoint& endpoint = teardown->gateway.endpoint;
  const std::optional<TunnelId> id = tunnels.find(endpoint);

  const bool is_last_pair =
      id && tunnels[*id].nonce == teardown->nonce && wire::equal_constant_time(tunnels[*id].mac, teardown->mac);
  if (!is_last_pair && !secrets.verify(now, endpoint, teardown->nonce, teardown->mac)) {
    return reject(RelayReject::kBadMac);
  }
  if (!id) return reject(RelayReject::kUnknownTunnel);
  end_tunnel(*id, RelayCounter::kTunnelsTornDown);
  counters.add(RelayCounter::kTeardownsAccepted);
  return {};
}

Relay::Impl::Outcome Relay::Impl::admit_teardown(Instant now, const wire::Teardown& teardown) {
  secrets.advance(now);
  const Endpoint& endpoint = teardown.gateway.endpoint;
  // Not known here: the tunnel's last pair, which counts beyond the secrets' lifetime (`handle_teardown`). A gateway
  // that tears down has a younger one.
  std::optional<RelayReject> reason;
  if (!secrets.verify(now, endpoint, teardown.nonce, teardown.mac)) {
    reason = RelayReject::kBadMac;
  } else if (!update_limiter.allow(now, endpoint.address)) {
    reason = RelayReject::kUpdateRateLimit;
  }
  if (!reason) return {};
  counters.add(RelayCounter::kTeardownsReceived);
  return reject(*reason);
}

void Relay::Impl::end_tunnel(TunnelId id, RelayCounter why) {
  // R-5.3.3.5-d: "the same as would occur if the relay had received [a report that deletes] all group records".
  tunnels[id].router.clear(changes);
  publish_changes(id);
  deadlines.remove(id);
  tunnels.erase(id);
  --options.shared->tunnels;
  counters.add(why);
}

void Relay::Impl::shutdown() {
  is_shut_down = true;
  counters.add(RelayCounter::kTunnelsShutDown, tunnels.size());
  // At once, whatever their number. What they wanted upstream is taken out of the table group by group, as it is
  // polled.
  options.shared->tunnels -= tunnels.size();
  tunnels.clear();
  deadlines.clear();
}

}  // namespace amt
