#include "sim/history.hh"

#include "sim/world.hh"

namespace amt::sim {

using std::chrono::seconds;

/// A pause is asked about after 64 s at most, and there may be back-offs and a change of relay.
constexpr Duration kDataIsBack = seconds(90);

/// Soon after a storm everyone has its data again, however long the query interval is. What is left over at the relays
/// takes longer: a back-off, a query interval and twice the group membership interval, once for what was left while the
/// leave got lost, once more for a source that a report during that time moved from blocked to doubtful.
Outcome run_history(const Scenario& scenario, std::uint64_t seed, unsigned epochs) {
  World world(scenario, seed);
  for (unsigned epoch = 0; epoch < epochs && !world.failed(); ++epoch) {
    world.storm(seconds(60));
    world.calm(kDataIsBack);
    // A relay whose clock leapt forgot who was there but not its secret: what is joined then hides the loss of the rest
    // until the next periodic Request.
    if (!scenario.clock_jumps) world.expect_data(seconds(5));
    world.calm(seconds(80) + 5 * scenario.query_interval - kDataIsBack);
    world.expect_agreement(seconds(10));
  }
  Outcome outcome;
  outcome.failure = world.failure();
  outcome.tally = world.tally();
  return outcome;
}

}  // namespace amt::sim
