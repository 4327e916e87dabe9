#include "sim/world.hh"

#include <algorithm>

#include "ip/udp.hh"

namespace amt::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Endpoint kAnycastV4 = *Endpoint::parse("192.52.193.1", kAmtPort);
const Endpoint kAnycastV6 = *Endpoint::parse("2001:3::1", kAmtPort);

IpAddress address(const std::string& text) { return *IpAddress::parse(text); }

struct GroupPlan {
  std::vector<IpAddress> groups;
  std::vector<IpAddress> sources;
};

const std::array<GroupPlan, 2>& plans() {
  static const std::array<GroupPlan, 2> kPlans{{
      {{address("232.1.1.1"), address("232.1.1.2"), address("239.1.1.1"), address("239.1.1.2")},
       {address("198.51.100.1"), address("198.51.100.2"), address("198.51.100.3")}},
      {{address("ff3e::8000:1"), address("ff3e::8000:2"), address("ff0e::1:1")},
       {address("2001:db8:5::1"), address("2001:db8:5::2"), address("2001:db8:5::3")}},
  }};
  return kPlans;
}

RelayOptions relay_options(const Scenario& scenario, const RelayHost& host) {
  RelayOptions options;
  options.advertise_v4 = host.v4.address;
  options.advertise_v6 = host.v6.address;
  options.query_interval = scenario.query_interval;
  options.tunnels_max = scenario.tunnels_max;
  return options;
}

constexpr Duration kEmissionInterval = milliseconds(500);

/// 8 octets: the packet's number.
std::vector<std::byte> numbered_datagram(const Emitted& emitted) {
  std::vector<std::byte> datagram(128);
  std::array<std::byte, 8> payload{};
  for (std::size_t i = 0; i < 8; ++i) payload[i] = static_cast<std::byte>(emitted.number >> (56 - 8 * i) & 0xff);
  HeaderFields header;
  header.source = emitted.source;
  header.destination = emitted.group;
  header.protocol = kProtocolUdp;
  header.hop_limit = 8;
  header.traffic_class = static_cast<std::uint8_t>(Ecn::kEct0);
  datagram.resize(write_udp_datagram(datagram, header, 5000, 5000, payload));
  return datagram;
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      random_(seed),
      relay_random_(seed + 1'000'000),
      gateway_random_(seed + 2'000'000),
      network_(random_),
      next_emission_(now_) {
  relays_.resize(scenario.relays);
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    relays_[i].v4 = {address("203.0.113." + number), kAmtPort};
    relays_[i].v6 = {address("2001:db8:a::" + number), kAmtPort};
    start_relay(relays_[i]);
  }
  gateways_.resize(scenario.gateways);
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    GatewayHost& host = gateways_[i];
    const bool v4 = random_.below(2) == 0;
    const auto port = static_cast<std::uint16_t>(40'000 + i);
    host.inside = {address((v4 ? "10.0.0." : "fd00::") + std::to_string(i + 1)), port};
    // Two NATs a family, so that gateways share an address.
    const std::string nat = (v4 ? "192.0.2." : "2001:db8:b::") + std::to_string(1 + random_.below(2));
    if (random_.below(4) != 0) network_.put_behind_nat(host.inside, address(nat));

    const auto relay = [&](std::size_t k) { return v4 ? relays_[k].v4 : relays_[k].v6; };
    const RelayCandidate anycast{RelayCandidate::Kind::kDiscovery, v4 ? kAnycastV4 : kAnycastV6};
    const std::size_t first = random_.below(relays_.size());
    if (random_.below(2) == 0) host.options.candidates.push_back(anycast);
    if (host.options.candidates.empty() || random_.below(2) == 0) {
      host.options.candidates.push_back({RelayCandidate::Kind::kRelay, relay(first)});
    }
    if (random_.below(3) == 0) {
      host.options.candidates.push_back({RelayCandidate::Kind::kRelay, relay((first + 1) % relays_.size())});
    }
    host.options.request_when_idle = random_.below(2) == 0;
    host.options.ecn_capable = random_.below(4) != 0;
    start_gateway(host);
  }
}

World::~World() = default;

void World::storm(Duration duration) {
  next_act_ = now_;
  run_until(now_ + duration, true);
}

void World::calm(Duration duration) {
  next_act_ = kNoDeadline;
  network_.weather = Weather{};
  for (RelayHost& host : relays_) {
    if (!host.relay) start_relay(host);
  }
  run_until(now_ + duration, false);
}

void World::expect_agreement(Duration duration) {
  if (failed_) return;
  check_relay_state();
  observing_ = true;
  observed_.clear();
  for (GatewayHost& host : gateways_) host.arrived.clear();
  run_until(now_ + duration, false);
  observing_ = false;
  run_until(now_ + seconds(1), false);  // what is still under way
  check_deliveries();
}

