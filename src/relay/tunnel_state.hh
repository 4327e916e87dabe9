#pragma once
/// A tunnel as a value: for another process that goes on with it.

#include <cstdint>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "membership/router_group_state.hh"
#include "relay/relay_event.hh"
#include "wire/message.hh"

namespace amt {

/// The state of a tunnel that does not change with a data packet.
struct TunnelState {
  TunnelEndpoint endpoint;
  LocalAddress local;
  bool ecn_capable = false;
  /// Of its last accepted Update.
  wire::RequestNonce nonce;
  wire::ResponseMac mac;
  Instant since{};
  Instant expires{};
  std::vector<RouterGroupState> groups{};
};

/// The numbers of a tunnel.
struct TunnelUse {
  TunnelEndpoint endpoint;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  /// Of one of its channels. Only of a relay with events.
  struct ChannelUse {
    Channel channel;
    Instant since{};
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    FlowTold told{};
  };
  std::vector<ChannelUse> channels{};
};

}  // namespace amt
