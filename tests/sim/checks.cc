/// Invariants after every step, and once the network is calm.

#include <algorithm>
#include <set>

#include "ip/udp.hh"
#include "relay/admission_recount.hh"
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
  trace("VIOLATED: " + what);
  if (failed()) return;
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - began_);
  failure_ = "seed " + std::to_string(seed_) + " after " + std::to_string(after.count()) + " ms: " + what;
}

bool World::is_time_to_check() {
  constexpr std::uint64_t kInputsMin = 32;
  return scenario_.check_every_step || ++relay_inputs_ % std::max(kInputsMin, gateways_.size() / 2) == 0;
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
  tally_.add(Event::kStateChecks);
  Memberships merged;
  host.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant) {
    if (state.empty()) fail("a tunnel without memberships: " + tunnel.endpoint.to_string());
    state.for_each_group([&](const IpAddress& group, const SourceFilter& filter) { merge(merged, group, filter); });
  });
  check_admission(host);
  if (merged != host.joined) {
    fail("joined upstream:" + to_string(host.joined) + "; wanted by the tunnels:" + to_string(merged));
  }
}

void World::check_admission(const RelayHost& host) {
  const Relay* const relay = host.relay.get();
  if (!relay_test::agrees_with_recount(host.shared->admission, {&relay, 1})) {
    fail("what was admitted is not what the tunnels have");
  }
}

void World::check_timeout(Machine& machine) {
  constexpr unsigned kTimeoutsAtOnceMax = 4;
  machine.timeouts_at_once = machine.last_timeout == now_ ? machine.timeouts_at_once + 1 : 1;
  machine.last_timeout = now_;
  if (machine.timeouts_at_once > kTimeoutsAtOnceMax) {
    fail("machine " + std::to_string(machine.id) + " is never done with its timers");
  }
  if (machine.id < relays_.size()) {
    const RelayHost& host = relays_[machine.id];
    if (host.deadline <= clock_of(host)) fail("a relay's timer is still due after its timeout");
    if (!scenario_.check_every_step) return;
    host.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState&, Instant expires) {
      if (expires < clock_of(host)) fail("a tunnel that has outlived itself: " + tunnel.endpoint.to_string());
    });
  }
}

void World::check_request(GatewayHost& host, const Endpoint& to, Bytes datagram) {
  const auto type = wire::peek_type(datagram);
  if (!type) return fail("a gateway sent no AMT message");
  constexpr Duration kApartMin = std::chrono::milliseconds(900);
  const Instant now = clock_of(host);
  if (*type == wire::MessageType::kRelayDiscovery) {
    // Changes of mind among candidates, a few; never a repeat at once.
    if (now - host.discovery_sent < kApartMin && host.options.candidates.size() == 1) {
      fail("a Discovery is repeated too soon by " + host.inside.to_string());
    }
    host.discovery_sent = now;
  } else if (*type == wire::MessageType::kRequest) {
    const auto request = wire::Request::parse(datagram);
    if (!request) return fail("a gateway sent a Request that is none");
    Series& series = host.series[static_cast<std::size_t>(request->protocol)];
    if (series.to != to) series = {};
    if (series.is_unanswered && now - series.last_sent < kApartMin) {
      fail("a Request is repeated too soon by " + host.inside.to_string());
    }
    series.to = to;
    series.last_sent = now;
    series.is_unanswered = true;
    if (std::find(series.nonces.begin(), series.nonces.end(), request->nonce.value) == series.nonces.end()) {
      series.nonces.push_back(request->nonce.value);
    }
    // One with the E flag, one for the retries without (R-5.2.3.5.6).
    if (series.nonces.size() > 2) fail("an unanswered series has three nonces at " + host.inside.to_string());
  } else {
    return;
  }
  // Two protocols, two candidates, one change of mind: more in half a second would be a storm.
  if (++host.requests_lately > 12) fail("a storm of Requests from " + host.inside.to_string());
}

void World::note_query(GatewayHost& host, Bytes datagram) {
  const auto query = wire::MembershipQuery::parse(datagram);
  if (!query || query->datagram.empty()) return;
  const bool is_v4 = (query->datagram.front() >> 4) == std::byte{4};
  host.series[static_cast<std::size_t>(is_v4 ? wire::Protocol::kIgmp : wire::Protocol::kMld)] = {};
}

void World::forget_nonces(GatewayHost& host) {
  for (Series& series : host.series) series.nonces.clear();
}

void World::note_event(GatewayHost& host, const GatewayEvent& event) {
  switch (event.kind) {
    case GatewayEvent::Kind::kDiscovering:
    case GatewayEvent::Kind::kRelayLimit:
    case GatewayEvent::Kind::kRelayLost:
      // Whichever relay comes next, perhaps the same by another way: the query process begins anew.
      forget_nonces(host);
      for (Series& series : host.series) series.is_unanswered = false;
      break;
    default:
      break;
  }
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
  if (!udp || udp->payload.size() < 8) return fail("a damaged datagram was accepted");
  if (datagram->ecn() != (packet.ecn == Ecn::kCe ? Ecn::kCe : Ecn::kEct0)) return fail("the ECN field is wrong");
  tally_.add(Event::kDelivered);
  if (packet.ecn == Ecn::kCe) tally_.add(Event::kMarked);
  if (observed_.empty()) return;
  ByteReader payload(udp->payload);
  const std::uint64_t high = payload.u32();
  // Below the first: wraps, and is too large as well.
  const std::size_t index = (high << 32 | payload.u32()) - observed_.front().number;
  if (index >= observed_.size()) return;
  if (host.arrived.size() <= index) host.arrived.resize(index + 1);
  ++host.arrived[index];
}

