#include "egress/channel_order.hh"

namespace amt {

std::size_t ChannelOrder::channel_of(const DataPacket& packet, std::size_t last) {
  const auto is_of = [&](std::size_t channel) {
    const DataPacket& first = *channels_[channel].first;
    return first.destination == packet.destination && first.source == packet.source;
  };
  if (last < count_ && is_of(last)) return last;
  for (std::size_t channel = 0; channel < count_; ++channel) {
    if (is_of(channel)) return channel;
  }
  if (count_ == kChannelsMax) return kChannelsMax;
  channels_[count_] = {&packet, 0};
  return count_++;
}

std::span<const std::uint32_t> ChannelOrder::arrange(std::span<const DataPacket> packets) {
  count_ = 0;
  channels_[kChannelsMax] = {};
  channel_of_.resize(packets.size());
  order_.resize(packets.size());
  std::size_t last = kChannelsMax;
  for (std::size_t at = 0; at < packets.size(); ++at) {
    last = channel_of(packets[at], last);
    ++channels_[last].packets;
    channel_of_[at] = static_cast<std::uint8_t>(last);
  }
  std::array<std::size_t, kChannelsMax + 1> next{};
  std::size_t before = 0;
  for (std::size_t channel = 0; channel < next.size(); ++channel) {
    next[channel] = before;
    if (channel < count_ || channel == kChannelsMax) before += channels_[channel].packets;
  }
  for (std::size_t at = 0; at < packets.size(); ++at) {
    order_[next[channel_of_[at]]++] = static_cast<std::uint32_t>(at);
  }
  return order_;
}

}  // namespace amt
