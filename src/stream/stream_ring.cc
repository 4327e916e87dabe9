#include "stream/stream_ring.hh"

#include "base/assert.hh"

namespace amt {

StreamRing::StreamRing(std::size_t capacity_octets)
    : capacity_(capacity_octets), memory_(std::make_unique_for_overwrite<std::byte[]>(capacity_octets)) {
  AMT_ASSERT(capacity_octets > 0);
}

void StreamRing::add(Bytes octets) {
  AMT_ASSERT(octets.size() <= capacity_);
  const MutableBytes memory(memory_.get(), capacity_);
  const std::size_t at = end_ % capacity_;
  const std::size_t first = std::min(octets.size(), capacity_ - at);
  std::ranges::copy(octets.first(first), memory.subspan(at).begin());
  std::ranges::copy(octets.subspan(first), memory.begin());
  end_ += octets.size();
}

std::array<Bytes, 2> StreamRing::read(std::uint64_t position, std::size_t octets_max) const {
  AMT_ASSERT(position >= begin() && position <= end_);
  const Bytes memory(memory_.get(), capacity_);
  const std::size_t octets = std::min<std::uint64_t>(octets_max, end_ - position);
  const std::size_t at = position % capacity_;
  const std::size_t first = std::min(octets, capacity_ - at);
  return {memory.subspan(at, first), memory.first(octets - first)};
}

}  // namespace amt
