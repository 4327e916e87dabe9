#include "cli/way_to_relay.hh"

namespace amt {

GatewayConnectionOptions connection_options(const RelayChoice& choice) {
  GatewayConnectionOptions options;
  for (const Endpoint& relay : choice.relays) {
    options.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
  }
  for (const Endpoint& address : choice.discovery) {
    options.gateway.candidates.push_back({RelayCandidate::Kind::kDiscovery, address});
  }
  options.gateway.relay_port = choice.relay_port;
  options.local = choice.local;
  options.port = choice.gateway_port;
  return options;
}

}  // namespace amt
