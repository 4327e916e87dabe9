#include "media/stream_meter.hh"

namespace amt {
namespace {

constexpr std::size_t kRtpHeaderOctets = 12;
/// RFC 3550 A.1, MAX_DROPOUT: a larger step is a restarted sender, not a loss.
constexpr std::uint16_t kDropoutMax = 3000;

/// The octets after header, CSRC list and extension, less padding; nothing: this is no RTP packet (RFC 3550 §5.1).
std::optional<Bytes> rtp_payload(Bytes packet) {
  ByteReader reader(packet);
  if (!reader.has(kRtpHeaderOctets)) return std::nullopt;
  const std::uint8_t first = reader.u8();
  if (first >> 6 != 2) return std::nullopt;
  const std::uint8_t type = reader.u8() & 0x7f;
  if (type >= 72 && type <= 76) return std::nullopt;  // RTCP's packet types, RFC 3550 §12
  reader.skip(kRtpHeaderOctets - 2);
  const std::size_t csrc_octets = std::size_t{4} * (first & 0x0fU);
  if (!reader.has(csrc_octets)) return std::nullopt;
  reader.skip(csrc_octets);
  if ((first & 0x10) != 0) {
    if (!reader.has(4)) return std::nullopt;
    reader.skip(2);
    const std::size_t extension_octets = std::size_t{4} * reader.u16();
    if (!reader.has(extension_octets)) return std::nullopt;
    reader.skip(extension_octets);
  }
  Bytes payload = reader.rest();
  if ((first & 0x20) != 0) {
    const std::size_t padding = payload.empty() ? 0 : std::to_integer<std::size_t>(payload.back());
    if (padding == 0 || padding > payload.size()) return std::nullopt;
    payload = payload.first(payload.size() - padding);
  }
  return payload;
}

}  // namespace

void RtpMeter::restart(std::uint32_t source) {
  lost_before_ += tracker_.lost();
  tracker_ = SequenceTracker(16);
  source_ = source;
}

std::optional<Bytes> RtpMeter::add(Bytes packet) {
  const std::optional<Bytes> payload = rtp_payload(packet);
  if (!payload) return std::nullopt;
  ByteReader reader(packet);
  reader.skip(2);
  const std::uint16_t sequence = reader.u16();
  reader.skip(4);
  const std::uint32_t source = reader.u32();
  const auto step = static_cast<std::uint16_t>(sequence - highest_);
  const auto step_back = static_cast<std::uint16_t>(highest_ - sequence);
  const bool jumped = step > kDropoutMax && step_back > kDropoutMax;
  if (source_ != source || jumped) restart(source);
  if (tracker_.add(sequence) == SequenceTracker::Verdict::kInOrder) highest_ = sequence;
  ++packets_;
  return payload;
}

void StreamMeter::add(Bytes payload) {
  if (is_transport_stream(payload)) {
    kind_ = Kind::kTransportStream;
    return add_transport_stream(payload);
  }
  const std::optional<Bytes> inner = rtp_.add(payload);
  if (!inner) {
    kind_ = Kind::kUnknown;
  } else if (is_transport_stream(*inner)) {
    kind_ = Kind::kTransportStreamInRtp;
    add_transport_stream(*inner);
  } else {
    kind_ = Kind::kRtp;
  }
}

void StreamMeter::add_transport_stream(Bytes packets) {
  for (std::size_t at = 0; at < packets.size(); at += kTsPacketOctets) {
    transport_stream_.add(TsPacketView::parse(packets.subspan(at, kTsPacketOctets)));
  }
}

}  // namespace amt
