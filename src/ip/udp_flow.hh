#pragma once
/// UDP datagrams that follow one another in one flow: recognised by a few comparisons, without parsing each.

#include <cstddef>
#include <optional>

#include "ip/datagram.hh"

namespace amt {

/// The longest headers that are plain.
inline constexpr std::size_t kPlainUdpOctetsMax = kIpv6HeaderOctets + kUdpHeaderOctets;

/// Where UDP begins in a datagram with plain headers: no options, no extension headers, no fragment, lengths that are
/// those of `datagram`, something in it. Checksums are not looked at.
[[nodiscard]] std::optional<std::size_t> plain_udp_at(Bytes datagram);

/// The headers of `next` are plain, too, and differ from those of `first` in lengths, checksums and IPv4 identification
/// alone. `first`: plain headers; its payload is not looked at and may be missing.
[[nodiscard]] bool continues_udp_flow(Bytes first, Bytes next);

/// The UDP checksum field of a datagram with plain headers; 0: it has none.
[[nodiscard]] std::uint16_t udp_checksum_field(Bytes datagram, std::size_t udp_at);

}  // namespace amt
