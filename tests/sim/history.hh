#pragma once
/// One seed's history: storm and calm in turn.

#include <string>

#include "sim/scenario.hh"
#include "sim/tally.hh"

namespace amt::sim {

struct Outcome {
  Tally tally;
  /// Empty: nothing was violated.
  std::string failure;
};

[[nodiscard]] Outcome run_history(const Scenario& scenario, std::uint64_t seed, unsigned epochs);

}  // namespace amt::sim
