#pragma once
/// What a world is made of, and what may happen in its storms.

#include <cstddef>
#include <cstdint>
#include <string>

#include "amt/time.hh"

namespace amt::sim {

struct Scenario {
  std::size_t relays = 2;
  std::size_t gateways = 8;
  bool weather = true;
  bool rebinding_nats = true;
  bool relay_restarts = true;
  bool gateway_restarts = true;
  /// Some gateways and a relay do not reach each other, in one direction or both.
  bool partitions = false;
  /// A machine's clock leaps by up to hours: all its timers are late.
  bool clock_jumps = false;
  /// A machine is suspended: deaf and dumb, for up to a minute.
  bool sleeps = false;
  /// Paths that carry no large packets: some always, some for a while.
  bool narrow_paths = false;
  /// One who sees nothing and forges, and one who sees all and replays.
  bool attackers = false;
  /// Smaller than the number of gateways: some are turned away, and nobody is promised anything but bounds.
  std::size_t tunnels_max = 1000;
  /// Robustness * query interval + query response interval is 30 s then: an epoch is short.
  Duration query_interval = std::chrono::seconds(10);
  Duration secret_lifetime = std::chrono::hours(2);
  /// Compare everything after every step, not now and then: dear in a large world. The history is the same.
  bool check_every_step = false;
  bool trace = false;

  [[nodiscard]] bool is_limited() const { return tunnels_max < gateways; }
  [[nodiscard]] std::string to_string() const;
};

/// The seed chooses what may happen.
[[nodiscard]] Scenario scenario_of(std::uint64_t seed, std::size_t gateways);

}  // namespace amt::sim
