#pragma once
/// The addresses of the demo: one plan per address family, inside and outside the tunnel alike.

#include <array>
#include <cstdint>
#include <string>

#include "amt/channel.hh"
#include "amt/endpoint.hh"

namespace amt {

struct FamilyPlan {
  std::string name;       ///< "IPv4"
  std::string file_name;  ///< "ipv4"
  Channel channel;        ///< always with a source
  std::uint16_t port = 0;
  IpAddress relay;
  /// Where the relay answers Discovery.
  IpAddress discovery;
  IpAddress gateway;   ///< outer address of the gateway host
  IpAddress receiver;  ///< outer address of the host that has no gateway

  [[nodiscard]] Family family() const { return channel.group.family(); }
  [[nodiscard]] const IpAddress& source() const { return *channel.source; }
};

/// IPv4 and IPv6, in addresses that are set aside for documentation (RFC 5737, RFC 3849).
[[nodiscard]] const std::array<FamilyPlan, 2>& family_plans();

/// The interface that each namespace has towards the relay; the gateway makes the other.
inline constexpr const char* kUplink = "uplink0";
inline constexpr const char* kRelayUpstream = "source0";
inline constexpr const char* kGatewayInterface = "amt0";

}  // namespace amt
