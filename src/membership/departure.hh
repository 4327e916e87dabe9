#pragma once
/// What leaves by an interface that a router forwards multicast to.

#include <cstdint>

#include "base/byte_reader.hh"

namespace amt {

enum class Departure : std::uint8_t {
  kData,        ///< multicast above link scope: for gateways
  kMembership,  ///< IGMP or MLD, whatever its destination
  kOther,       ///< link scope, unicast, or nothing that can be read: for nobody
};
[[nodiscard]] Departure classify_departure(Bytes datagram);

}  // namespace amt
