#pragma once
/// An IP datagram in two pieces.

#include "base/byte_reader.hh"

namespace amt {

/// A header that was copied to be changed, and the rest where it is. `tail` may be empty.
struct SplitDatagram {
  /// The IP header's fixed part at least.
  Bytes head;
  Bytes tail;

  [[nodiscard]] std::size_t size() const { return head.size() + tail.size(); }
};

}  // namespace amt
