#pragma once
/// How a gateway goes on with what another process had.

#include <vector>

#include "base/state_document.hh"
#include "engine/runtime/named_descriptors.hh"

namespace amt {

inline constexpr StateFormat kGatewayState{"amtgatew", 1};

/// The octets that `state` reads outlive `GatewayEngine::create`.
struct GatewayInheritance {
  StateBody state;
  std::vector<GivenDescriptor> descriptors;
};

}  // namespace amt
