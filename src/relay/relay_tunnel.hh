#pragma once
#include <cstdint>

#include "amt/endpoint.hh"

namespace amt {

/// One tunnel. Public: the fields that the data path reads, and the accounting that it writes.
struct RelayTunnel {
  TunnelEndpoint endpoint;
  /// Where its Updates arrive and its Data leaves from (R-5.3.3.6.3-a).
  LocalAddress local;
  /// The E flag of the Request that its last Update answers: copy the inner ECN to the outer header (E-9601-f).
  bool ecn_capable = false;
  /// The data path calls `Relay::count_sent`, too.
  bool counts_channels = false;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

}  // namespace amt
