#include <gtest/gtest.h>

#include <algorithm>

#include "ip/udp.hh"
#include "sim/world.hh"

namespace amt::sim {

namespace {

std::string to_string(const Memberships& memberships) {
  std::string text;
  for (const auto& [group, filter] : memberships) text += " " + group.to_string() + " " + filter.to_string();
  return text.empty() ? " nothing" : text;
}

Memberships memberships_of(const RouterState& state) {
  Memberships found;
  state.for_each_group([&](const IpAddress& group, const SourceFilter& filter) { found[group] = filter; });
  return found;
}

/// RFC 3376 §3.2, as it stands there.
void merge(Memberships& merged, const IpAddress& group, const SourceFilter& filter) {
  const auto [entry, is_new] = merged.try_emplace(group, filter);
  if (is_new) return;
  SourceFilter& all = entry->second;
  const bool was_exclude = all.mode == FilterMode::kExclude;
  const bool is_exclude = filter.mode == FilterMode::kExclude;
  if (was_exclude && is_exclude) {
    all.sources = set_intersection(all.sources, filter.sources);
  } else if (was_exclude) {
    all.sources = set_difference(all.sources, filter.sources);
  } else if (is_exclude) {
    all = {FilterMode::kExclude, set_difference(filter.sources, all.sources)};
  } else {
    all.sources = set_union(all.sources, filter.sources);
  }
}

}  // namespace

void World::fail(const std::string& what) {
  failed_ = true;
  ADD_FAILURE()
      << "AMT_SIM_SEED=" << seed_ << " after "
      << std::chrono::duration_cast<std::chrono::milliseconds>(now_ - Instant() - std::chrono::hours(1)).count()
      << " ms: " << what;
}

void World::check_targets(RelayHost& host, const Emitted& emitted) {
  std::set<Endpoint> expected;
  host.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant) {
    if (state.filter(emitted.group).accepts(emitted.source)) expected.insert(tunnel.endpoint);
  });
  std::set<Endpoint> targets;
  host.relay->targets(emitted.source, emitted.group).for_each([&](TunnelId id) {
    if (!targets.insert(host.relay->tunnel(id).endpoint).second) fail("one packet goes twice to one endpoint");
  });
  if (targets != expected) fail("who gets a packet is not who subscribed it");
}

void World::check_upstream(const RelayHost& host) {
  Memberships merged;
  host.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant expires) {
    if (state.empty()) fail("a tunnel without memberships: " + tunnel.endpoint.to_string());
    if (expires < now_) fail("a tunnel that has outlived itself: " + tunnel.endpoint.to_string());
    state.for_each_group([&](const IpAddress& group, const SourceFilter& filter) { merge(merged, group, filter); });
  });
  if (merged != host.joined) {
    fail("joined upstream:" + to_string(host.joined) + "; wanted by the tunnels:" + to_string(merged));
  }
}

void World::check_request(GatewayHost& host, const GatewayTransmit& transmit) {
  const auto type = wire::peek_type(transmit.datagram);
  if (!type) return fail("a gateway sent no AMT message");
  if (*type != wire::MessageType::kRequest && *type != wire::MessageType::kRelayDiscovery) return;
  // Requests of one protocol under one nonce, and Discoveries, are 0.9 s apart or more.
  const std::pair key(transmit.to, std::vector<std::byte>(transmit.datagram.begin(), transmit.datagram.end()));
  const auto [last, is_new] = host.requests.try_emplace(key, now_);
  if (!is_new && now_ - last->second < std::chrono::milliseconds(900)) fail("a Request is repeated too soon");
  last->second = now_;
  // Two protocols, two candidates, one change of mind: more in half a second would be a storm.
  if (++host.requests_lately > 12) fail("a storm of Requests from " + host.inside.to_string());
}

