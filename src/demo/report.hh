#pragma once
/// The demo in words.

#include <string>

#include "demo/outcome.hh"

namespace amt {

/// A picture of the network, before anything happens.
[[nodiscard]] std::string describe_network();
/// The messages between gateway and relay and their outcome, as lines.
[[nodiscard]] std::string describe(const FamilyOutcome& family);
[[nodiscard]] std::string describe_end(const DemoOutcome& outcome);

}  // namespace amt
