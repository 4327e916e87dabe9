#pragma once
/// Real relays and gateways on a virtual network, driven by one seed.

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/gateway.hh"
#include "relay/relay.hh"
#include "sim/network.hh"
#include "sim/scenario.hh"

namespace amt::sim {

using Memberships = std::map<IpAddress, SourceFilter>;

/// A machine's clock, and when it wants to be woken.
struct Machine {
  HostId id = 0;
  /// Its clock is ahead of the world's by this; it never runs backwards.
  Duration ahead{};
  /// World time. Until then it hears nothing and does nothing.
  Instant asleep_until{};
  /// By its own clock.
  Instant deadline = kNoDeadline;
  /// World time of its earliest entry in the world's timers.
  Instant armed = kNoDeadline;
  /// Timeouts handled at one instant of world time.
  Instant last_timeout{};
  unsigned timeouts_at_once = 0;
};

/// The relay itself is gone while it is down.
struct RelayHost : Machine {
  Endpoint v4;
  Endpoint v6;
  std::shared_ptr<RelayShared> shared;
  std::unique_ptr<Relay> relay;
  /// Joined upstream, as the relay's changes said.
  Memberships joined;
  /// Who was ever sent a Query by this relay since it started.
  boost::unordered_flat_set<Endpoint, KeyedHash> queried;
  std::uint64_t requests = 0;
  std::uint64_t upstream_changes = 0;
};

/// The Requests of one protocol since the last Query.
struct Series {
  Endpoint to;
  Instant last_sent{};
  bool is_unanswered = false;
  std::vector<std::uint32_t> nonces;
};

struct GatewayHost : Machine {
  Endpoint inside;
  GatewayOptions options;
  std::unique_ptr<Gateway> gateway;
  /// What it was told to want.
  Memberships wanted;
  /// By protocol.
  std::array<Series, 2> series;
  Instant discovery_sent{};
  std::size_t requests_lately = 0;
  /// No large packets, ever.
  bool is_narrow = false;
  /// How often each packet of the observed time arrived.
  std::vector<std::uint8_t> arrived;
};

/// One packet of a source, for the check of who got it.
struct Emitted {
  std::uint64_t number = 0;
  IpAddress source;
  IpAddress group;

  /// Every eighth does not fit through a narrow path.
  [[nodiscard]] bool is_large() const { return number % 8 == 0; }
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

  /// Soon after a storm: for `duration` everyone gets exactly what it wants, whatever else the relays still think.
  void expect_data(Duration duration);

  /// Every gateway joins a group of each family.
  void subscribe_all();
  /// Every relay loses its state.
  void restart_relays();
  /// The relay `index` is gone until the next calm.
  void stop_relay(std::size_t index);
  void rebind_nats();

  /// Empty: nothing was violated. Else what, when, and the seed.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] bool failed() const { return !failure_.empty(); }
  /// Requests that came to the relay `index` so far.
  [[nodiscard]] std::uint64_t requests_at(std::size_t index) const { return relays_[index].requests; }
  /// The end of the world: what happened, from the counters of all that ever lived.
  Tally tally();

 private:
  // world.cc: time, and what is delivered
  void run_until(Instant end, bool stormy);
  void run_timer();
  void handle_timeout(Machine& machine);
  /// World time.
  [[nodiscard]] static Instant due(const Machine& machine);
  [[nodiscard]] Instant clock_of(const Machine& machine) const { return now_ + machine.ahead; }
  [[nodiscard]] bool is_asleep(const Machine& machine) const { return now_ < machine.asleep_until; }
  /// After whatever may have moved its deadline.
  void schedule(Machine& machine);
  [[nodiscard]] Machine& machine(HostId id);
  void emit_packets();
  void replicate(RelayHost& host, const Emitted& emitted, const Octets& octets);
  void deliver(HostId to, const Packet& packet);
  void deliver_to_relay(RelayHost& host, const Packet& packet);
  void deliver_to_gateway(GatewayHost& host, const Packet& packet);
  /// What the machine puts out. How many datagrams that were.
  std::size_t drain(RelayHost& host);
  void follow_upstream(RelayHost& host);
  std::size_t drain(GatewayHost& host);
  void transmit(const Machine& sender, const Endpoint& from, const Endpoint& to, Bytes octets);
  void trace(const std::string& what) const;

  // setup.cc: machines
  void place_gateway(GatewayHost& host);
  void start_gateway(GatewayHost& host);
  void start_relay(RelayHost& host);
  /// Anycast leads to the nearest relay that is up.
  void route_anycast();

  // acts.cc: what happens
  void act();
  /// To one gateway; to the network or a relay.
  void act_on_gateway();
  void act_on_world();
  void change_membership();
  void restart_gateway(GatewayHost& host);
  void toggle_relay();
  void change_weather();
  void partition();
  void jump_clock(Machine& machine);
  void suspend(Machine& machine, Duration longest);
  void change_path(const GatewayHost& host);
  void forge();
  [[nodiscard]] Packet forged_for_relay();
  [[nodiscard]] Packet forged_for_gateway();
  void replay();
  [[nodiscard]] GatewayHost& any_gateway() { return gateways_[random_.below(gateways_.size())]; }
  [[nodiscard]] RelayHost& any_relay() { return relays_[random_.below(relays_.size())]; }

  // checks.cc: what must hold
  [[nodiscard]] bool is_time_to_check();
  void check_targets(RelayHost& host, const Emitted& emitted);
  void check_upstream(const RelayHost& host);
  /// What the relay's admission has counted is what its tunnels have.
  void check_admission(const RelayHost& host);
  void check_timeout(Machine& machine);
  void check_request(GatewayHost& host, const Endpoint& to, Bytes datagram);
  void check_accepted(GatewayHost& host, const Packet& packet, Bytes inner);
  void note_query(GatewayHost& host, Bytes datagram);
  /// The series at hand may end without an answer.
  static void forget_nonces(GatewayHost& host);
  void note_event(GatewayHost& host, const GatewayEvent& event);
  void check_relay_state();
  void check_deliveries();
  [[nodiscard]] std::uint64_t fingerprint(const RelayHost& host) const;
  [[nodiscard]] std::uint64_t fingerprint(const GatewayHost& host) const;
  void retire(const RelayHost& host);
  void retire(const GatewayHost& host);
  void fail(const std::string& what);

  Scenario scenario_;
  std::uint64_t seed_;
  SeededRandom random_;
  SeededRandom relay_random_;
  SeededRandom gateway_random_;
  /// Of relays and gateways that are gone, and of what happened in the world.
  Tally tally_;
  Network network_;
  Instant began_ = Instant() + std::chrono::hours(1);
  Instant now_ = began_;
  Instant next_act_ = kNoDeadline;
  Instant next_emission_ = began_;
  std::uint64_t next_number_ = 1;
  std::size_t nearest_ = 0;
  std::vector<RelayHost> relays_;
  std::vector<GatewayHost> gateways_;

  struct Timer {
    Instant at;
    HostId machine = 0;
    [[nodiscard]] bool operator<(const Timer& other) const { return other.at < at; }
  };
  /// A heap; of a machine's entries only the one at its `armed` counts.
  std::vector<Timer> timers_;
  std::uint64_t steps_ = 0;
  std::uint64_t relay_inputs_ = 0;

  /// What the replayer saw: old ones are overwritten.
  std::vector<Packet> recorded_;
  std::size_t next_record_ = 0;

  bool observing_ = false;
  std::vector<Emitted> observed_;
  std::vector<std::byte> scratch_;
  std::string failure_;
};

}  // namespace amt::sim
