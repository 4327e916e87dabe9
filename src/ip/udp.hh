#pragma once
/// UDP inside IP: a view and a writer.

#include <cstdint>
#include <string_view>

#include "ip/datagram.hh"

namespace amt {

enum class UdpError : std::uint8_t { kNotUdp, kTruncated, kBadChecksum };
[[nodiscard]] std::string_view to_string(UdpError error);

struct UdpView {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  Bytes payload;

  /// `datagram` is not a fragment. A zero checksum is accepted over IPv4 and IPv6 (RFC 6935: tunnels and their
  /// payloads).
  static Result<UdpView, UdpError> parse(const DatagramView& datagram);
};

/// True when the transport checksum of a whole (unfragmented) UDP, TCP or ICMPv6 datagram is right, or when the
/// protocol has none that covers a pseudo-header, or when it is UDP with zero checksum.
[[nodiscard]] bool transport_checksum_ok(const DatagramView& datagram);

/// A whole IP+UDP datagram with right checksums, into `out`. Octets written.
std::size_t write_udp_datagram(MutableBytes out, HeaderFields header, std::uint16_t source_port,
                               std::uint16_t destination_port, Bytes payload);

}  // namespace amt
