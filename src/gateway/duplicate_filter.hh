#pragma once
/// Delivers a datagram once that comes by two ways: by two tunnels while a source moves from one relay to another, by a
/// tunnel and natively while one takes the other's place.

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "amt/time.hh"
#include "base/keyed_hash.hh"
#include "base/state_record.hh"
#include "ip/datagram.hh"

namespace amt {

/// A datagram is recognised by the fields that relays do not change: addresses, protocol, identification, fragment and
/// payload (not TTL and ECN). A datagram that one way alone repeats was repeated by the source, and passes: of each
/// datagram as many copies are delivered as the way that brought most. Pure. Memory is bounded: the oldest datagrams
/// are forgotten, and the counts of a datagram that is repeated for ever are forgotten after `kMemory`.
class DuplicateFilter {
 public:
  /// Some seconds of a video, or a tenth of a second at 150 000 packets a second.
  static constexpr std::size_t kDatagramsMax = 16384;
  /// No way is slower than another by more than this.
  static constexpr Duration kMemory = std::chrono::seconds(2);

  explicit DuplicateFilter(Random& random) : hash_(random) {}

  /// For another one that goes on with it.
  void save(StateRecordWriter& out) const;
  /// Of one that has seen nothing yet.
  void restore(StateRecordReader& in);

  /// True: not delivered so far. `way`: any number that names the tunnel or the network that brought it.
  [[nodiscard]] bool is_new(Instant now, std::uint32_t way, Bytes datagram);
  /// The same for the payload of a UDP datagram, where no more than that is known of it.
  [[nodiscard]] bool is_new(Instant now, std::uint32_t way, const Endpoint& source, const Endpoint& destination,
                            Bytes payload);

 private:
  struct Seen {
    std::uint32_t way = 0;
    std::uint16_t count = 0;

    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.way, self.count);
    }
  };
  struct Entry {
    Instant begun{};
    std::uint16_t delivered = 0;
    /// More than two ways at once are rare; the last place is then shared.
    std::array<Seen, 3> seen{};

    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io.moments(self.begun);
      io(self.delivered, self.seen[0], self.seen[1], self.seen[2]);
    }
  };

  [[nodiscard]] std::uint64_t key_of(const DatagramView& datagram) const;
  [[nodiscard]] std::uint64_t add_payload(std::uint64_t key, Bytes payload) const;
  [[nodiscard]] bool count(Instant now, std::uint32_t way, std::uint64_t key);

  KeyedHash hash_;
  boost::unordered_flat_map<std::uint64_t, Entry> entries_;
  /// The keys in the order of their coming, as a ring.
  std::vector<std::uint64_t> order_;
  std::size_t oldest_ = 0;
};

}  // namespace amt
