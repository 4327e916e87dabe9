#pragma once
/// The demo in words.

#include <string>

#include "demo/outcome.hh"

namespace amt {

/// A picture of the network, before anything happens.
[[nodiscard]] std::string describe_network();
/// What passed between gateway and relay and what came of it, as lines.
[[nodiscard]] std::string describe(const FamilyOutcome& family);
[[nodiscard]] std::string describe_end(const DemoOutcome& outcome);

}  // namespace amt
