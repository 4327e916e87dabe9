#pragma once
/// Which of several relays is tried first (RFC 8777 §3.1.2).

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.hh"
#include "discovery/destination_order.hh"

namespace amt {

/// The well-known anycast addresses of relays, 192.52.193.1 and 2001:3::1 (RFC 7450 §7.1).
inline constexpr std::array kRelayAnycast{
    IpAddress::from_v4(0xc034c101),
    IpAddress::from_v6({std::byte{0x20}, std::byte{0x01}, std::byte{0x00}, std::byte{0x03}, std::byte{}, std::byte{},
                        std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{},
                        std::byte{}, std::byte{}, std::byte{0x01}})};

/// How a relay was found.
enum class RelayOrigin : std::uint8_t {
  kDnsSd,    ///< _amt._udp: run by the network this host is in
  kAnycast,  ///< 192.52.193.1, 2001:3::1: run by the network around that
  kDriad,    ///< AMTRELAY: known to the source's owner
  kNamed,    ///< on the command line or in the configuration
};
[[nodiscard]] std::string_view to_string(RelayOrigin origin);

/// An address to try.
struct RelayOption {
  Destination destination;
  RelayOrigin origin = RelayOrigin::kDriad;
  /// Of the AMTRELAY record, or the place that SRV priority and weight give; lower first. Compared within one origin
  /// only.
  std::uint16_t precedence = 0;
  /// Of the SRV record; 0: the one that relays have where none is given.
  std::uint16_t port = 0;
  /// A Request may be sent without a Relay Discovery before it (D-4.2.2-a, -b).
  bool discovery_optional = false;
  /// Drawn once when the option was found, so that equals stay in one random order (D-3.1.2-c).
  std::uint64_t lot = 0;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.destination);
    io.choice(self.origin, RelayOrigin::kNamed);
    io(self.precedence, self.port, self.discovery_optional, self.lot);
  }
};

/// The default: "1. DNS-SD, 2. Anycast addresses, 3. DRIAD". An origin that is not named is not used.
[[nodiscard]] std::vector<RelayOrigin> default_discovery_order();

/// `less`: `a` is tried first: by the order of origins, then precedence, then RFC 6724, then lot.
[[nodiscard]] std::weak_ordering compare_options(const RelayOption& a, const RelayOption& b,
                                                 const std::vector<RelayOrigin>& order);

/// The known facts when a channel is wanted, for `may_use_driad`.
struct DriadConditions {
  bool source_known = false;      ///< (S,G), not (*,G)
  bool native_path = false;       ///< (1) this network carries the channel itself
  bool served_already = false;    ///< (2) a relay in use forwards from this source
  bool configured_relay = false;  ///< (3) a discovery address or relay was configured and can forward the source
  bool dns_sd_relay = false;      ///< (4) one found by DNS-SD can
  bool anycast_relay = false;     ///< (5) one found at the well-known addresses can
};
/// RFC 8777 §3.1.1: "It's only appropriate ... when all of these conditions are met".
[[nodiscard]] bool may_use_driad(const DriadConditions& conditions);

}  // namespace amt
