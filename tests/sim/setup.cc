/// The machines of a world, and how they start.

#include <algorithm>

#include "sim/groups.hh"
#include "sim/world.hh"

namespace amt::sim {
namespace {

/// Behind one NAT address live up to about as many gateways.
constexpr std::size_t kGatewaysPerNat = 16;
/// What fits through a narrow path.
constexpr std::size_t kNarrowOctets = 1000;

RelayOptions relay_options(const Scenario& scenario, const RelayHost& host) {
  RelayOptions options;
  options.advertise_v4 = host.v4.address;
  options.advertise_v6 = host.v6.address;
  options.query_interval = scenario.query_interval;
  options.limits.tunnels_max = scenario.tunnels_max;
  options.secret_lifetime = scenario.secret_lifetime;
  return options;
}

/// Number `n` as the last two octets.
IpAddress v4(const std::string& network, std::size_t n) {
  return address(network + std::to_string(n / 250) + "." + std::to_string(1 + n % 250));
}

/// Number `n` in a /64 of its own: relays limit what comes from one.
IpAddress v6(const std::string& network, std::size_t n) {
  constexpr std::size_t kDigits = 4;
  std::string number;
  for (std::size_t i = kDigits; i-- > 0;) number += "0123456789abcdef"[n >> (4 * i) & 0xf];
  return address(network + number + "::1");
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      random_(seed),
      relay_random_(seed + 1'000'000),
      gateway_random_(seed + 2'000'000),
      network_(random_, tally_) {
  // Looking at everything after every step is for small worlds, and for one that failed.
  constexpr std::size_t kSmallWorld = 16;
  if (scenario_.gateways <= kSmallWorld) scenario_.check_every_step = true;
  relays_.resize(scenario.relays);
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    relays_[i].id = i;
    relays_[i].v4 = {v4("203.0.", i), kAmtPort};
    relays_[i].v6 = {v6("2001:db8:a:", i), kAmtPort};
    network_.route(relays_[i].v4, i);
    network_.route(relays_[i].v6, i);
    start_relay(relays_[i]);
  }
  gateways_.resize(scenario.gateways);
  for (std::size_t i = 0; i < gateways_.size(); ++i) {
    gateways_[i].id = relays_.size() + i;
    place_gateway(gateways_[i]);
    start_gateway(gateways_[i]);
  }
}

World::~World() = default;

void World::place_gateway(GatewayHost& host) {
  const std::size_t number = host.id - relays_.size();
  const bool is_v4 = random_.below(2) == 0;
  const auto port = static_cast<std::uint16_t>(40'000 + number % 20'000);
  host.inside = {is_v4 ? v4("10.0.", number) : v6("fd00:0:0:", number), port};
  network_.route(host.inside, host.id);
  const std::size_t nats = std::max<std::size_t>(2, gateways_.size() / kGatewaysPerNat);
  if (random_.below(4) != 0) {
    // A host behind a NAT is not reached by its own address.
    network_.unroute(host.inside);
    const std::size_t nat = random_.below(nats);
    network_.put_behind_nat(host.id, is_v4 ? v4("192.0.", nat) : v6("2001:db8:b:", nat));
  }
  if (scenario_.narrow_paths && random_.below(4) == 0) {
    host.is_narrow = true;
    network_.set_path_octets_max(host.id, kNarrowOctets);
  }

  const auto relay = [&](std::size_t k) { return is_v4 ? relays_[k].v4 : relays_[k].v6; };
  const RelayCandidate anycast{RelayCandidate::Kind::kDiscovery, is_v4 ? anycast_v4() : anycast_v6()};
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
}

void World::start_gateway(GatewayHost& host) {
  retire(host);
  host.gateway = std::make_unique<Gateway>(host.options, gateway_random_, clock_of(host));
  host.wanted.clear();
  host.series = {};
  host.discovery_sent = {};
  drain(host);
}

void World::start_relay(RelayHost& host) {
  retire(host);
  RelayOptions options = relay_options(scenario_, host);
  host.shared = std::make_shared<RelayShared>(options, relay_random_, clock_of(host));
  options.shared = host.shared;
  host.relay = std::make_unique<Relay>(options, relay_random_, clock_of(host));
  host.joined.clear();
  host.queried.clear();
  drain(host);
  route_anycast();
}

void World::stop_relay(std::size_t index) {
  RelayHost& host = relays_[index];
  retire(host);
  host.relay.reset();
  host.deadline = kNoDeadline;
  host.joined.clear();
  route_anycast();
}

void World::route_anycast() {
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const RelayHost& host = relays_[(nearest_ + i) % relays_.size()];
    if (!host.relay) continue;
    network_.route(anycast_v4(), host.id);
    network_.route(anycast_v6(), host.id);
    return;
  }
}

}  // namespace amt::sim
