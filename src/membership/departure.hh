#pragma once
/// Datagrams that leave by an interface to which a router forwards multicast.

#include <cstdint>

#include "base/byte_reader.hh"

namespace amt {

enum class Departure : std::uint8_t {
  kData,        ///< multicast above link scope: for gateways
  kMembership,  ///< IGMP or MLD, to any destination
  kOther,       ///< link scope, unicast, or unreadable: sent to no tunnel
};
[[nodiscard]] Departure classify_departure(Bytes datagram);

}  // namespace amt
