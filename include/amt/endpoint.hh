#pragma once
/// Address and port together: the only way this project names a peer (RFC 7450 §4.2.2).

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "amt/ip_address.hh"

namespace amt {

/// UDP port 2268, IANA (RFC 7450 §7.2).
inline constexpr std::uint16_t kAmtPort = 2268;

/// One end of a UDP flow. Text: `ADDR:PORT` or `[V6]:PORT`.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// `ADDR`, `ADDR:PORT`, `V6` or `[V6]:PORT`; a missing port is `default_port`.
  static std::optional<Endpoint> parse(std::string_view text, std::uint16_t default_port);

  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] std::size_t hash_value(const Endpoint& endpoint);

/// The far end of a tunnel as the relay sees it, after any NAT: address *and* port.
struct TunnelEndpoint : Endpoint {
  friend constexpr auto operator<=>(const TunnelEndpoint&, const TunnelEndpoint&) = default;
};

/// The near end: the local address and port that a datagram arrived at, from which the answer leaves.
struct LocalAddress : Endpoint {
  friend constexpr auto operator<=>(const LocalAddress&, const LocalAddress&) = default;
};

}  // namespace amt
