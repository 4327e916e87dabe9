#include "stream/ts_aligner.hh"

#include <algorithm>

namespace amt {

void TsAligner::add(Bytes payload) {
  if (is_transport_stream(payload)) {
    // A new datagram with whole packets: the waiting octets have lost their end.
    discarded_octets_ += waiting_.size();
    waiting_.clear();
    is_in_sync_ = true;
    return on_packets_(payload);
  }
  waiting_.insert(waiting_.end(), payload.begin(), payload.end());
  std::size_t at = 0;
  while (at < waiting_.size()) {
    if (const std::size_t packets = whole_packets_at(at); packets != 0 && (is_in_sync_ || starts_at(at))) {
      is_in_sync_ = true;
      on_packets_(Bytes(waiting_).subspan(at, packets * kTsPacketOctets));
      at += packets * kTsPacketOctets;
      continue;
    }
    const bool may_become_whole = waiting_[at] == kTsSync && waiting_.size() - at < kWaitingOctetsMax;
    if (may_become_whole && (waiting_.size() - at < kTsPacketOctets || may_start_at(at))) break;
    is_in_sync_ = false;
    ++at;
    ++discarded_octets_;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Packets one behind the other from there.
std::size_t TsAligner::whole_packets_at(std::size_t offset) const {
  std::size_t packets = 0;
  while (offset + (packets + 1) * kTsPacketOctets <= waiting_.size() &&
         waiting_[offset + packets * kTsPacketOctets] == kTsSync) {
    ++packets;
  }
  return packets;
}

bool TsAligner::starts_at(std::size_t offset) const {
  return waiting_.size() - offset > (kSyncsWanted - 1) * kTsPacketOctets && may_start_at(offset);
}

/// Every place where a packet would begin, as far as there are octets, has its sync octet.
bool TsAligner::may_start_at(std::size_t offset) const {
  std::size_t syncs = 0;
  for (std::size_t at = offset; at < waiting_.size() && syncs < kSyncsWanted; at += kTsPacketOctets) {
    if (waiting_[at] != kTsSync) return false;
    ++syncs;
  }
  return true;
}

}  // namespace amt