void World::check_accepted(GatewayHost& host, const Packet& packet, Bytes inner) {
  const auto datagram = DatagramView::parse(inner);
  if (!datagram) return fail("a gateway accepted what is no datagram");
  const auto wanted = host.wanted.find(datagram->destination);
  if (wanted == host.wanted.end() || !wanted->second.accepts(datagram->source)) {
    return fail("data without membership: " + datagram->source.to_string() + "@" + datagram->destination.to_string());
  }
  if (host.gateway->relay() && packet.from != *host.gateway->relay() && observing_) {
    return fail("data from another relay than the one in use");
  }
  const auto udp = UdpView::parse(*datagram);
  if (!udp || udp->payload.size() != 8) return fail("a damaged datagram was accepted");
  if (datagram->ecn() != (packet.ecn == Ecn::kCe ? Ecn::kCe : Ecn::kEct0)) return fail("the ECN field is wrong");
  ByteReader payload(udp->payload);
  const std::uint64_t high = payload.u32();
  ++host.arrived[high << 32 | payload.u32()];
  ++tally_.delivered;
  if (packet.ecn == Ecn::kCe) ++tally_.marked;
}

void Tally::add(const Tally& other) {
  delivered += other.delivered;
  marked += other.marked;
  silences += other.silences;
  relay_changes += other.relay_changes;
  not_wanted += other.not_wanted;
  wrong_nonces += other.wrong_nonces;
  tunnels_torn_down += other.tunnels_torn_down;
  tunnels_expired += other.tunnels_expired;
  bad_macs += other.bad_macs;
  limited += other.limited;
}

void World::retire(const RelayHost& host) {
  if (!host.relay) return;
  tally_.tunnels_torn_down += host.relay->counters()[RelayCounter::kTunnelsTornDown];
  tally_.tunnels_expired += host.relay->counters()[RelayCounter::kTunnelsExpired];
  tally_.limited += host.relay->counters()[RelayCounter::kQueriesSentWithLimit];
  tally_.bad_macs += host.relay->rejects()[RelayReject::kBadMac];
}

void World::retire(const GatewayHost& host) {
  if (!host.gateway) return;
  tally_.silences += host.gateway->counters()[GatewayCounter::kSilences];
  tally_.relay_changes += host.gateway->counters()[GatewayCounter::kRelayChanges];
  tally_.not_wanted += host.gateway->rejects()[GatewayReject::kDataNotWanted];
  tally_.wrong_nonces += host.gateway->rejects()[GatewayReject::kWrongNonce];
}

Tally World::tally() {
  for (RelayHost& host : relays_) {
    retire(host);
    host.relay.reset();
  }
  for (GatewayHost& host : gateways_) {
    retire(host);
    host.gateway.reset();
  }
  return tally_;
}

void World::check_relay_state() {
  for (const GatewayHost& host : gateways_) {
    const Endpoint seen_as = network_.outside_of(host.inside);
    Memberships known;
    std::size_t tunnels = 0;
    for (const RelayHost& relay : relays_) {
      relay.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant) {
        if (tunnel.endpoint != seen_as) return;
        ++tunnels;
        known = memberships_of(state);
        if (tunnel.local != host.gateway->relay()) fail("a tunnel at a relay that its gateway does not use");
      });
    }
    if (scenario_.tunnels_max < gateways_.size() && tunnels == 0) continue;
    if (known != host.wanted || tunnels > 1) {
      fail(host.inside.to_string() + " seen as " + seen_as.to_string() + " wants" + to_string(host.wanted) +
           "; known in " + std::to_string(tunnels) + " tunnels:" + to_string(known));
    }
  }
  for (const RelayHost& relay : relays_) {
    relay.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState&, Instant) {
      const auto is_its = [&](const GatewayHost& host) { return tunnel.endpoint == network_.outside_of(host.inside); };
      if (std::none_of(gateways_.begin(), gateways_.end(), is_its)) {
        fail("a tunnel whose gateway is gone: " + tunnel.endpoint.to_string());
      }
    });
  }
}

void World::check_deliveries() {
  for (const GatewayHost& host : gateways_) {
    if (scenario_.tunnels_max < gateways_.size() && host.arrived.empty()) continue;
    for (const Emitted& emitted : observed_) {
      const auto wanted = host.wanted.find(emitted.group);
      const unsigned expected = wanted != host.wanted.end() && wanted->second.accepts(emitted.source) ? 1 : 0;
      const auto arrived = host.arrived.find(emitted.number);
      const unsigned times = arrived == host.arrived.end() ? 0 : arrived->second;
      if (times != expected) {
        return fail(host.inside.to_string() + " got a packet of " + emitted.source.to_string() + "@" +
                    emitted.group.to_string() + " " + std::to_string(times) + " times instead of " +
                    std::to_string(expected));
      }
    }
  }
}

}  // namespace amt::sim
