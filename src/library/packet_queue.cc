#include "library/packet_queue.hh"

namespace amt {

bool PacketQueue::push(Instant arrival, const Payload& payload) {
  if (read_ == entries_.size()) clear();
  if (octets_.size() + payload.octets.size() > octets_max_) return false;
  entries_.push_back({octets_.size(), payload.octets.size(), payload.source, payload.destination, arrival});
  octets_.insert(octets_.end(), payload.octets.begin(), payload.octets.end());
  return true;
}

std::optional<PacketQueue::Packet> PacketQueue::pop() {
  if (read_ == entries_.size()) return std::nullopt;
  const Entry& entry = entries_[read_++];
  return Packet{Bytes(octets_).subspan(entry.at, entry.octets), entry.source, entry.destination, entry.arrival};
}

void PacketQueue::clear() {
  octets_.clear();
  entries_.clear();
  read_ = 0;
}

}  // namespace amt
