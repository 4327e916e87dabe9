#pragma once
/// Real relays and gateways on a virtual network, driven by one seed.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/gateway.hh"
#include "relay/relay.hh"
#include "sim/network.hh"

namespace amt::sim {

struct Scenario {
  std::size_t relays = 2;
  std::size_t gateways = 8;
  /// What may happen in a storm.
  bool weather = true;
  bool rebinding_nats = true;
  bool relay_restarts = true;
  bool gateway_restarts = true;
  /// Smaller than the number of gateways: some are turned away, and nobody is promised anything but bounds.
  std::size_t tunnels_max = 1000;
  /// Robustness * query interval + query response interval is 30 s then: an epoch is short.
  Duration query_interval = std::chrono::seconds(10);
};

using Memberships = std::map<IpAddress, SourceFilter>;

/// A relay's machine. The relay itself is gone while it is down.
struct RelayHost {
  Endpoint v4;
  Endpoint v6;
  std::unique_ptr<Relay> relay;
  Instant deadline = kNoDeadline;
  /// Joined upstream, as the relay's changes said.
  Memberships joined;
  /// Who was ever sent a Query by this relay since it started.
  std::set<Endpoint> queried;
};

struct GatewayHost {
  Endpoint inside;
  GatewayOptions options;
  std::unique_ptr<Gateway> gateway;
  Instant deadline = kNoDeadline;
  /// What it was told to want.
  Memberships wanted;
  /// Last Request sent: by destination, nonce and flags of its octets.
  std::map<std::pair<Endpoint, std::vector<std::byte>>, Instant> requests;
  std::size_t requests_lately = 0;
  /// How often each packet of the observed time arrived.
  std::map<std::uint64_t, unsigned> arrived;
};

/// One packet of a source, for the check of who got it.
struct Emitted {
  std::uint64_t number = 0;
  IpAddress source;
  IpAddress group;
};

/// Shows that a simulation was about something.
struct Tally {
  std::uint64_t delivered = 0;
  std::uint64_t marked = 0;
  std::uint64_t silences = 0;
  std::uint64_t relay_changes = 0;
  std::uint64_t not_wanted = 0;
  std::uint64_t wrong_nonces = 0;
  std::uint64_t tunnels_torn_down = 0;
  std::uint64_t tunnels_expired = 0;
  std::uint64_t bad_macs = 0;
  std::uint64_t limited = 0;

  void add(const Tally& other);
};

class World {
 public:
  World(const Scenario& scenario, std::uint64_t seed);
  ~World();

  /// Random things happen.
  void storm(Duration duration);
  /// Nothing is lost or changes, all relays are up.
  void calm(Duration duration);
  /// After a calm: both sides know the same, and for `duration` everyone gets exactly what it subscribes.
  void expect_agreement(Duration duration);

  /// Every gateway joins a group of each family.
  void subscribe_all();
  /// Every relay loses its state.
  void restart_relays();
  void rebind_nats();

  [[nodiscard]] bool failed() const { return failed_; }
  /// The end of the world: what happened, from the counters of all that ever lived.
  Tally tally();

 private:
  // world.cc: what happens
  void run_until(Instant end, bool stormy);
  void act();
  void change_membership();
  void restart_gateway(GatewayHost& host);
  void start_gateway(GatewayHost& host);
  void start_relay(RelayHost& host);
  void emit_packets();
  void deliver(Packet packet);
  void deliver_to_relay(RelayHost& host, const Packet& packet);
  void deliver_to_gateway(GatewayHost& host, Packet packet);
  void drain(RelayHost& host);
  void drain(GatewayHost& host);
  void replicate(RelayHost& host, const Emitted& emitted, const std::vector<std::byte>& datagram);
  [[nodiscard]] RelayHost* relay_at(const Endpoint& endpoint);
  /// Whom an anycast Discovery reaches.
  [[nodiscard]] RelayHost* nearest_relay();

  // checks.cc: what must hold
  void check_targets(RelayHost& host, const Emitted& emitted);
  void check_upstream(const RelayHost& host);
  void check_request(GatewayHost& host, const GatewayTransmit& transmit);
  void check_accepted(GatewayHost& host, const Packet& packet, Bytes inner);
  void check_relay_state();
  void check_deliveries();
  void retire(const RelayHost& host);
  void retire(const GatewayHost& host);
  void fail(const std::string& what);

  Scenario scenario_;
  std::uint64_t seed_;
  SeededRandom random_;
  SeededRandom relay_random_;
  SeededRandom gateway_random_;
  Network network_;
  Instant now_ = Instant() + std::chrono::hours(1);
  Instant next_act_ = kNoDeadline;
  Instant next_emission_;
  std::uint64_t next_number_ = 1;
  std::size_t nearest_ = 0;
  std::vector<RelayHost> relays_;
  std::vector<GatewayHost> gateways_;
  bool observing_ = false;
  std::vector<Emitted> observed_;
  /// Of relays and gateways that are gone, and of deliveries.
  Tally tally_;
  bool failed_ = false;
};

}  // namespace amt::sim
