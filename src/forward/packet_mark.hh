#pragma once
/// Knows a datagram again that comes a second time.

#include <cstdint>

#include "base/byte_reader.hh"

namespace amt {

/// A hash of the fields that routers do not change: lengths, identification and fragment, protocol, addresses, the
/// first octets of the payload and the last ones; not TTL / Hop Limit, DSCP, ECN and header checksum. A UDP checksum is
/// among the first octets, so the whole payload counts. `datagram` has passed `peek_addresses`. Not secret: a sender of
/// both packets can make them alike, and gains nothing. Cost: some ten multiplications.
[[nodiscard]] std::uint64_t packet_mark(Bytes datagram);

/// TTL / Hop Limit of a datagram that has passed `peek_addresses`.
[[nodiscard]] std::uint8_t hop_limit_of(Bytes datagram);

}  // namespace amt
