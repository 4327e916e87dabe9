#include "media/transport_stream.hh"

namespace amt {
namespace {

constexpr std::uint16_t kNullPid = 0x1fff;

}  // namespace

bool is_transport_stream(Bytes bytes) {
  if (bytes.empty() || bytes.size() % kTsPacketOctets != 0) return false;
  for (std::size_t at = 0; at < bytes.size(); at += kTsPacketOctets) {
    if (bytes[at] != kTsSync) return false;
  }
  return true;
}

TsPacketView TsPacketView::parse(Bytes packet) {
  AMT_ASSERT(packet.size() == kTsPacketOctets && packet[0] == kTsSync);
  ByteReader reader(packet);
  TsPacketView view;
  reader.skip(1);
  const std::uint16_t flags_and_pid = reader.u16();
  view.transport_error = (flags_and_pid & 0x8000) != 0;
  view.unit_start = (flags_and_pid & 0x4000) != 0;
  view.pid = flags_and_pid & 0x1fff;
  const std::uint8_t control = reader.u8();
  view.scrambled = (control & 0xc0) != 0;
  view.has_payload = (control & 0x10) != 0;
  view.continuity = control & 0x0f;
  const bool has_adaptation = (control & 0x20) != 0;
  if (!has_adaptation) {
    if (view.has_payload) view.payload = reader.rest();
    return view;
  }
  const std::uint8_t adaptation_octets = reader.u8();
  if (!reader.has(adaptation_octets)) return view;
  if (view.has_payload) view.payload = reader.rest().subspan(adaptation_octets);
  if (adaptation_octets == 0) return view;
  const std::uint8_t flags = reader.u8();
  view.discontinuity = (flags & 0x80) != 0;
  view.random_access = (flags & 0x40) != 0;
  constexpr std::uint8_t kFlagsAndPcrOctets = 7;
  if ((flags & 0x10) == 0 || adaptation_octets < kFlagsAndPcrOctets) return view;
  // 33 bits of base (90 kHz), 6 reserved, 9 of extension (27 MHz)
  const std::int64_t high = reader.u32();
  const std::uint16_t low = reader.u16();
  view.pcr = (high << 1 | low >> 15) * 300 + (low & 0x1ff);
  if (*view.pcr >= kPcrWrap) view.pcr.reset();
  return view;
}

TsMeter::TsMeter() = default;

void TsMeter::resynchronise() { pids_ = {}; }

void TsMeter::add(const TsPacketView& packet) {
  ++packets_;
  if (packet.transport_error) {
    ++errors_;
    return;
  }
  if (packet.pid == kNullPid) return;
  PidState& state = pids_[packet.pid];
  const std::uint8_t before = state.continuity;
  state.continuity = packet.continuity;
  if (before == kUnknown || packet.discontinuity) {
    state.was_duplicate = false;
    return;
  }
  if (!packet.has_payload) return;  // its counter repeats the last one
  // §2.4.3.3: a packet may be sent twice, not more often.
  if (packet.continuity == before && !state.was_duplicate) {
    state.was_duplicate = true;
    return;
  }
  state.was_duplicate = false;
  lost_ += (packet.continuity - before - 1U) & 0x0f;
}

}  // namespace amt
