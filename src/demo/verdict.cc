#include "demo/verdict.hh"

#include <algorithm>
#include <system_error>

#include "demo/program.hh"
#include "demo/video.hh"
#include "demo/waiting.hh"

namespace amt {
namespace {

constexpr Duration kDecodePatience = std::chrono::seconds(30);

DemoResult<std::vector<StreamFrames>> frames_of(const std::filesystem::path& file,
                                                const std::filesystem::path& directory) {
  const std::string name = "frames-" + file.stem().string();
  const DemoResult<std::string> list =
      run_program({.name = name, .arguments = list_frames(file), .directory = directory}, kDecodePatience);
  if (!list) return tl::unexpected(list.error());
  return parse_frame_hashes(*list);
}

StreamFrames stream_of(const std::vector<StreamFrames>& streams, std::string_view media) {
  const auto found = std::ranges::find(streams, media, &StreamFrames::media);
  return found == streams.end() ? StreamFrames{} : *found;
}

}  // namespace

DemoResult<void> compare_receptions(const std::filesystem::path& sent, const std::filesystem::path& directory,
                                    DemoOutcome& outcome) {
  const DemoResult<std::vector<StreamFrames>> original = frames_of(sent, directory);
  if (!original) return tl::unexpected(original.error());
  for (FamilyOutcome& family : outcome.families) {
    for (ReceptionOutcome& reception : family.receptions) {
      const std::vector<StreamFrames> received =
          frames_of(reception.file, directory).value_or(std::vector<StreamFrames>{});
      if (stop_requested()) return demo_failure("stopped");
      reception.video = compare_frames(stream_of(*original, "video"), stream_of(received, "video"));
      reception.audio = compare_frames(stream_of(*original, "audio"), stream_of(received, "audio"));
    }
  }
  return {};
}

DemoResult<void> save_pictures(const std::filesystem::path& pictures, const std::filesystem::path& directory,
                               DemoOutcome& outcome) {
  std::error_code error;
  std::filesystem::create_directories(pictures, error);
  if (error) return demo_failure(SysError{"create directory", pictures.string(), error.value()});
  for (FamilyOutcome& family : outcome.families) {
    const std::filesystem::path picture = pictures / ("received-" + family.plan.file_name + ".png");
    const DemoResult<std::string> saved =
        run_program({.name = "picture-" + family.plan.file_name,
                     .arguments = save_picture(family.receptions.front().file, picture),
                     .directory = directory},
                    kDecodePatience);
    if (!saved) return tl::unexpected(saved.error());
    family.picture = picture;
  }
  return {};
}

}  // namespace amt
