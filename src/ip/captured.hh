#pragma once
/// Multicast datagrams as a relay's upstream delivers them.

#include <cstddef>

#include "base/byte_reader.hh"

namespace amt {

/// Octets before `CapturedDatagram::bytes` that may be overwritten: room for the AMT Data header in place.
inline constexpr std::size_t kCaptureHeadroomOctets = 2;

/// One whole IP datagram (or IP fragment), transport checksum finished, segments of merged packets already apart.
/// `kCaptureHeadroomOctets` before it are writable, too. Valid until the source's `release`.
struct CapturedDatagram {
  MutableBytes bytes;
  /// The same with the headroom in front.
  [[nodiscard]] MutableBytes with_headroom() const {
    return {bytes.data() - kCaptureHeadroomOctets, bytes.size() + kCaptureHeadroomOctets};
  }
};

}  // namespace amt
