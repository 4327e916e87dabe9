#include "sim/history.hh"

#include "sim/world.hh"

namespace amt::sim {

using std::chrono::seconds;

/// Calm is long enough for every back-off (15 s), a query interval (10 s) and twice the group membership interval
/// (30 s): once for what was left while the leave got lost, once more for a source that a report during that time moved
/// from blocked to doubtful.
Outcome run_history(const Scenario& scenario, std::uint64_t seed, unsigned epochs) {
  World world(scenario, seed);
  for (unsigned epoch = 0; epoch < epochs && !world.failed(); ++epoch) {
    world.storm(seconds(60));
    world.calm(seconds(130));
    world.expect_agreement(seconds(10));
  }
  Outcome outcome;
  outcome.failure = world.failure();
  outcome.tally = world.tally();
  return outcome;
}

}  // namespace amt::sim
