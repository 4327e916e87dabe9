#include "sim/world.hh"

#include <algorithm>
#include <cstdio>

#include "ip/udp.hh"
#include "sim/groups.hh"

namespace amt::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration kEmissionInterval = milliseconds(500);

/// The packet's number, and in large packets a lot more.
Octets numbered_data(const Emitted& emitted) {
  constexpr std::size_t kLargePayload = 1200;
  std::array<std::byte, kLargePayload> payload{};
  for (std::size_t i = 0; i < 8; ++i) payload[i] = static_cast<std::byte>(emitted.number >> (56 - 8 * i) & 0xff);
  HeaderFields header;
  header.source = emitted.source;
  header.destination = emitted.group;
  header.protocol = kProtocolUdp;
  header.hop_limit = 8;
  header.traffic_class = static_cast<std::uint8_t>(Ecn::kEct0);
  std::vector<std::byte> octets(wire::kDataHeader.begin(), wire::kDataHeader.end());
  octets.resize(wire::kDataHeaderOctets + kLargePayload + 64);
  const MutableBytes datagram = MutableBytes(octets).subspan(wire::kDataHeaderOctets);
  const Bytes shown = Bytes(payload).first(emitted.is_large() ? kLargePayload : 8);
  octets.resize(wire::kDataHeaderOctets + write_udp_datagram(datagram, header, 5000, 5000, shown));
  return std::make_shared<const std::vector<std::byte>>(std::move(octets));
}

std::string described(Bytes octets) {
  const auto type = wire::peek_type(octets);
  if (!type) return "?";
  std::string text(wire::to_string(*type));
  if (const auto request = wire::Request::parse(octets); request && *type == wire::MessageType::kRequest) {
    text += request->protocol == wire::Protocol::kMld ? " MLD" : " IGMP";
    if (request->ecn_capable) text += " E";
    text += " nonce " + std::to_string(request->nonce.value);
  } else if (const auto query = wire::MembershipQuery::parse(octets);
             query && *type == wire::MessageType::kMembershipQuery) {
    text += " nonce " + std::to_string(query->nonce.value) + (query->limit ? " L" : "") + (query->gateway ? " G" : "");
  } else if (const auto update = wire::MembershipUpdate::parse(octets);
             update && *type == wire::MessageType::kMembershipUpdate) {
    text += " nonce " + std::to_string(update->nonce.value);
  }
  return text;
}

}  // namespace

void World::storm(Duration duration) {
  next_act_ = now_;
  run_until(now_ + duration, true);
}

void World::calm(Duration duration) {
  next_act_ = kNoDeadline;
  network_.weather = Weather{};
  network_.partitions.clear();
  for (RelayHost& host : relays_) {
    host.asleep_until = now_;
    if (!host.relay) start_relay(host);
    schedule(host);
  }
  for (GatewayHost& host : gateways_) {
    host.asleep_until = now_;
    if (!host.is_narrow) network_.set_path_octets_max(host.id, 0);
    schedule(host);
  }
  trace("calm");
  run_until(now_ + duration, false);
}

void World::expect_agreement(Duration duration) {
  if (failed()) return;
  check_relay_state();
  expect_data(duration);
}

void World::expect_data(Duration duration) {
  if (failed()) return;
  observing_ = true;
  observed_.clear();
  for (GatewayHost& host : gateways_) host.arrived.clear();
  run_until(now_ + duration, false);
  observing_ = false;
  run_until(now_ + seconds(1), false);  // what is still under way
  check_deliveries();
}

void World::run_until(Instant end, bool stormy) {
  const std::uint64_t at_once_max = 1000 * (relays_.size() + gateways_.size() + 20);
  std::uint64_t at_once = 0;
  while (!failed()) {
    Instant next = std::min({network_.next_arrival(), next_emission_, stormy ? next_act_ : kNoDeadline});
    if (!timers_.empty()) next = std::min(next, timers_.front().at);
    if (next > end) break;
    at_once = next > now_ ? 0 : at_once + 1;
    if (at_once > at_once_max) return fail("time does not pass");
    now_ = std::max(now_, next);
    ++steps_;
    if (network_.next_arrival() <= now_) {
      if (const auto arrival = network_.arrive()) deliver(arrival->first, arrival->second);
    } else if (next_emission_ <= now_) {
      emit_packets();
    } else if (stormy && next_act_ <= now_) {
      act();
    } else {
      run_timer();
    }
  }
  now_ = end;
}

Instant World::due(const Machine& machine) {
  if (machine.deadline == kNoDeadline) return kNoDeadline;
  return std::max(machine.deadline - machine.ahead, machine.asleep_until);
}

void World::schedule(Machine& machine) {
  const Instant at = due(machine);
  if (at >= machine.armed) return;
  machine.armed = at;
  timers_.push_back({at, machine.id});
  std::push_heap(timers_.begin(), timers_.end());
}

