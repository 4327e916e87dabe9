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

/// The result of the kernel's route look-up for one UDP flow.
struct FlowRoute {
  int interface = 0;
  /// The neighbour that the frame goes to: the router, or the destination itself.
  IpAddress neighbour;
  /// The address that the flow leaves from: that asked for, or the route's choice.
  IpAddress source;
  /// Of the route or of an ICMP error; none: the interface's.
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

/// A change that the kernel has reported.
struct NeighbourChange {
  int interface = 0;
  IpAddress neighbour;
  /// None: not resolved any more.
  std::optional<MacAddress> mac;
};

/// One netlink socket to ask, one to listen. Questions are answered at once (some microseconds), without traffic on the
/// network. Not thread-safe.
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

  /// Reads the changes since the last call. True: routes, rules, addresses or links changed, or more than the socket
  /// could hold; all answers may differ now.
  bool poll_changes(const std::function<void(const NeighbourChange&)>& on_neighbour);

 private:
  struct Impl;
  explicit NextHopQueries(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