void World::check_relay_state() {
  struct Known {
    Endpoint relay;
    Memberships memberships;
  };
  std::multimap<Endpoint, Known> tunnels;
  for (const RelayHost& relay : relays_) {
    check_upstream(relay);
    relay.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant) {
      tunnels.insert({tunnel.endpoint, {tunnel.local, memberships_of(state)}});
    });
  }
  for (const GatewayHost& host : gateways_) {
    tally_.add(Event::kAgreements);
    const Endpoint seen_as = network_.outside_of(host.id, host.inside);
    const auto [first, last] = tunnels.equal_range(seen_as);
    const auto count = std::distance(first, last);
    Memberships told;
    host.gateway->for_each_membership(
        [&](const IpAddress& group, const SourceFilter& filter) { told[group] = filter; });
    if (told != host.wanted) fail("a gateway's own memberships are not what it was told");
    const Memberships known = count == 0 ? Memberships{} : first->second.memberships;
    if (count == 0 && scenario_.is_limited()) continue;
    if (known != host.wanted || count > 1) {
      fail(host.inside.to_string() + " seen as " + seen_as.to_string() + " wants" + to_string(host.wanted) +
           "; known in " + std::to_string(count) + " tunnels:" + to_string(known));
    }
    if (count == 1 && first->second.relay != host.gateway->relay()) {
      fail("a tunnel at a relay that its gateway does not use: " + host.inside.to_string());
    }
    tunnels.erase(first, last);
  }
  if (!tunnels.empty()) fail("a tunnel whose gateway is gone: " + tunnels.begin()->first.to_string());
}

void World::check_deliveries() {
  if (failed()) return;
  for (const GatewayHost& host : gateways_) {
    // Refused everywhere, a gateway gets nothing, or what a tunnel brings that it has given up and the relay has not
    // yet.
    if (scenario_.is_limited() && (host.arrived.empty() || !host.gateway->relay())) continue;
    for (std::size_t i = 0; i < observed_.size(); ++i) {
      const Emitted& emitted = observed_[i];
      const auto wanted = host.wanted.find(emitted.group);
      const bool is_wanted = wanted != host.wanted.end() && wanted->second.accepts(emitted.source);
      const unsigned expected = is_wanted && !(host.is_narrow && emitted.is_large()) ? 1 : 0;
      const unsigned times = i < host.arrived.size() ? host.arrived[i] : 0;
      tally_.add(Event::kDeliveriesChecked);
      if (times != expected) {
        return fail(host.inside.to_string() + " got a packet of " + emitted.source.to_string() + "@" +
                    emitted.group.to_string() + " " + std::to_string(times) + " times instead of " +
                    std::to_string(expected));
      }
    }
  }
}

std::uint64_t World::fingerprint(const RelayHost& host) const {
  const KeyedHash hash;
  std::uint64_t all = host.upstream_changes;
  host.relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& state, Instant expires) {
    all = hash(all ^ hash(tunnel.endpoint));
    all = hash(all ^ static_cast<std::uint64_t>(expires.time_since_epoch().count()));
    all = hash(all ^ std::hash<std::string>()(to_string(memberships_of(state))));
  });
  return all;
}

std::uint64_t World::fingerprint(const GatewayHost& host) const {
  const KeyedHash hash;
  std::uint64_t all = hash(static_cast<std::uint64_t>(host.deadline.time_since_epoch().count()));
  all = hash(all ^ static_cast<std::uint64_t>(host.gateway->phase()));
  all = hash(all ^ hash(host.gateway->relay().value_or(Endpoint{})));
  host.gateway->counters().for_each([&](std::string_view, std::uint64_t value) { all = hash(all ^ value); });
  return all;
}

void World::retire(const RelayHost& host) {
  if (!host.relay) return;
  const auto count = [&](Event event, std::uint64_t amount) { tally_.add(event, amount); };
  const Counters<RelayCounter>& counters = host.relay->counters();
  count(Event::kRequestsReceived, counters[RelayCounter::kRequestsReceived]);
  count(Event::kUpdatesAccepted, counters[RelayCounter::kUpdatesAccepted]);
  count(Event::kTunnelsCreated, counters[RelayCounter::kTunnelsCreated]);
  count(Event::kTunnelsTornDown, counters[RelayCounter::kTunnelsTornDown]);
  count(Event::kTunnelsExpired, counters[RelayCounter::kTunnelsExpired]);
  count(Event::kLimited, counters[RelayCounter::kQueriesSentWithLimit]);
  count(Event::kSecretsChanged, counters[RelayCounter::kSecretsChanged]);
  count(Event::kBadMacs, host.relay->rejects()[RelayReject::kBadMac]);
  count(Event::kRateLimited, host.relay->rejects()[RelayReject::kRequestRateLimit]);
}

void World::retire(const GatewayHost& host) {
  if (!host.gateway) return;
  tally_.add(Event::kSilences, host.gateway->counters()[GatewayCounter::kSilences]);
  tally_.add(Event::kRelayChanges, host.gateway->counters()[GatewayCounter::kRelayChanges]);
  tally_.add(Event::kNotWanted, host.gateway->rejects()[GatewayReject::kDataNotWanted]);
  tally_.add(Event::kWrongNonces, host.gateway->rejects()[GatewayReject::kWrongNonce]);
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
  tally_.add(Event::kSteps, steps_);
  const auto lived = std::chrono::duration_cast<std::chrono::seconds>(now_ - began_);
  tally_.add(Event::kSeconds, static_cast<std::uint64_t>(lived.count()));
  return tally_;
}

}  // namespace amt::sim
