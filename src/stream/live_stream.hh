#pragma once
/// A transport stream as it comes, and the points at which a late viewer may begin.

#include <deque>
#include <memory>
#include <string>

#include "amt/time.hh"
#include "stream/pes.hh"
#include "stream/stream_ring.hh"
#include "stream/ts_aligner.hh"

namespace amt {

/// A position at which a player has a picture at once.
struct StartPoint {
  std::uint64_t position = 0;  ///< in the ring
  Instant at;                  ///< when it came
  /// The packets of PAT and PMTs that hold there: they go out first. Empty: the stream has none.
  std::shared_ptr<const std::vector<std::byte>> tables{};
  std::optional<std::int64_t> presentation_time{};  ///< ticks of 90 kHz
  bool is_key_frame = false;
};

/// Takes UDP payloads without RTP headers. Pure; one channel, one thread. Costs a copy and a look at each packet's
/// header; tables and the starts of pictures cost more.
class LiveStream {
 public:
  /// Where no key frame is recognised for this long (radio, scrambled video, unknown codecs) streams start at any unit
  /// of the leading stream.
  static constexpr Duration kKeyFrameWait = std::chrono::seconds(3);
  /// Such other starts are so far apart.
  static constexpr Duration kOtherStartInterval = std::chrono::milliseconds(500);
  static constexpr std::size_t kStartPointsMax = 256;
  /// Players show nothing before they have half a second of stream or more. A viewer that joins gets that at once.
  static constexpr Duration kHeadStart = std::chrono::milliseconds(500);
  /// No older start is taken for the sake of the head start.
  static constexpr Duration kHeadStartMax = std::chrono::seconds(3);

  explicit LiveStream(std::size_t ring_octets);

  void add(Instant now, Bytes payload);
  /// Losses in between cannot be counted by numbers that wrap soon.
  void resynchronise() { meter_.resynchronise(); }

  [[nodiscard]] const StreamRing& ring() const { return ring_; }
  /// The newest that is still in the ring; null: none.
  [[nodiscard]] const StartPoint* latest_start() const;
  /// Where a viewer that joins now begins: at the newest that is `kHeadStart` old. Where there is none between that and
  /// `kHeadStartMax`: at the oldest of those that are newer, or else at the newest. Null: there is none.
  [[nodiscard]] const StartPoint* start_of_newcomer(Instant now) const;
  /// All that are still in the ring, oldest first.
  [[nodiscard]] const std::deque<StartPoint>& starts() const { return starts_; }
  [[nodiscard]] const ProgramMap& programs() const { return programs_; }
  [[nodiscard]] const TsMeter& meter() const { return meter_; }
  [[nodiscard]] std::uint64_t discarded_octets() const { return aligner_.discarded_octets(); }
  /// The codecs of the first video and the first audio as browsers call them, with a comma between; empty: not known,
  /// or one of them has no such name.
  [[nodiscard]] std::string codecs() const;
  /// Video of the leading stream is scrambled: no player without the key can show it.
  [[nodiscard]] bool is_scrambled() const { return is_scrambled_; }

 private:
  void add_packets(Bytes packets);
  void add_packet(Bytes packet);
  void handle_unit(const TsPacketView& view);
  void look_for_start(const TsPacketView& view, const ElementaryStream* leading, const std::optional<PesStart>& pes);
  void add_start(bool is_key_frame, std::optional<std::int64_t> presentation_time);
  void forget_old_starts();

  StreamRing ring_;
  ProgramMap programs_;
  TsMeter meter_;
  TsAligner aligner_;
  Instant now_{};
  std::deque<StartPoint> starts_;
  Instant waiting_since_ = kNoDeadline;  ///< for a key frame
  bool is_scrambled_ = false;
  std::string video_codec_;
  std::string audio_codec_;
};

}  // namespace amt
