#pragma once
/// Paths to gateways that take less than the relay's own link (RFC 7450 §5.3.3.6.1, a path MTU per tunnel).

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>

#include "amt/ip_address.hh"
#include "amt/time.hh"

namespace amt {

/// What the kernel said of paths on which a message did not fit. Empty on most relays, and then free of cost.
/// Bounded: when full it forgets everything and learns anew. Not thread-safe.
class NarrowPaths {
 public:
  static constexpr std::size_t kPathsMax = 4096;
  /// Then a large message is tried again; the kernel itself forgets in the same time (RFC 1191 §6.3, RFC 8201 §5.3).
  static constexpr Duration kLifetime = std::chrono::minutes(10);
  /// Nothing below is believed: a forged ICMP must not cut a stream into crumbs (R-5.3.3.6.1-c). RFC 791's 576 octets;
  /// RFC 8200 §5 has 1280 for IPv6, and the kernel lowers a path no further but tells whatever the ICMP said.
  static constexpr std::size_t kMtuMinV4 = 576;
  static constexpr std::size_t kMtuMinV6 = 1280;

  void learn(Instant now, const IpAddress& gateway, std::size_t mtu_octets);
  /// The most that the inner datagram may have, where that is known to be less than the link's (R-5.3.3.6.1-a).
  [[nodiscard]] std::optional<std::size_t> inner_octets_max(Instant now, const IpAddress& gateway);

 private:
  struct Path {
    std::size_t mtu_octets = 0;
    Instant until{};
  };
  boost::unordered_flat_map<IpAddress, Path> paths_;
};

}  // namespace amt
