/// Hours of protocol life in seconds. Every seed is another history; a failure names the seed that replays it:
///   AMT_SIM_SEED=17 build/debug/tests/sim/sim_test
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "sim/history.hh"
#include "sim/world.hh"

namespace amt::sim {
namespace {

using std::chrono::seconds;

std::uint64_t environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Tally run(const Scenario& scenario) {
  Tally tally;
  const std::uint64_t first = environment("AMT_SIM_SEED", 1);
  const std::uint64_t seeds = environment("AMT_SIM_SEEDS", std::getenv("AMT_SIM_SEED") == nullptr ? 4 : 1);
  for (std::uint64_t seed = first; seed < first + seeds && !::testing::Test::HasFailure(); ++seed) {
    const Outcome outcome = run_history(scenario, seed, 3);
    EXPECT_EQ(outcome.failure, "");
    add(tally, outcome.tally);
  }
  EXPECT_GT(tally[Event::kDelivered], 0U);
  return tally;
}

TEST(Simulation, MembershipChangesOnAGoodNetwork) {
  const Tally tally =
      run({.weather = false, .rebinding_nats = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_EQ(tally[Event::kBadMacs], 0U);
  EXPECT_EQ(tally[Event::kTunnelsExpired], 0U);
}

TEST(Simulation, BadWeather) {
  const Tally tally = run({.rebinding_nats = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_GT(tally[Event::kMarked], 0U);
  EXPECT_GT(tally[Event::kNotWanted], 0U);
}

TEST(Simulation, NatsThatRebind) {
  const Tally tally = run({.weather = false, .relay_restarts = false, .gateway_restarts = false});
  EXPECT_GT(tally[Event::kTunnelsTornDown], 0U);
  EXPECT_GT(tally[Event::kBadMacs], 0U);
  EXPECT_GT(tally[Event::kSilences], 0U);
}

TEST(Simulation, RelaysThatRestart) {
  const Tally tally = run({.relays = 3, .weather = false, .rebinding_nats = false});
  EXPECT_GT(tally[Event::kRelayChanges], 0U);
  EXPECT_GT(tally[Event::kSilences], 0U);
  EXPECT_GT(tally[Event::kTunnelsExpired], 0U);
}

TEST(Simulation, EverythingAtOnce) {
  const Tally tally = run({.relays = 3, .gateways = 10});
  EXPECT_GT(tally[Event::kRelayChanges], 0U);
  EXPECT_GT(tally[Event::kTunnelsTornDown], 0U);
}

TEST(Simulation, MoreGatewaysThanTheRelayTakes) {
  const Tally tally = run({.relays = 1, .gateways = 6, .tunnels_max = 3});
  EXPECT_GT(tally[Event::kLimited], 0U);
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
  EXPECT_EQ(world.failure(), "");
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
  EXPECT_EQ(world.failure(), "");
}

TEST(Simulation, GatewaysThatHadNothingToReportStillTearDown) {
  World world({.relays = 1, .query_interval = seconds(5)}, environment("AMT_SIM_SEED", 1));
  world.calm(seconds(60));
  world.subscribe_all();
  world.calm(seconds(12));
  world.rebind_nats();
  world.calm(kRecovery);
  world.expect_agreement(seconds(5));
  EXPECT_EQ(world.failure(), "");
}

}  // namespace
}  // namespace amt::sim
