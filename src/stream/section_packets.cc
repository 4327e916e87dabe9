#include "stream/section_packets.hh"

namespace amt {

bool SectionPackets::add(Bytes packet, const TsPacketView& view) {
  if (view.transport_error || view.scrambled || !view.has_payload) return false;
  if (view.unit_start) {
    gathered_packets_.clear();
    gathered_.clear();
    // pointer_field: octets before the section, which are the end of the one before.
    ByteReader reader(view.payload);
    if (!reader.has(1)) return false;
    const std::uint8_t pointer = reader.u8();
    if (!reader.has(pointer)) return false;
    reader.skip(pointer);
    gathered_.assign(reader.rest().begin(), reader.rest().end());
  } else {
    const bool is_next = !gathered_packets_.empty() && view.continuity == ((continuity_ + 1) & 0x0f);
    if (!is_next || gathered_packets_.size() >= kPacketsMax * kTsPacketOctets) {
      gathered_packets_.clear();
      return false;
    }
    gathered_.insert(gathered_.end(), view.payload.begin(), view.payload.end());
  }
  continuity_ = view.continuity;
  gathered_packets_.insert(gathered_packets_.end(), packet.begin(), packet.end());
  if (!is_whole()) return false;
  packets_ = gathered_packets_;
  section_ = gathered_;
  gathered_packets_.clear();
  return true;
}

/// Cuts off the octets after the section.
bool SectionPackets::is_whole() {
  ByteReader reader(gathered_);
  constexpr std::size_t kStartOctets = 3;
  if (!reader.has(kStartOctets)) return false;
  reader.skip(1);
  const std::size_t octets = kStartOctets + (reader.u16() & 0x0fffU);
  if (octets > kSectionOctetsMax || gathered_.size() < octets) return false;
  gathered_.resize(octets);
  return true;
}

}  // namespace amt
