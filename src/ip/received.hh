#pragma once
/// Datagrams that a UDP socket received.

#include <algorithm>

#include "amt/endpoint.hh"
#include "ip/datagram.hh"

namespace amt {

/// One received message: possibly several datagrams of one flow that the kernel merged.
struct Received {
  Endpoint from;
  /// Into the batch's buffer; may be written (ECN, in-place edits) until the next `receive`.
  MutableBytes bytes;
  /// 0: one datagram. Else: datagrams of this length, the last may be shorter.
  std::size_t segment_octets = 0;
  Ecn ecn = Ecn::kNotEct;

  [[nodiscard]] std::size_t datagram_count() const {
    return segment_octets == 0 || bytes.empty() ? 1 : (bytes.size() + segment_octets - 1) / segment_octets;
  }
  /// Calls `f(MutableBytes)` for each datagram.
  template <typename F>
  void for_each_datagram(F&& f) const {
    const std::size_t step = segment_octets == 0 ? bytes.size() : segment_octets;
    if (bytes.empty()) return f(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += step) f(bytes.subspan(at, std::min(step, bytes.size() - at)));
  }
};

}  // namespace amt
