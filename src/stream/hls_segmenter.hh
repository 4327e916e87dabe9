#pragma once
/// A live window of HLS segments (RFC 8216) that are cut out of a stream at its start points.

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "stream/live_stream.hh"

namespace amt {

struct HlsSegment {
  std::uint64_t number = 0;
  double seconds = 0;
  /// PAT and PMT, then the stream from one start point to another.
  std::shared_ptr<const std::vector<std::byte>> octets{};
  bool is_discontinuous = false;  ///< something is missing before it, or its time does not follow
};

/// Pure. Copies each octet once more, while there is a viewer by HLS.
class HlsSegmenter {
 public:
  /// A segment ends at the first start point after this long: 2 s, less the variation of key frames.
  static constexpr double kSecondsMin = 1.9;
  /// The first few are half as long: players wait for some segments before they begin.
  static constexpr std::uint64_t kShortSegments = 3;
  static constexpr double kShortSecondsMin = 0.9;
  /// Segments in the playlist, and those that a player may still be reading.
  static constexpr std::size_t kListed = 6;
  static constexpr std::size_t kKept = 9;

  /// Takes the data since the last call; to be called after each batch, at least once in the time that the ring holds.
  void update(const LiveStream& stream);

  [[nodiscard]] bool is_empty() const { return segments_.empty(); }
  /// Null: too old, or not there yet.
  [[nodiscard]] const HlsSegment* find(std::uint64_t number) const;
  /// The media playlist: its segments are called `NUMBER.ts`, with `?query` behind it if that is not empty.
  [[nodiscard]] std::string playlist(std::string_view query) const;
  /// Of the largest segment.
  [[nodiscard]] std::uint64_t bits_per_second() const;
  [[nodiscard]] std::size_t octets() const;

 private:
  void cut(const LiveStream& stream, const StartPoint& end);

  std::deque<HlsSegment> segments_;
  std::optional<StartPoint> open_;
  std::uint64_t next_number_ = 0;
  std::uint64_t discontinuities_gone_ = 0;  ///< of segments that are no longer listed
  bool is_next_discontinuous_ = false;
  double target_seconds_ = 2;
};

/// The multivariant playlist of one stream, whose media playlist is `live.m3u8`. `codecs`: empty: unknown.
[[nodiscard]] std::string hls_index(const std::string& codecs, std::uint64_t bits_per_second, std::string_view query);

}  // namespace amt
