#pragma once
/// One datagram of data with its parsed headers, so that no consumer parses it again.

#include <cstdint>

#include "ip/datagram.hh"

namespace amt {

/// Spans point into the caller's buffer.
struct DataPacket {
  /// The whole IP datagram, which may be a fragment.
  Bytes datagram = {};
  IpAddress source = {};
  IpAddress destination = {};
  /// A whole UDP datagram. Else the ports are 0, and there is no payload.
  bool is_udp = false;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  /// Of UDP.
  Bytes payload = {};
};

/// Checksums are not looked at.
[[nodiscard]] DataPacket data_packet(const DatagramView& datagram);

}  // namespace amt
