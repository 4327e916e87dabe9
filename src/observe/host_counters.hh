#pragma once
/// Counters beside the state machines: of sockets, captures and interfaces of this host.

#include <cstdint>

#include "base/counter_table.hh"

namespace amt {

enum class RelayHostCounter : std::uint8_t {
  kSocketReceiveDrops,
  kUpstreamDrops,
  kUpstreamMalformed,
  kUpstreamSegmented,
  kXdpFrames,
  kXdpDrops,
  kOrderCopies,
  kOrderRefusals,
  kLogLinesLost,
  kUpstreamJoinsMissing,
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(RelayHostCounter counter);

enum class GatewayHostCounter : std::uint8_t {
  kSocketReceiveDrops,
  kLogLinesLost,
  kDuplicatesDropped,
  kInterfaceDrops,
  kDownstreamHopLimitExceeded,
  kDownstreamTooBig,
  kDataDelivered,
  kDataBytesDelivered,
  kNativePackets,  ///< last: only shown with --native
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(GatewayHostCounter counter);

}  // namespace amt