void World::run_timer() {
  std::pop_heap(timers_.begin(), timers_.end());
  const Timer timer = timers_.back();
  timers_.pop_back();
  Machine& woken = machine(timer.machine);
  if (timer.at != woken.armed) return;
  woken.armed = kNoDeadline;
  if (due(woken) <= now_) handle_timeout(woken);
  schedule(woken);
}

Machine& World::machine(HostId id) {
  if (id < relays_.size()) return relays_[id];
  return gateways_[id - relays_.size()];
}

void World::handle_timeout(Machine& machine) {
  if (machine.id < relays_.size()) {
    RelayHost& host = relays_[machine.id];
    host.relay->handle_timeout(clock_of(host));
    drain(host);
    if (is_time_to_check()) check_upstream(host);
  } else {
    GatewayHost& host = gateways_[machine.id - relays_.size()];
    host.gateway->handle_timeout(clock_of(host));
    drain(host);
  }
  check_timeout(machine);
}

void World::subscribe_all() {
  for (GatewayHost& host : gateways_) {
    for (const GroupPlan& plan : plans()) {
      const SourceFilter filter{FilterMode::kInclude, {plan.sources.front()}};
      if (!host.gateway->set_membership(clock_of(host), plan.groups.front(), filter)) {
        return fail("a good membership was refused");
      }
      host.wanted[plan.groups.front()] = filter;
    }
    drain(host);
  }
}

void World::restart_relays() {
  for (RelayHost& host : relays_) start_relay(host);
}

void World::rebind_nats() {
  for (const GatewayHost& host : gateways_) network_.rebind(host.id);
}

void World::emit_packets() {
  next_emission_ = now_ + kEmissionInterval;
  for (GatewayHost& host : gateways_) host.requests_lately = 0;
  for (const GroupPlan& plan : plans()) {
    for (const IpAddress& group : plan.groups) {
      for (const IpAddress& source : plan.sources) {
        const Emitted emitted{next_number_++, source, group};
        if (observing_) observed_.push_back(emitted);
        const Octets octets = numbered_data(emitted);
        for (RelayHost& host : relays_) {
          if (host.relay && !is_asleep(host)) replicate(host, emitted, octets);
        }
      }
    }
  }
}

void World::replicate(RelayHost& host, const Emitted& emitted, const Octets& octets) {
  // In a large world one channel a time.
  constexpr std::uint64_t kChannels = 21;
  const bool chosen = emitted.number % kChannels == emitted.number / kChannels % kChannels;
  if (scenario_.check_every_step || chosen) check_targets(host, emitted);
  const auto joined = host.joined.find(emitted.group);
  if (joined == host.joined.end() || !joined->second.accepts(emitted.source)) return;
  host.relay->targets(emitted.source, emitted.group).for_each([&](TunnelId id) {
    const RelayTunnel& tunnel = host.relay->tunnel(id);
    network_.send(now_, {.from = tunnel.local,
                         .to = tunnel.endpoint,
                         .ecn = tunnel.ecn_capable ? Ecn::kEct0 : Ecn::kNotEct,
                         .octets = octets,
                         .sender = host.id});
  });
}

void World::deliver(HostId to, const Packet& packet) {
  if (scenario_.trace && !wire::MulticastData::parse(*packet.octets)) {
    trace("  at machine " + std::to_string(to) + " from " + packet.from.to_string() + ": " + described(*packet.octets));
  }
  if (to < relays_.size()) {
    RelayHost& host = relays_[to];
    if (host.relay && !is_asleep(host)) deliver_to_relay(host, packet);
  } else {
    GatewayHost& host = gateways_[to - relays_.size()];
    if (!is_asleep(host)) deliver_to_gateway(host, packet);
  }
}

void World::deliver_to_relay(RelayHost& host, const Packet& packet) {
  const std::size_t tunnels = host.relay->tunnel_count();
  const std::uint64_t changes = host.upstream_changes;
  const std::uint64_t before = packet.is_forged ? fingerprint(host) : 0;
  const auto outcome =
      host.relay->handle_datagram(clock_of(host), TunnelEndpoint{packet.from}, LocalAddress{packet.to}, *packet.octets);
  // Two only where the Linux kernel's way to ask shows that it dropped a Query before.
  const auto request = wire::Request::parse(*packet.octets);
  const std::size_t answers_max = request && request->mirrored_flags ? 2 : 1;
  if (drain(host) > (outcome ? answers_max : 0)) fail("too many answers to one datagram");
  if (packet.is_forged && fingerprint(host) != before) fail("a forged datagram changed a relay's state");
  const auto type = wire::peek_type(*packet.octets);
  if (type && *type == wire::MessageType::kRequest) ++host.requests;
  const bool update = type && *type == wire::MessageType::kMembershipUpdate;
  const bool teardown = type && *type == wire::MessageType::kTeardown;
  if (!update && !teardown && (host.relay->tunnel_count() != tunnels || host.upstream_changes != changes)) {
    fail("a Discovery or Request changed the relay's state");
  }
  if (host.relay->tunnel_count() > tunnels && !host.queried.contains(packet.from)) {
    fail("a tunnel for an endpoint that was never sent a Query: " + packet.from.to_string());
  }
  if (host.relay->tunnel_count() > scenario_.tunnels_max) fail("more tunnels than the limit");
  if (is_time_to_check()) check_upstream(host);
}

