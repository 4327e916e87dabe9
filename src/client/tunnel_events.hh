#pragma once
/// The events of a tunnel's machine for the selection of relays.

#include <optional>

#include "discovery/relay_selection.hh"
#include "gateway/gateway.hh"

namespace amt {

/// How a tunnel is run that goes to a relay which was found, and may be replaced by another.
inline GatewayOptions found_relay_options(GatewayOptions options, const Endpoint& relay) {
  options.candidates = {{RelayCandidate::Kind::kRelay, relay}};
  // A relay is not asked before a channel is wanted of it.
  options.request_when_idle = false;
  // A relay that does not answer twice is replaced, if another is known. Its Requests go on.
  options.request_tries = 2;
  return options;
}

inline std::optional<TunnelEvent> tunnel_event(GatewayEvent::Kind kind) {
  switch (kind) {
    case GatewayEvent::Kind::kRelayAnswers:
      return TunnelEvent::kAnswers;
    case GatewayEvent::Kind::kRelayLimit:
      return TunnelEvent::kLimit;
    case GatewayEvent::Kind::kDataStopped:
      return TunnelEvent::kStopped;
    case GatewayEvent::Kind::kRelayAlive:
      return TunnelEvent::kAlive;
    case GatewayEvent::Kind::kRelaySilent:
      return TunnelEvent::kSilent;
    case GatewayEvent::Kind::kUnreachable:
      return TunnelEvent::kUnreachable;
    case GatewayEvent::Kind::kDiscovering:
    case GatewayEvent::Kind::kRelayFound:
    case GatewayEvent::Kind::kRelayLost:
    case GatewayEvent::Kind::kEndpointChanged:
      break;
  }
  return std::nullopt;
}

}  // namespace amt
