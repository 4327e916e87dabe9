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
  return add_payload(hash_(key ^ place), datagram.payload);
}

std::uint64_t DuplicateFilter::add_payload(std::uint64_t key, Bytes payload) const {
  const std::size_t size = payload.size();
  while (!payload.empty()) {
    std::uint64_t word = 0;
    const std::size_t octets = std::min(payload.size(), sizeof word);
    std::memcpy(&word, payload.data(), octets);
    payload = payload.subspan(octets);
    key = hash_(key ^ word);
  }
  return hash_(key ^ size);
}

void DuplicateFilter::save(StateRecordWriter& out) const {
  out(hash_);
  out.count(order_.size());
  // The oldest first.
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::uint64_t key = order_[(oldest_ + i) % order_.size()];
    out(key, entries_.at(key));
  }
}

void DuplicateFilter::restore(StateRecordReader& in) {
  in(hash_);
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) {
    std::uint64_t key = 0;
    Entry entry;
    in(key, entry);
    if (order_.size() == kDatagramsMax || !entries_.emplace(key, entry).second) in.fail();
    order_.push_back(key);
  }
}

bool DuplicateFilter::is_new(Instant now, std::uint32_t way, Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  return !datagram || count(now, way, key_of(*datagram));
}

bool DuplicateFilter::is_new(Instant now, std::uint32_t way, const Endpoint& source, const Endpoint& destination,
                             Bytes payload) {
  return count(now, way, add_payload(hash_(source) ^ hash_(hash_(destination)), payload));
}

bool DuplicateFilter::count(Instant now, std::uint32_t way, std::uint64_t key) {
  const auto [found, inserted] = entries_.try_emplace(key);
  Entry& entry = found->second;
  if (inserted || now - entry.begun > kMemory) entry = {.begun = now};
  const auto place = std::find_if(entry.seen.begin(), std::prev(entry.seen.end()),
                                  [&](const Seen& seen) { return seen.count == 0 || seen.way == way; });
  place->way = way;
  // With this many copies the ways cannot be distinguished any more.
  const bool is_full = place->count == std::numeric_limits<std::uint16_t>::max();
  if (!is_full) ++place->count;
  const bool is_new = is_full || place->count > entry.delivered;
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
