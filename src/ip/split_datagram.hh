#pragma once
/// An IP datagram in two pieces.

#include <cstdint>
#include <optional>

#include "amt/ip_address.hh"
#include "base/byte_reader.hh"

namespace amt {

/// A header that was copied to be changed, and the rest where it is. `tail` may be empty.
struct SplitDatagram {
  /// The IP header's fixed part at least.
  Bytes head;
  Bytes tail;

  [[nodiscard]] std::size_t size() const { return head.size() + tail.size(); }
  /// Its destination; nothing when that is no multicast group, or there is no header.
  [[nodiscard]] std::optional<IpAddress> group() const;
};

/// The number that an interface has taken; the rest was dropped.
struct Taken {
  std::size_t datagrams = 0;
  std::uint64_t octets = 0;  ///< of IP datagrams
  friend bool operator==(const Taken&, const Taken&) = default;
};

}  // namespace amt