void World::run_until(Instant end, bool stormy) {
  constexpr int kStepsMax = 5'000'000;
  constexpr int kStepsAtOnceMax = 20'000;
  int at_once = 0;
  for (int step = 0; !failed_; ++step) {
    if (step == kStepsMax || at_once == kStepsAtOnceMax) return fail("time does not pass");
    Instant next = std::min({network_.next_arrival(), next_emission_, stormy ? next_act_ : kNoDeadline});
    for (const RelayHost& host : relays_) next = std::min(next, host.deadline);
    for (const GatewayHost& host : gateways_) next = std::min(next, host.deadline);
    if (next > end) break;
    at_once = next > now_ ? 0 : at_once + 1;
    now_ = std::max(now_, next);

    if (network_.next_arrival() <= now_) {
      if (auto packet = network_.arrive()) deliver(std::move(*packet));
    } else if (next_emission_ <= now_) {
      emit_packets();
    } else if (stormy && next_act_ <= now_) {
      act();
    } else {
      for (RelayHost& host : relays_) {
        if (host.deadline > now_) continue;
        host.relay->handle_timeout(now_);
        drain(host);
        check_upstream(host);
      }
      for (GatewayHost& host : gateways_) {
        if (host.deadline > now_) continue;
        host.gateway->handle_timeout(now_);
        drain(host);
      }
    }
  }
  now_ = end;
}

void World::subscribe_all() {
  for (GatewayHost& host : gateways_) {
    for (const GroupPlan& plan : plans()) {
      const SourceFilter filter{FilterMode::kInclude, {plan.sources.front()}};
      if (!host.gateway->set_membership(now_, plan.groups.front(), filter))
        return fail("a good membership was refused");
      host.wanted[plan.groups.front()] = filter;
    }
    drain(host);
  }
}

void World::restart_relays() {
  for (RelayHost& host : relays_) start_relay(host);
}

void World::rebind_nats() {
  for (const GatewayHost& host : gateways_) network_.rebind(host.inside);
}

void World::act() {
  next_act_ = now_ + random_.between(milliseconds(50), milliseconds(1500));
  const std::uint64_t dice = random_.below(100);
  if (dice < 55) {
    change_membership();
  } else if (dice < 70) {
    if (scenario_.rebinding_nats) network_.rebind(gateways_[random_.below(gateways_.size())].inside);
  } else if (dice < 78) {
    nearest_ = random_.below(relays_.size());
  } else if (dice < 84) {
    if (scenario_.gateway_restarts) restart_gateway(gateways_[random_.below(gateways_.size())]);
  } else if (dice < 90) {
    if (!scenario_.relay_restarts) return;
    RelayHost& host = relays_[random_.below(relays_.size())];
    if (host.relay) {
      retire(host);
      host.relay.reset();
      host.deadline = kNoDeadline;
      host.joined.clear();
    } else {
      start_relay(host);
    }
  } else if (scenario_.weather) {
    network_.weather.loss_per_mille = static_cast<unsigned>(random_.below(2) * random_.below(400));
    network_.weather.repeat_per_mille = static_cast<unsigned>(random_.below(300));
    network_.weather.mark_per_mille = static_cast<unsigned>(random_.below(300));
    network_.weather.delay_min = milliseconds(random_.below(100));
    network_.weather.delay_max = network_.weather.delay_min + milliseconds(random_.below(2000));
  }
}

void World::change_membership() {
  GatewayHost& host = gateways_[random_.below(gateways_.size())];
  const GroupPlan& plan = plans()[random_.below(2)];
  const IpAddress& group = plan.groups[random_.below(plan.groups.size())];
  SourceFilter filter;
  if (random_.below(4) != 0) {
    for (const IpAddress& source : plan.sources) {
      if (random_.below(2) == 0) filter.sources.push_back(source);
    }
    if (!SsmRange().contains(group) && random_.below(2) == 0) filter.mode = FilterMode::kExclude;
  }
  if (!host.gateway->set_membership(now_, group, filter)) return fail("a good membership was refused");
  if (filter.is_nothing()) {
    host.wanted.erase(group);
  } else {
    host.wanted[group] = filter;
  }
  drain(host);
}

void World::restart_gateway(GatewayHost& host) {
  if (random_.below(2) == 0) {  // else it dies without a word
    host.gateway->shutdown(now_);
    drain(host);
    if (host.deadline != kNoDeadline) fail("a gateway that was shut down still waits for something");
  }
  start_gateway(host);
}

void World::start_gateway(GatewayHost& host) {
  retire(host);
  host.gateway = std::make_unique<Gateway>(host.options, gateway_random_, now_);
  host.wanted.clear();
  host.requests.clear();
  drain(host);
}

void World::start_relay(RelayHost& host) {
  retire(host);
  host.relay = std::make_unique<Relay>(relay_options(scenario_, host), relay_random_, now_);
  host.joined.clear();
  host.queried.clear();
  drain(host);
}

