#include "stream/hls_segmenter.hh"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace amt {
namespace {

constexpr std::int64_t kPtsWrap = std::int64_t{1} << 33;
constexpr double kPtsPerSecond = 90'000;
/// The stream's own time and that of arrival differ by more: the stream has jumped.
constexpr double kJumpSeconds = 5;

double seconds_by_arrival(const StartPoint& from, const StartPoint& to) {
  return std::chrono::duration<double>(to.at - from.at).count();
}

/// By the stream's clock; nothing: it has none, or has jumped.
std::optional<double> seconds_by_stream(const StartPoint& from, const StartPoint& to) {
  if (!from.presentation_time || !to.presentation_time) return std::nullopt;
  const std::int64_t ticks = (*to.presentation_time - *from.presentation_time + kPtsWrap) % kPtsWrap;
  const double seconds = static_cast<double>(ticks) / kPtsPerSecond;
  if (std::abs(seconds - seconds_by_arrival(from, to)) > kJumpSeconds) return std::nullopt;
  return seconds;
}

std::string parameters(std::string_view query) { return query.empty() ? "" : "?" + std::string(query); }

}  // namespace

void HlsSegmenter::update(const LiveStream& stream) {
  for (const StartPoint& start : stream.starts()) {
    if (open_ && start.position <= open_->position) continue;
    // Video is cut at key frames alone, once there are some.
    if (open_ && open_->is_key_frame && !start.is_key_frame) continue;
    const double seconds_min = next_number_ < kShortSegments ? kShortSecondsMin : kSecondsMin;
    if (!open_) {
      open_ = start;
    } else if (seconds_by_stream(*open_, start).value_or(seconds_by_arrival(*open_, start)) >= seconds_min) {
      cut(stream, start);
      open_ = start;
    }
  }
}

void HlsSegmenter::cut(const LiveStream& stream, const StartPoint& end) {
  if (open_->position < stream.ring().begin()) {
    // Longer than the ring: it cannot be had any more.
    is_next_discontinuous_ = true;
    return;
  }
  const std::optional<double> seconds = seconds_by_stream(*open_, end);
  std::vector<std::byte> octets = *open_->tables;
  const auto length = static_cast<std::size_t>(end.position - open_->position);
  octets.reserve(octets.size() + length);
  for (const Bytes piece : stream.ring().read(open_->position, length)) {
    octets.insert(octets.end(), piece.begin(), piece.end());
  }
  segments_.push_back({.number = next_number_++,
                       .seconds = seconds.value_or(seconds_by_arrival(*open_, end)),
                       .octets = std::make_shared<const std::vector<std::byte>>(std::move(octets)),
                       .is_discontinuous = is_next_discontinuous_});
  // RFC 8216 §4.3.3.1: each segment's duration, rounded, is at most the target.
  target_seconds_ = std::max(target_seconds_, std::round(segments_.back().seconds));
  is_next_discontinuous_ = !seconds.has_value() && open_->presentation_time.has_value();
  if (segments_.size() > kListed && segments_[segments_.size() - kListed - 1].is_discontinuous) {
    ++discontinuities_gone_;
  }
  if (segments_.size() > kKept) segments_.pop_front();
}

const HlsSegment* HlsSegmenter::find(std::uint64_t number) const {
  for (const HlsSegment& one : segments_) {
    if (one.number == number) return &one;
  }
  return nullptr;
}

std::string HlsSegmenter::playlist(std::string_view query) const {
  const std::size_t first = segments_.size() - std::min(segments_.size(), kListed);
  std::string out = fmt::format(
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{:.0f}\n#EXT-X-MEDIA-SEQUENCE:{}\n#EXT-X-DISCONTINUITY-"
      "SEQUENCE:"
      "{}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
      target_seconds_, segments_.empty() ? 0 : segments_[first].number, discontinuities_gone_);
  for (std::size_t i = first; i < segments_.size(); ++i) {
    const HlsSegment& one = segments_[i];
    if (one.is_discontinuous) out += "#EXT-X-DISCONTINUITY\n";
    out += fmt::format("#EXTINF:{:.3f},\n{}.ts{}\n", one.seconds, one.number, parameters(query));
  }
  return out;
}

std::uint64_t HlsSegmenter::bits_per_second() const {
  double most = 0;
  for (const HlsSegment& one : segments_) {
    if (one.seconds > 0) most = std::max(most, static_cast<double>(one.octets->size()) * 8 / one.seconds);
  }
  return static_cast<std::uint64_t>(most);
}

std::size_t HlsSegmenter::octets() const {
  std::size_t sum = 0;
  for (const HlsSegment& one : segments_) sum += one.octets->size();
  return sum;
}

std::string hls_index(const std::string& codecs, std::uint64_t bits_per_second, std::string_view query) {
  return fmt::format(
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH={}{}\nlive.m3u8{}\n",
      std::max<std::uint64_t>(bits_per_second, 1), codecs.empty() ? "" : fmt::format(",CODECS=\"{}\"", codecs),
      parameters(query));
}

}  // namespace amt
