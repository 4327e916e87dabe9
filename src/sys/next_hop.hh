#pragma once
/// Where packets to a destination go: route, interface and neighbour, asked of the kernel and kept up with.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "amt/endpoint.hh"
#include "ip/ethernet.hh"
#include "sys/error.hh"

namespace amt {

/// What the kernel's route look-up says for one UDP flow.
struct FlowRoute {
  int interface = 0;
  /// Whom the frame goes to: the router, or the destination itself.
  IpAddress neighbour;
  /// The address that the flow leaves from: that asked for, or the route's choice.
  IpAddress source;
  /// Of the route or of what ICMP said; none: the interface's.
  std::optional<std::uint32_t> mtu_octets;
  /// Of the route; none: the socket's.
  std::optional<std::uint8_t> hop_limit;
};

/// An interface that carries Ethernet frames.
struct EthernetLink {
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu_octets = 0;
  /// Of IPv6 datagrams that leave by it, unless the route has its own.
  std::uint8_t ipv6_hop_limit = 64;
};

/// What the kernel has learned anew.
struct NeighbourChange {
  int interface = 0;
  IpAddress neighbour;
  /// None: not resolved any more.
  std::optional<MacAddress> mac;
};

/// One netlink socket to ask, one to listen. Questions are answered at once (some microseconds), without a look at what
/// the network says. Not thread-safe.
class NextHopQueries {
 public:
  static SysResult<NextHopQueries> open();
  ~NextHopQueries();
  NextHopQueries(NextHopQueries&&) noexcept;
  NextHopQueries& operator=(NextHopQueries&&) noexcept;

  /// Nothing unless it is a plain unicast route out of an interface: to this host itself, unreachable, encapsulated.
  [[nodiscard]] std::optional<FlowRoute> route(const Endpoint& from, const Endpoint& to);
  /// Nothing unless it is up, has a carrier, and is Ethernet or looks like it.
  [[nodiscard]] std::optional<EthernetLink> ethernet_link(int interface);
  /// Nothing while it is not resolved.
  [[nodiscard]] std::optional<MacAddress> neighbour(int interface, const IpAddress& address);

  /// What has changed since the last time. True: routes, rules, addresses or links, or more than the socket could hold;
  /// everything may be different.
  bool poll_changes(const std::function<void(const NeighbourChange&)>& on_neighbour);

 private:
  struct Impl;
  explicit NextHopQueries(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
