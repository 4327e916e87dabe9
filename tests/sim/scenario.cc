#include "sim/scenario.hh"

#include "base/random.hh"

namespace amt::sim {

std::string Scenario::to_string() const {
  std::string text = std::to_string(relays) + " relays, " + std::to_string(gateways) + " gateways";
  const auto say = [&text](bool is, const char* what) {
    if (is) text += std::string(", ") + what;
  };
  say(weather, "bad weather");
  say(rebinding_nats, "rebinding NATs");
  say(relay_restarts, "relay restarts");
  say(gateway_restarts, "gateway restarts");
  say(partitions, "partitions");
  say(clock_jumps, "clock jumps");
  say(sleeps, "suspensions");
  say(narrow_paths, "narrow paths");
  say(attackers, "attackers");
  say(is_limited(), "too few tunnels");
  say(query_interval > std::chrono::minutes(1), "long query interval");
  say(secret_lifetime < std::chrono::hours(1), "changing secrets");
  return text;
}

Scenario scenario_of(std::uint64_t seed, std::size_t gateways) {
  // Another sequence than the world's own.
  SeededRandom random(seed ^ 0x5ce7a210);
  const auto mostly = [&random] { return random.below(4) != 0; };
  const auto seldom = [&random] { return random.below(8) == 0; };
  Scenario scenario;
  scenario.gateways = gateways;
  scenario.relays = 1 + random.below(4);
  scenario.weather = mostly();
  scenario.rebinding_nats = mostly();
  scenario.relay_restarts = mostly();
  scenario.gateway_restarts = mostly();
  scenario.partitions = mostly();
  scenario.clock_jumps = mostly();
  scenario.sleeps = mostly();
  scenario.narrow_paths = mostly();
  scenario.attackers = mostly();
  scenario.tunnels_max = seldom() ? 1 + gateways / 4 : 2 * gateways + 1000;
  if (random.below(3) == 0) scenario.query_interval = std::chrono::seconds(125);
  if (random.below(3) == 0) scenario.secret_lifetime = std::chrono::seconds(20 + random.below(40));
  return scenario;
}

}  // namespace amt::sim
