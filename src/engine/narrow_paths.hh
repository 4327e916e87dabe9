#pragma once
/// Paths to gateways that take less than the relay's own link (RFC 7450 §5.3.3.6.1, a path MTU per tunnel).

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>

#include "amt/ip_address.hh"
#include "amt/time.hh"

namespace amt {

/// Where a path MTU comes from (`--mtu`, `--min-mtu`).
struct PathMtuOptions {
  /// The same for all paths; what ICMP says is not looked at then.
  std::optional<std::size_t> fixed_octets{};
  /// ICMP is believed (R-5.3.3.6.1-b). Else a path takes what the relay's own link does (R-5.3.3.6.1-c).
  bool dynamic = true;
  /// ICMP is not believed below this. Not given: `NarrowPaths::kMtuMinV4` and `kMtuMinV6`.
  std::optional<std::size_t> min_octets{};

  /// Sockets must not go by the kernel's own idea of a path, which has a minimum of its own.
  [[nodiscard]] bool ignores_kernel() const { return fixed_octets || !dynamic || min_octets; }
};

/// What is known of paths on which a large message does not fit. Empty on most relays, and then free of cost.
/// Bounded: when full it forgets everything and learns anew. Not thread-safe.
class NarrowPaths {
 public:
  static constexpr std::size_t kPathsMax = 4096;
  /// Then a large message is tried again; the kernel itself forgets in the same time (RFC 1191 §6.3, RFC 8201 §5.3).
  static constexpr Duration kLifetime = std::chrono::minutes(10);
  /// Nothing below is believed: a forged ICMP must not cut a stream into crumbs (R-5.3.3.6.1-c). 552 is where Linux
  /// itself stops (`ip_rt_min_pmtu`): above it we would send what the kernel refuses. RFC 8200 §5 has 1280 for IPv6,
  /// and the kernel lowers a path no further but tells whatever the ICMP said.
  static constexpr std::size_t kMtuMinV4 = 552;
  static constexpr std::size_t kMtuMinV6 = 1280;

  explicit NarrowPaths(const PathMtuOptions& options = {}) : options_(options) {}

  /// `from_network`: an ICMP says so; else the kernel, of its own link or what it learned itself.
  void learn(Instant now, const IpAddress& gateway, std::size_t mtu_octets, bool from_network);
  /// The most that the inner datagram may have, where that is known to be less than the link's (R-5.3.3.6.1-a).
  [[nodiscard]] std::optional<std::size_t> inner_octets_max(Instant now, const IpAddress& gateway);

 private:
  struct Path {
    std::size_t mtu_octets = 0;
    Instant until{};
  };
  [[nodiscard]] std::optional<std::size_t> learned(Instant now, const IpAddress& gateway);

  PathMtuOptions options_;
  boost::unordered_flat_map<IpAddress, Path> paths_;
};

}  // namespace amt