void World::deliver_to_gateway(GatewayHost& host, const Packet& packet) {
  const std::uint64_t before = packet.is_forged ? fingerprint(host) : 0;
  const auto type = wire::peek_type(*packet.octets);
  bool accepted = false;
  if (type && *type == wire::MessageType::kMulticastData) {
    scratch_.assign(packet.octets->begin(), packet.octets->end());
    const auto inner = host.gateway->accept_data(clock_of(host), packet.from, packet.ecn, scratch_);
    accepted = inner.has_value();
    if (inner) check_accepted(host, packet, inner->datagram);
  } else {
    accepted = host.gateway->handle_control(clock_of(host), packet.from, *packet.octets).has_value();
    if (accepted) note_query(host, *packet.octets);
  }
  const std::size_t sent = drain(host);
  if (packet.is_forged && (accepted || sent > 0 || fingerprint(host) != before)) {
    fail("a forged datagram changed a gateway's state");
  }
}

std::size_t World::drain(RelayHost& host) {
  for (std::size_t sent = 0;;) {
    const RelayOutput output = host.relay->poll_output();
    if (const auto* datagram = std::get_if<RelayTransmit>(&output)) {
      host.queried.insert(datagram->to);
      transmit(host, datagram->from, datagram->to, datagram->datagram);
      ++sent;
    } else if (const auto* deadline = std::get_if<Deadline>(&output)) {
      host.deadline = deadline->at;
      schedule(host);
      follow_upstream(host);
      return sent;
    }
  }
}

void World::follow_upstream(RelayHost& host) {
  while (const auto change = host.relay->poll_upstream()) {
    ++host.upstream_changes;
    const auto before = host.joined.find(change->group);
    if ((before == host.joined.end() ? SourceFilter{} : before->second) != change->before) {
      fail("an upstream change of " + change->group.to_string() + " that does not follow from the one before");
    }
    if (change->after.is_nothing()) {
      host.joined.erase(change->group);
    } else {
      host.joined[change->group] = change->after;
    }
  }
}

std::size_t World::drain(GatewayHost& host) {
  // A whole current-state report and two Requests fit many times.
  constexpr std::size_t kDatagramsMax = 16;
  std::size_t sent = 0;
  for (;;) {
    GatewayOutput output = host.gateway->poll_output();
    if (const auto* datagram = std::get_if<GatewayTransmit>(&output)) {
      check_request(host, datagram->to, datagram->datagram);
      transmit(host, host.inside, datagram->to, datagram->datagram);
      if (++sent > kDatagramsMax) fail("a gateway answers one input with a flood");
    } else if (const auto* event = std::get_if<GatewayEvent>(&output)) {
      note_event(host, *event);
      if (scenario_.trace) {
        trace("gateway " + host.inside.to_string() + ": " + std::string(to_string(event->kind)) + " " +
              event->endpoint.to_string());
      }
    } else {
      host.deadline = std::get<GatewayDeadline>(output).at;
      schedule(host);
      return sent;
    }
  }
}

void World::transmit(const Machine& sender, const Endpoint& from, const Endpoint& to, Bytes octets) {
  if (scenario_.trace) {
    trace(from.to_string() + " > " + to.to_string() + ": " + described(octets));
  }
  Packet packet{.from = from,
                .to = to,
                .ecn = Ecn::kNotEct,
                .octets = std::make_shared<const std::vector<std::byte>>(octets.begin(), octets.end()),
                .sender = sender.id};
  if (scenario_.attackers) {
    constexpr std::size_t kRecordsMax = 256;
    Packet record = packet;
    // The replayer is on the far side of any NAT.
    record.from = network_.outside_of(sender.id, from);
    record.sender = kNobody;
    if (recorded_.size() < kRecordsMax) recorded_.resize(recorded_.size() + 1);
    recorded_[next_record_] = std::move(record);
    next_record_ = (next_record_ + 1) % kRecordsMax;
  }
  network_.send(now_, std::move(packet));
}

void World::trace(const std::string& what) const {
  if (!scenario_.trace) return;
  const double at = std::chrono::duration<double>(now_ - began_).count();
  std::printf("%10.4f %s\n", at, what.c_str());
}

}  // namespace amt::sim
