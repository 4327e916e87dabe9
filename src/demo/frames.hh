#pragma once
/// Decoded pictures and sound, compared frame by frame.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace amt {

/// Decoded frames of one stream of a file, in order, each as the MD5 of its pixels or samples.
struct StreamFrames {
  std::string media;  ///< "video", "audio"
  std::vector<std::string> hashes;
};

/// Reads the output of ffmpeg's `framemd5` muxer. By stream index; lines of another form are skipped.
[[nodiscard]] std::vector<StreamFrames> parse_frame_hashes(std::string_view text);

struct FrameComparison {
  std::size_t sent = 0;
  std::size_t received = 0;
  /// Frames that are the same in both, in the same order.
  std::size_t equal = 0;

  [[nodiscard]] std::size_t missing() const { return sent - equal; }
  /// Received frames that were not sent like this.
  [[nodiscard]] std::size_t altered() const { return received - equal; }
  [[nodiscard]] bool all_equal() const { return sent > 0 && missing() == 0 && altered() == 0; }
};

/// Aligns both lists so that as many frames as possible are equal; times are not looked at, because a player starts
/// them at zero. Quadratic in the frames between the common start and the common end.
[[nodiscard]] FrameComparison compare_frames(const StreamFrames& sent, const StreamFrames& received);

}  // namespace amt
