#pragma once
/// Measures a stream for the live line of `amt receive`.

#include <cstdint>

#include "media/sequence_tracker.hh"
#include "media/transport_stream.hh"

namespace amt {

/// RTP packets (RFC 3550) of one synchronization source at a time.
class RtpMeter {
 public:
  /// Takes one packet; its payload, or nothing when this is no RTP.
  std::optional<Bytes> add(Bytes packet);
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_before_ + tracker_.lost(); }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }

 private:
  void restart(std::uint32_t source);
  SequenceTracker tracker_{16};
  std::optional<std::uint32_t> source_;
  std::uint16_t highest_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t lost_before_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
};

/// Recognises MPEG-TS, RTP and MPEG-TS in RTP by the datagrams themselves and counts their losses.
class StreamMeter {
 public:
  enum class Kind : std::uint8_t { kUnknown, kRtp, kTransportStream, kTransportStreamInRtp };

  void add(Bytes payload);
  /// No data came for a while: losses in between cannot be counted by numbers that wrap soon.
  void note_pause() { transport_stream_.resynchronise(); }
  /// Of the last datagram.
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const RtpMeter& rtp() const { return rtp_; }
  [[nodiscard]] const TsMeter& transport_stream() const { return transport_stream_; }

 private:
  void add_transport_stream(Bytes packets);
  Kind kind_ = Kind::kUnknown;
  RtpMeter rtp_;
  TsMeter transport_stream_;
};

}  // namespace amt
