#pragma once
/// How a relay goes on with what another process had: one that runs, and gives everything; or one that has died, and
/// left its state.

#include <functional>
#include <optional>
#include <vector>

#include "engine/relay/relay_descriptors.hh"
#include "relay/state_document.hh"

namespace amt {

struct RelayInheritance {
  struct Rest {
    std::vector<GivenDescriptor> descriptors;
    /// What the tunnels have had.
    std::optional<StateReader> uses;
  };

  /// With what is shared, and the tunnels. Outlives `RelayEngine::create`, as the document of `Rest::uses` does.
  const StateReader* state = nullptr;
  /// Called once the tunnels are here: from then on the other process sends nothing. Empty: it has died, and its
  /// sockets are gone.
  std::function<SysResult<Rest>()> take_rest{};
};

}  // namespace amt
