#include "media/rtp_repair.hh"

#include <algorithm>

#include "media/rtp_packet.hh"
#include "media/transport_stream.hh"

namespace amt {
namespace {

constexpr std::size_t kRtpHeaderOctets = 12;
constexpr std::size_t kRepairHeaderOctets = 16;
constexpr std::uint8_t kVersion = 0x80;
constexpr std::uint8_t kVersionMask = 0xc0;
/// P, X and CC of the first octet.
constexpr std::uint8_t kFlagsMask = 0x3f;
/// Type 0 of the repair header: exclusive or.
constexpr std::uint8_t kTypeMask = 0x38;
constexpr std::uint8_t kMpegTransportStream = 33;

/// Is `a` behind `b` in numbers that wrap?
bool is_later(std::uint16_t a, std::uint16_t b) {
  constexpr std::uint16_t kHalf = 0x8000;
  return a != b && static_cast<std::uint16_t>(a - b) < kHalf;
}

void combine(std::vector<std::byte>& sum, Bytes octets) {
  if (sum.size() < octets.size()) sum.resize(octets.size());
  for (std::size_t i = 0; i < octets.size(); ++i) sum[i] ^= octets[i];
}

}  // namespace

std::optional<RepairPacketView> RepairPacketView::parse(Bytes datagram) {
  ByteReader reader(datagram);
  if (!reader.has(kRtpHeaderOctets + kRepairHeaderOctets)) return std::nullopt;
  const std::uint8_t rtp = reader.u8();
  if ((rtp & kVersionMask) != kVersion) return std::nullopt;
  reader.skip(kRtpHeaderOctets - 1);
  // The media of another channel may have that port.
  if (is_transport_stream(reader.rest())) return std::nullopt;
  RepairPacketView view;
  // RFC 2733 §3.2: P, X and CC are the exclusive or of the media's, and say nothing of this packet.
  view.flags = rtp & kFlagsMask;
  view.first = reader.u16();
  view.length = reader.u16();
  reader.skip(4 + 4);
  const std::uint8_t type = reader.u8();
  view.offset = reader.u8();
  view.count = reader.u8();
  reader.skip(1);
  view.payload = reader.rest();
  const bool is_usable = (type & kTypeMask) == 0 && view.span() != 0 && view.span() <= RtpRepair::kMatrixMax;
  return is_usable ? std::optional(view) : std::nullopt;
}

bool RtpRepair::has(std::uint16_t sequence) {
  const Media& one = slot(sequence);
  return one.is_there && one.sequence == sequence;
}

/// From before the first packet that was seen, too: it is unknown whether it was lost.
bool RtpRepair::is_forgotten(std::uint16_t sequence) const {
  return !is_later(sequence, newest_) && static_cast<std::uint16_t>(newest_ - sequence) > known_;
}

void RtpRepair::restart(std::uint16_t sequence, std::uint32_t source) {
  for (Media& one : media_) one.is_there = false;
  repairs_.clear();
  source_ = source;
  newest_ = sequence;
  known_ = 0;
}

void RtpRepair::add_media(Bytes datagram) {
  const std::optional<RtpPacketView> packet = RtpPacketView::parse(datagram);
  if (!packet) return;
  const std::uint16_t sequence = packet->sequence;
  if (source_ != packet->source || is_rtp_jump(sequence, newest_)) restart(sequence, packet->source);
  if (is_later(sequence, newest_)) {
    const unsigned step = static_cast<std::uint16_t>(sequence - newest_);
    known_ = static_cast<std::uint16_t>(std::min<unsigned>(known_ + step, kAgeMax));
    newest_ = sequence;
  } else if (is_forgotten(sequence)) {
    return;
  }
  Media& one = slot(sequence);
  one.sequence = sequence;
  one.is_there = true;
  one.flags = std::to_integer<std::uint8_t>(datagram[0]) & kFlagsMask;
  const Bytes octets = datagram.subspan(kRtpHeaderOctets);
  one.octets.assign(octets.begin(), octets.end());
}

void RtpRepair::add_repair(Bytes datagram) {
  const std::optional<RepairPacketView> view = RepairPacketView::parse(datagram);
  if (!view) return;
  matrix_ = std::max(matrix_, view->span());
  if (!source_) return;
  if (repairs_.size() == kRepairMax) repairs_.pop_front();
  Repair& kept = repairs_.emplace_back(Repair{*view, {view->payload.begin(), view->payload.end()}});
  kept.view.payload = {};
  use_all();
}

/// Each packet that is made may be the one that another repair packet lacked.
void RtpRepair::use_all() {
  std::size_t made_before = 0;
  do {
    made_before = made_.size();
    std::erase_if(repairs_, [this](const Repair& one) { return use(one); });
  } while (made_.size() != made_before);
}

/// True: nothing more is to be had from it.
bool RtpRepair::use(const Repair& repair) {
  std::optional<std::uint16_t> missing;
  for (unsigned i = 0; i < repair.view.count; ++i) {
    const auto sequence = static_cast<std::uint16_t>(repair.view.first + i * repair.view.offset);
    if (is_forgotten(sequence)) return true;
    if (has(sequence)) continue;
    // Of two that are missing another repair packet may make one. One that is still to come is not lost.
    if (missing || is_later(sequence, newest_)) return false;
    missing = sequence;
  }
  if (missing) make(repair, *missing);
  return true;
}

void RtpRepair::make(const Repair& repair, std::uint16_t missing) {
  std::vector<std::byte> octets = repair.octets;
  std::uint16_t length = repair.view.length;
  std::uint8_t flags = repair.view.flags;
  for (unsigned i = 0; i < repair.view.count; ++i) {
    const auto sequence = static_cast<std::uint16_t>(repair.view.first + i * repair.view.offset);
    if (sequence == missing) continue;
    const Media& other = slot(sequence);
    combine(octets, other.octets);
    length = static_cast<std::uint16_t>(length ^ other.octets.size());
    flags ^= other.flags;
  }
  // No packet of this stream was like that: it is repair of something else.
  if (length > octets.size()) return;
  octets.resize(length);
  std::vector<std::byte>& made = made_.emplace_back(kRtpHeaderOctets);
  ByteWriter writer(made);
  writer.u8(kVersion | flags);
  writer.u8(kMpegTransportStream);
  writer.u16(missing);
  writer.u32(0);
  writer.u32(*source_);
  made.insert(made.end(), octets.begin(), octets.end());
  slot(missing) = {.sequence = missing, .is_there = true, .flags = flags, .octets = std::move(octets)};
  ++made_count_;
}

std::span<const std::vector<std::byte>> RtpRepair::take_made() {
  taken_ = std::move(made_);
  made_.clear();
  return taken_;
}

}  // namespace amt
