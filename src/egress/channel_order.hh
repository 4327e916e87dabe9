#pragma once
/// The order in which one read's packets are written to an interface.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ip/data_packet.hh"

namespace amt {

/// Puts the packets of each channel together, so that an interface can take several with one call. The packets of one
/// channel stay in order of arrival. Pure, not thread-safe.
class ChannelOrder {
 public:
  /// Channels beyond these stay in order of arrival among themselves, behind the others.
  static constexpr std::size_t kChannelsMax = 32;

  /// The packets' places in the order in which they are to be written. Valid until the next call. Cost: a few
  /// comparisons a packet; allocates while batches grow.
  [[nodiscard]] std::span<const std::uint32_t> arrange(std::span<const DataPacket> packets);

 private:
  struct Known {
    /// Its first packet.
    const DataPacket* first = nullptr;
    std::size_t packets = 0;
  };

  [[nodiscard]] std::size_t channel_of(const DataPacket& packet, std::size_t last);

  std::array<Known, kChannelsMax + 1> channels_;
  std::size_t count_ = 0;
  /// By packet.
  std::vector<std::uint8_t> channel_of_;
  std::vector<std::uint32_t> order_;
};

}  // namespace amt
