/// Hours of protocol life in seconds. Every seed is another history; a failure names the seed that replays it:
///   AMT_SIM_SEED=17 build/debug/tests/sim/sim_test
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "sim/world.hh"

namespace amt::sim {
namespace {

using std::chrono::seconds;

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Storm and calm in turn. Calm is long enough for every back-off (15 s), a query interval (10 s) and twice the group
/// membership interval (30 s): once for what was left while the leave got lost, once more for a source that a report
/// during that time moved from blocked to doubtful.
Tally run(const Scenario& scenario) {
  Tally tally;
  const std::uint64_t first = environment("AMT_SIM_SEED", 1);
  const std::uint64_t seeds = environment("AMT_SIM_SEEDS", std::getenv("AMT_SIM_SEED") == nullptr ? 4 : 1);
  for (std::uint64_t seed = first; seed < first + seeds && !::testing::Test::HasFailure(); ++seed) {
    World world(scenario, seed);
    for (int epoch = 0; epoch < 3 && !world.failed(); ++epoch) {
      world.storm(seconds(60));
      world.calm(seconds(130));
      world.expect_agreement(seconds(15));
    }
    tally.add(world.tally());
  }
  EXPECT_GT(tally.delivered, 0U);
  return tally;
}

TEST(Simulation, MembershipChangesOnAGoodNetwork) {
  const Tally tally =
      run({.weather = false, .rebinding_nats = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_EQ(tally.bad_macs, 0U);
  EXPECT_EQ(tally.tunnels_expired, 0U);
}

TEST(Simulation, BadWeather) {
  const Tally tally = run({.rebinding_nats = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_GT(tally.marked, 0U);
  EXPECT_GT(tally.not_wanted, 0U);
}

TEST(Simulation, NatsThatRebind) {
  const Tally tally = run({.weather = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_GT(tally.tunnels_torn_down, 0U);
  EXPECT_GT(tally.bad_macs, 0U);
  EXPECT_GT(tally.silences, 0U);
}

TEST(Simulation, RelaysThatRestart) {
  const Tally tally = run({.relays = 3, .weather = false, .rebinding_nats = false});
  EXPECT_GT(tally.relay_changes, 0U);
  EXPECT_GT(tally.silences, 0U);
  EXPECT_GT(tally.tunnels_expired, 0U);
}

TEST(Simulation, EverythingAtOnce) {
  const Tally tally = run({.relays = 3, .gateways = 10});
  EXPECT_GT(tally.relay_changes, 0U);
  EXPECT_GT(tally.tunnels_torn_down, 0U);
}

TEST(Simulation, MoreGatewaysThanTheRelayTakes) {
  const Tally tally = run({.relays = 1, .gateways = 6, .tunnels_max = 3});
  EXPECT_GT(tally.limited, 0U);
}

/// Data comes every half second, so that two seconds without are a silence; one more for the handshake. The query
/// timer has no part in it.
constexpr auto kRecovery = seconds(3);

TEST(Simulation, RestartedRelayIsFoundWithinSeconds) {
  World world({.relays = 1, .query_interval = seconds(125)}, environment("AMT_SIM_SEED", 1));
  world.calm(seconds(5));
  world.subscribe_all();
  for (int restart = 0; restart < 3; ++restart) {
    world.calm(seconds(10));
    world.restart_relays();
    world.calm(kRecovery);
    world.expect_agreement(seconds(5));
  }
}

TEST(Simulation, ReboundNatCostsSecondsAndLeavesNoTunnelBehind) {
  World world({.relays = 1, .query_interval = seconds(125)}, environment("AMT_SIM_SEED", 1));
  world.calm(seconds(5));
  world.subscribe_all();
  for (int rebind = 0; rebind < 3; ++rebind) {
    world.calm(seconds(10));
    world.rebind_nats();
    world.calm(kRecovery);
    world.expect_agreement(seconds(5));
  }
}

TEST(Simulation, GatewaysThatHadNothingToReportStillTearDown) {
  World world({.relays = 1, .query_interval = seconds(5)}, environment("AMT_SIM_SEED", 1));
  world.calm(seconds(60));
  world.subscribe_all();
  world.calm(seconds(12));
  world.rebind_nats();
  world.calm(kRecovery);
  world.expect_agreement(seconds(5));
}

}  // namespace
}  // namespace amt::sim
