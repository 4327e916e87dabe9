#pragma once
/// A relay goes on with the tunnels of another process: of one that runs, and gives everything, or of one that has
/// died, and left its state.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/relay/upstream.hh"
#include "engine/runtime/named_descriptors.hh"
#include "relay/state_document.hh"

namespace amt {

struct RelayInheritance {
  struct Rest {
    std::vector<GivenDescriptor> descriptors;
    /// The numbers of the tunnels.
    std::optional<StateReader> uses;
  };

  /// With the shared state, and the tunnels. Outlives `RelayEngine::create`, as the document of `Rest::uses` does.
  const StateReader* state = nullptr;
  /// Called once the tunnels are here: from then on the other process sends nothing. Empty: it has died, and its
  /// sockets are gone.
  std::function<SysResult<Rest>()> take_rest{};
};

/// Of a capture, in `NamedDescriptor::numbers`.
[[nodiscard]] std::array<std::uint64_t, 6> numbers_of(const PacketRingPlace& place,
                                                      const UpstreamCapture::Statistics& before);
[[nodiscard]] GivenCapture given_capture(GivenDescriptor given);

}  // namespace amt
