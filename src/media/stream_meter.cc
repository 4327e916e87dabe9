#include "media/stream_meter.hh"

#include "media/rtp_packet.hh"

namespace amt {
void RtpMeter::restart(std::uint32_t source) {
  lost_before_ += tracker_.lost();
  tracker_ = SequenceTracker(16);
  source_ = source;
}

std::optional<Bytes> RtpMeter::add(Bytes packet) {
  const std::optional<RtpPacketView> rtp = RtpPacketView::parse(packet);
  if (!rtp) return std::nullopt;
  if (source_ != rtp->source || is_rtp_jump(rtp->sequence, highest_)) restart(rtp->source);
  switch (tracker_.add(rtp->sequence)) {
    case SequenceTracker::Verdict::kInOrder:
      highest_ = rtp->sequence;
      break;
    case SequenceTracker::Verdict::kReordered:
    case SequenceTracker::Verdict::kTooOld:
      ++reordered_;
      break;
    case SequenceTracker::Verdict::kDuplicate:
      ++duplicated_;
      break;
  }
  ++packets_;
  return rtp->payload;
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
