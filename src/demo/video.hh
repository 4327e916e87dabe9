#pragma once
/// The command lines that make, stream, record and look into the video. ffmpeg does the work.

#include <filesystem>
#include <string>
#include <vector>

#include "demo/plan.hh"

namespace amt {

using CommandLine = std::vector<std::string>;
using Path = std::filesystem::path;

inline constexpr int kVideoSeconds = 8;

/// A moving test picture with a clock and a counter in it, and a tone that beeps every second: H.264 and AAC in
/// MPEG-TS, about 2 Mbit/s.
[[nodiscard]] CommandLine make_video(const Path& file);
/// In real time, as source-specific multicast.
[[nodiscard]] CommandLine stream_video(const Path& file, const FamilyPlan& plan);
/// Joins the channel as any player does and stores the stream, without decoding. Ends by itself, with status 0, when no
/// data has come for `kRecorderPatienceSeconds`; before the first packet that is a failure.
[[nodiscard]] CommandLine record_channel(const FamilyPlan& plan, const Path& file);
inline constexpr int kRecorderPatienceSeconds = 5;
/// Decodes everything; the list for `parse_frame_hashes` on standard output.
[[nodiscard]] CommandLine list_frames(const Path& file);
/// One picture from the middle.
[[nodiscard]] CommandLine save_picture(const Path& file, const Path& picture);

}  // namespace amt
