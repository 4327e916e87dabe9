#pragma once
/// Keeps a listener from hearing twice what two tunnels bring while a source moves from one relay to another.

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "base/keyed_hash.hh"
#include "ip/datagram.hh"

namespace amt {

/// A datagram is known by what relays do not change: addresses, protocol, identification, fragment and payload (not TTL
/// and ECN). What one tunnel alone repeats is the source's doing and passes: of each datagram as many copies are
/// delivered as the tunnel that brought most. Pure; memory is bounded, the oldest are forgotten.
class DuplicateFilter {
 public:
  /// Some seconds of a video, or a tenth of a second at 150 000 packets a second.
  static constexpr std::size_t kDatagramsMax = 16384;

  explicit DuplicateFilter(Random& random) : hash_(random) {}

  /// True: not delivered so far. `tunnel`: any number that names it.
  [[nodiscard]] bool is_new(std::uint32_t tunnel, Bytes datagram);

 private:
  struct Seen {
    std::uint32_t tunnel = 0;
    std::uint8_t count = 0;
  };
  struct Entry {
    std::uint8_t delivered = 0;
    /// More than two tunnels at once are rare; the last place is then shared.
    std::array<Seen, 3> seen{};
  };

  [[nodiscard]] std::uint64_t key_of(const DatagramView& datagram) const;

  KeyedHash hash_;
  boost::unordered_flat_map<std::uint64_t, Entry> entries_;
  /// The keys in the order of their coming, as a ring.
  std::vector<std::uint64_t> order_;
  std::size_t oldest_ = 0;
};

}  // namespace amt
