#pragma once
/// A relay's own data may come back to its upstream, through a gateway: recognises it.

#include <cstdint>
#include <optional>
#include <vector>

#include "amt/time.hh"

namespace amt {

/// Remembers the forwarded packets and the TTL / Hop Limit of each. A packet that comes again within `kMemory` with a
/// lower value has been through this relay, because each pass lowers it. A packet that the source repeats has the same
/// value, and passes. Pure; owned by one worker. Bounded: a newer packet takes an older one's place.
class LoopFilter {
 public:
  static constexpr Duration kMemory = std::chrono::seconds(2);
  static constexpr std::size_t kPackets = 16'384;

  /// The upstream by which the same packet came before it was forwarded; none: it did not.
  [[nodiscard]] std::optional<std::uint32_t> came_back(Instant now, std::uint64_t mark, std::uint8_t hop_limit) const;
  /// The packet is forwarded.
  void remember(Instant now, std::uint32_t upstream, std::uint64_t mark, std::uint8_t hop_limit);

 private:
  struct Packet {
    std::uint64_t mark = 0;
    Instant at{};
    std::uint32_t upstream = 0;
    std::uint8_t hop_limit = 0;
  };
  static std::size_t slot_of(std::uint64_t mark) { return mark >> 32 & (kPackets - 1); }
  static_assert((kPackets & (kPackets - 1)) == 0);

  /// Empty until the first packet.
  std::vector<Packet> packets_;
};

}  // namespace amt
