#include "demo/frames.hh"

#include <algorithm>
#include <charconv>
#include <optional>

namespace amt {
namespace {

/// More than any file of the demo has; bounds the memory that a strange file can take.
constexpr std::size_t kStreamsMax = 16;

std::optional<std::size_t> stream_index(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc{} || end != text.data() + text.size() || index >= kStreamsMax) return std::nullopt;
  return index;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \r") - first + 1);
}

StreamFrames& stream_at(std::vector<StreamFrames>& streams, std::size_t index) {
  if (streams.size() <= index) streams.resize(index + 1);
  return streams[index];
}

/// `#media_type 0: video`
void take_media_type(std::string_view line, std::vector<StreamFrames>& streams) {
  constexpr std::string_view kKey = "#media_type ";
  const std::size_t colon = line.find(':');
  if (!line.starts_with(kKey) || colon == std::string_view::npos) return;
  const std::optional<std::size_t> index = stream_index(line.substr(kKey.size(), colon - kKey.size()));
  if (index) stream_at(streams, *index).media = trimmed(line.substr(colon + 1));
}

/// `0,        200,        200,        1,   345600, c4daffd4dea88869cfeb24053b0466ae`
void take_frame(std::string_view line, std::vector<StreamFrames>& streams) {
  const std::size_t first = line.find(',');
  const std::size_t last = line.rfind(',');
  if (first == std::string_view::npos) return;
  const std::optional<std::size_t> index = stream_index(trimmed(line.substr(0, first)));
  if (index) stream_at(streams, *index).hashes.emplace_back(trimmed(line.substr(last + 1)));
}

}  // namespace

std::vector<StreamFrames> parse_frame_hashes(std::string_view text) {
  std::vector<StreamFrames> streams;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) {
      take_media_type(line, streams);
    } else {
      take_frame(line, streams);
    }
  }
  return streams;
}

FrameComparison compare_frames(const StreamFrames& sent, const StreamFrames& received) {
  const std::vector<std::string>& a = sent.hashes;
  const std::vector<std::string>& b = received.hashes;
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t start = 0;
  while (start < shorter && a[start] == b[start]) ++start;
  std::size_t tail = 0;
  while (start + tail < shorter && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;

  // The longest common subsequence of the rest, row by row.
  const std::size_t width = b.size() - start - tail;
  std::vector<std::size_t> above(width + 1, 0);
  std::vector<std::size_t> row(width + 1, 0);
  for (std::size_t i = start; i + tail < a.size(); ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      row[k + 1] = a[i] == b[start + k] ? above[k] + 1 : std::max(above[k + 1], row[k]);
    }
    std::swap(above, row);
  }
  return {a.size(), b.size(), start + tail + above[width]};
}

}  // namespace amt
