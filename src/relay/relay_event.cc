#include "relay/relay_event.hh"

#include "base/assert.hh"

namespace amt {

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::kLeft:
      return "left";
    case EndReason::kTornDown:
      return "torn-down";
    case EndReason::kExpired:
      return "expired";
    case EndReason::kUnreachable:
      return "unreachable";
    case EndReason::kMoved:
      return "moved";
    case EndReason::kDrained:
      return "drained";
    case EndReason::kShutDown:
      return "shut-down";
  }
  AMT_ASSERT(false);
}

RelayCounter counter_of(EndReason reason) {
  switch (reason) {
    case EndReason::kLeft:
      return RelayCounter::kTunnelsLeft;
    case EndReason::kTornDown:
      return RelayCounter::kTunnelsTornDown;
    case EndReason::kExpired:
      return RelayCounter::kTunnelsExpired;
    case EndReason::kUnreachable:
      return RelayCounter::kTunnelsUnreachable;
    case EndReason::kMoved:
      return RelayCounter::kTunnelsMoved;
    case EndReason::kDrained:
      return RelayCounter::kTunnelsDrained;
    case EndReason::kShutDown:
      return RelayCounter::kTunnelsShutDown;
  }
  AMT_ASSERT(false);
}

}  // namespace amt