void World::emit_packets() {
  next_emission_ = now_ + kEmissionInterval;
  for (GatewayHost& host : gateways_) host.requests_lately = 0;
  for (const GroupPlan& plan : plans()) {
    for (const IpAddress& group : plan.groups) {
      for (const IpAddress& source : plan.sources) {
        const Emitted emitted{next_number_++, source, group};
        if (observing_) observed_.push_back(emitted);
        const std::vector<std::byte> datagram = numbered_datagram(emitted);
        for (RelayHost& host : relays_) {
          if (host.relay) replicate(host, emitted, datagram);
        }
      }
    }
  }
}

void World::replicate(RelayHost& host, const Emitted& emitted, const std::vector<std::byte>& datagram) {
  check_targets(host, emitted);
  const auto joined = host.joined.find(emitted.group);
  if (joined == host.joined.end() || !joined->second.accepts(emitted.source)) return;
  host.relay->targets(emitted.source, emitted.group).for_each([&](TunnelId id) {
    const RelayTunnel& tunnel = host.relay->tunnel(id);
    Packet packet{tunnel.local, tunnel.endpoint, tunnel.ecn_capable ? Ecn::kEct0 : Ecn::kNotEct, {}};
    packet.octets.assign(wire::kDataHeader.begin(), wire::kDataHeader.end());
    packet.octets.insert(packet.octets.end(), datagram.begin(), datagram.end());
    network_.send(now_, std::move(packet));
  });
}

RelayHost* World::relay_at(const Endpoint& endpoint) {
  if (endpoint == kAnycastV4 || endpoint == kAnycastV6) return nearest_relay();
  for (RelayHost& host : relays_) {
    if (endpoint == host.v4 || endpoint == host.v6) return &host;
  }
  return nullptr;
}

RelayHost* World::nearest_relay() {
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    RelayHost& host = relays_[(nearest_ + i) % relays_.size()];
    if (host.relay) return &host;
  }
  return nullptr;
}

void World::deliver(Packet packet) {
  if (RelayHost* host = relay_at(packet.to)) {
    if (host->relay) deliver_to_relay(*host, packet);
    return;
  }
  for (GatewayHost& host : gateways_) {
    if (host.inside == packet.to) return deliver_to_gateway(host, std::move(packet));
  }
}

void World::deliver_to_relay(RelayHost& host, const Packet& packet) {
  const std::size_t tunnels = host.relay->tunnel_count();
  const Memberships joined = host.joined;
  static_cast<void>(
      host.relay->handle_datagram(now_, TunnelEndpoint{packet.from}, LocalAddress{packet.to}, packet.octets));
  drain(host);
  const auto type = wire::peek_type(packet.octets);
  const bool update = type && *type == wire::MessageType::kMembershipUpdate;
  const bool teardown = type && *type == wire::MessageType::kTeardown;
  if (!update && !teardown && (host.relay->tunnel_count() != tunnels || host.joined != joined)) {
    fail("a Discovery or Request changed the relay's state");
  }
  if (host.relay->tunnel_count() > tunnels && !host.queried.contains(packet.from)) {
    fail("a tunnel for an endpoint that was never sent a Query: " + packet.from.to_string());
  }
  if (host.relay->tunnel_count() > scenario_.tunnels_max) fail("more tunnels than the limit");
  check_upstream(host);
}

void World::deliver_to_gateway(GatewayHost& host, Packet packet) {
  const auto type = wire::peek_type(packet.octets);
  if (type && *type == wire::MessageType::kMulticastData) {
    const auto inner = host.gateway->accept_data(now_, packet.from, packet.ecn, packet.octets);
    if (inner) check_accepted(host, packet, *inner);
  } else {
    static_cast<void>(host.gateway->handle_control(now_, packet.from, packet.octets));
  }
  drain(host);
}

void World::drain(RelayHost& host) {
  for (;;) {
    RelayOutput output = host.relay->poll_output();
    if (auto* transmit = std::get_if<RelayTransmit>(&output)) {
      host.queried.insert(transmit->to);
      network_.send(
          now_, {transmit->from, transmit->to, Ecn::kNotEct, {transmit->datagram.begin(), transmit->datagram.end()}});
    } else if (const auto* upstream = std::get_if<UpstreamChange>(&output)) {
      const FilterChange& change = upstream->change;
      const auto before = host.joined.find(change.group);
      if ((before == host.joined.end() ? SourceFilter{} : before->second) != change.before) {
        fail("an upstream change of " + change.group.to_string() + " that does not follow from the one before");
      }
      if (change.after.is_nothing()) {
        host.joined.erase(change.group);
      } else {
        host.joined[change.group] = change.after;
      }
    } else {
      host.deadline = std::get<Deadline>(output).at;
      return;
    }
  }
}

void World::drain(GatewayHost& host) {
  for (;;) {
    GatewayOutput output = host.gateway->poll_output();
    if (auto* transmit = std::get_if<GatewayTransmit>(&output)) {
      check_request(host, *transmit);
      network_.send(now_,
                    {host.inside, transmit->to, Ecn::kNotEct, {transmit->datagram.begin(), transmit->datagram.end()}});
    } else if (const auto* deadline = std::get_if<GatewayDeadline>(&output)) {
      host.deadline = deadline->at;
      return;
    }
  }
}

}  // namespace amt::sim
