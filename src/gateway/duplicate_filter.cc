#include "gateway/duplicate_filter.hh"

#include <algorithm>
#include <cstring>
#include <limits>

namespace amt {

std::uint64_t DuplicateFilter::key_of(const DatagramView& datagram) const {
  std::uint64_t key = hash_(datagram.source, datagram.destination);
  const std::uint64_t place = std::uint64_t{datagram.identification} << 32 |
                              std::uint64_t{datagram.fragment_offset} << 9 |
                              std::uint64_t{datagram.more_fragments} << 8 | datagram.protocol;
  key = hash_(key ^ place);
  Bytes left = datagram.payload;
  while (!left.empty()) {
    std::uint64_t word = 0;
    const std::size_t octets = std::min(left.size(), sizeof word);
    std::memcpy(&word, left.data(), octets);
    left = left.subspan(octets);
    key = hash_(key ^ word);
  }
  return hash_(key ^ datagram.payload.size());
}

bool DuplicateFilter::is_new(std::uint32_t tunnel, Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) return true;
  const std::uint64_t key = key_of(*datagram);
  const auto [found, inserted] = entries_.try_emplace(key);
  Entry& entry = found->second;
  const auto place = std::find_if(entry.seen.begin(), std::prev(entry.seen.end()),
                                  [&](const Seen& seen) { return seen.count == 0 || seen.tunnel == tunnel; });
  place->tunnel = tunnel;
  if (place->count < std::numeric_limits<std::uint8_t>::max()) ++place->count;
  const bool is_new = place->count > entry.delivered;
  if (is_new) entry.delivered = place->count;
  if (inserted) {
    if (order_.size() < kDatagramsMax) {
      order_.push_back(key);
    } else {
      entries_.erase(order_[oldest_]);
      order_[oldest_] = key;
      oldest_ = (oldest_ + 1) % kDatagramsMax;
    }
  }
  return is_new;
}

}  // namespace amt
