/// RFC 7450 §5.3.3.5: Teardown; and the end of a tunnel for any reason.

#include "relay/relay_impl.hh"

namespace amt {
namespace {

/// Tunnels with events that one call of `shutdown` ends: their events take less than a megabyte where each has one
/// channel.
constexpr std::size_t kEndsAtOnceMax = 4096;

}  // namespace

Relay::Impl::Outcome Relay::Impl::handle_teardown(Instant now, Bytes message) {
  counters.add(RelayCounter::kTeardownsReceived);
  const auto teardown = wire::Teardown::parse(message);
  if (!teardown) return reject(RelayReject::kBadLength);

  // R-5.3.5-c: address and port come from the fields; the sender of the message does not matter (R-5.3.3.5-e).
  const Endpoint& endpoint = teardown->gateway.endpoint;
  const std::optional<TunnelId> id = tunnels.find(endpoint);

  const bool is_last_pair =
      id && tunnels[*id].nonce == teardown->nonce && wire::equal_constant_time(tunnels[*id].mac, teardown->mac);
  if (!is_last_pair && !secrets.verify(now, endpoint, teardown->nonce, teardown->mac)) {
    return reject(RelayReject::kBadMac);
  }
  if (!id) return reject(RelayReject::kUnknownTunnel);
  end_tunnel(now, *id, by_gateway(EndReason::kTornDown));
  counters.add(RelayCounter::kTeardownsAccepted);
  return {};
}

Relay::Impl::Outcome Relay::Impl::admit_teardown(Instant now, const wire::Teardown& teardown) {
  secrets.advance(now);
  const Endpoint& endpoint = teardown.gateway.endpoint;
  // Not known here: the tunnel's last pair, which counts beyond the secrets' lifetime (`handle_teardown`). A gateway
  // that tears down has a younger one.
  const bool is_authentic = secrets.verify(now, endpoint, teardown.nonce, teardown.mac).has_value();
  if (is_authentic && options.shared->updates.allow(now, endpoint.address)) return {};
  counters.add(RelayCounter::kTeardownsReceived);
  if (!is_authentic) return reject(RelayReject::kBadMac);
  return refuse(now, {RelayReject::kUpdateRateLimit, subscriber_of(endpoint.address)});
}

void Relay::Impl::end_tunnel(Instant now, TunnelId id, EndReason reason) {
  // R-5.3.3.5-d: "the same as would occur if the relay had received [a report that deletes] all group records".
  const TunnelRecord& record = tunnels[id];
  Admission& admission = options.shared->admission;
  tunnels[id].router.clear(changes);
  publish_changes(now, id, reason);
  if (accounts) accounts->end_tunnel(now, record.tunnel, record.since, reason);
  admission.release_memberships(record.tunnel.endpoint.address, record.memberships);
  admission.release_tunnel(record.tunnel.endpoint.address);
  deadlines.remove(id);
  tunnels.erase(id);
  counters.add(counter_of(reason));
}

bool Relay::Impl::shutdown(Instant now, EndReason reason) {
  is_shut_down = true;
  if (accounts) {
    std::size_t ended = 0;
    for (; ended_below < tunnels.end() && ended < kEndsAtOnceMax; ++ended_below) {
      if (!tunnels.contains(TunnelId{ended_below})) continue;
      end_tunnel(now, TunnelId{ended_below}, reason);
      ++ended;
    }
    return ended_below >= tunnels.end();
  }
  counters.add(counter_of(reason), tunnels.size());
  // At once, for any number of tunnels. The upstream membership is taken out of the table group by group, as it is
  // polled.
  Admission& admission = options.shared->admission;
  tunnels.for_each([&](TunnelId id) {
    const TunnelRecord& record = tunnels[id];
    admission.release_memberships(record.tunnel.endpoint.address, record.memberships);
    admission.release_tunnel(record.tunnel.endpoint.address);
  });
  std::vector<Channel> channels;
  table.for_each_channel([&](const ReplicationTable::ChannelUse& use) { channels.push_back(use.channel); });
  admission.release_channels(channels);
  tunnels.clear();
  deadlines.clear();
  return true;
}

}  // namespace amt
