#include "forward/loop_filter.hh"

namespace amt {

std::optional<std::uint32_t> LoopFilter::came_back(Instant now, std::uint64_t mark, std::uint8_t hop_limit) const {
  if (packets_.empty()) return std::nullopt;
  const Packet& known = packets_[slot_of(mark)];
  if (known.mark != mark || hop_limit >= known.hop_limit || now - known.at >= kMemory) return std::nullopt;
  return known.upstream;
}

void LoopFilter::remember(Instant now, std::uint32_t upstream, std::uint64_t mark, std::uint8_t hop_limit) {
  if (packets_.empty()) packets_.resize(kPackets);
  packets_[slot_of(mark)] = {mark, now, upstream, hop_limit};
}

}  // namespace amt
