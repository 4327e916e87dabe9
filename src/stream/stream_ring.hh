#pragma once
/// The last octets of a stream, once in memory for all readers.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "base/byte_reader.hh"

namespace amt {

/// Octets have positions, counted from the first that was ever added. Pure; not thread-safe. Its memory is taken from
/// the system as it is filled.
class StreamRing {
 public:
  /// Holds this many octets.
  explicit StreamRing(std::size_t capacity_octets);

  /// Takes octets behind the last; the oldest go. Not more than the capacity at once (asserted).
  void add(Bytes octets);
  /// Of the oldest octet.
  [[nodiscard]] std::uint64_t begin() const { return end_ - std::min<std::uint64_t>(end_, capacity_); }
  /// Behind the newest.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// The octets from `position` on, which is still here (asserted), at most `octets_max`; in two pieces where the
  /// memory wraps, of which the second, or both, may be empty. Valid until the next `add`.
  [[nodiscard]] std::array<Bytes, 2> read(std::uint64_t position, std::size_t octets_max) const;

 private:
  std::size_t capacity_;
  std::unique_ptr<std::byte[]> memory_;
  std::uint64_t end_ = 0;
};

}  // namespace amt
