#include "demo/demo.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "demo/preconditions.hh"
#include "demo/report.hh"
#include "demo/stage.hh"
#include "demo/temporary_directory.hh"
#include "demo/verdict.hh"
#include "demo/video.hh"
#include "demo/waiting.hh"

namespace amt {
namespace {

namespace fs = std::filesystem;

void say(std::string_view text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

/// All acts, each announced.
DemoResult<void> play(Stage& stage) {
  struct Act {
    const char* announcement;
    DemoResult<void> (Stage::*run)();
  };
  const std::string streaming = fmt::format("streaming it by multicast for {} s, IPv4 and IPv6 ...\n", kVideoSeconds);
  const Act acts[] = {
      {"making a video: H.264 picture with a clock, AAC sound, in MPEG-TS ...\n", &Stage::make_video},
      {"starting the relay and the gateways ...\n", &Stage::start_tunnels},
      {"joining ...\n", &Stage::join},
      {streaming.c_str(), &Stage::stream},
      {"leaving ...\n", &Stage::leave},
  };
  for (const Act& act : acts) {
    say(act.announcement);
    if (DemoResult<void> done = (stage.*act.run)(); !done) return done;
  }
  return {};
}

/// Streams and logs, for a closer look.
DemoResult<void> keep_files(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path extension = entry->path().extension();
    const bool wanted = extension == ".ts" || extension == ".log" || extension == ".out";
    if (!wanted || entry->file_size(error) == 0) continue;
    fs::copy_file(entry->path(), to / entry->path().filename(), fs::copy_options::overwrite_existing, error);
  }
  if (error) return demo_failure(SysError{"write into", to.string(), error.value()});
  return {};
}

DemoResult<DemoOutcome> play_and_compare(const fs::path& directory, bool interfaces, const fs::path& pictures) {
  SysResult<Self> self = Self::find();
  if (!self) return demo_failure(self.error());
  DemoResult<std::unique_ptr<Stage>> stage = Stage::set_up({directory, interfaces}, std::move(*self));
  if (!stage) return tl::unexpected(stage.error());
  if (DemoResult<void> played = play(**stage); !played) return tl::unexpected(played.error());
  say("comparing decoded frames ...\n");
  DemoOutcome outcome = (*stage)->outcome();
  if (DemoResult<void> done = compare_receptions((*stage)->sent_file(), directory, outcome); !done) {
    return tl::unexpected(done.error());
  }
  if (DemoResult<void> done = save_pictures(pictures, directory, outcome); !done) {
    // Without a picture there is still the comparison.
    say(done.error().message + '\n');
  }
  return outcome;
}

DemoResult<bool> run(const DemoOptions& options) {
  DemoResult<Preconditions> conditions = check_preconditions();
  if (!conditions) return tl::unexpected(conditions.error());
  SysResult<TemporaryDirectory> directory = TemporaryDirectory::create();
  if (!directory) return demo_failure(directory.error());

  const fs::path pictures = options.output_directory.value_or(kDemoDirectory);
  if (options.output_directory) {
    std::error_code error;
    fs::create_directories(pictures, error);
    if (error) return demo_failure("--output: " + SysError{"create", pictures.string(), error.value()}.to_string());
  }

  say(describe_network());
  if (conditions->no_interface) say(fmt::format("only the receiver today: {}\n", *conditions->no_interface));
  const DemoResult<DemoOutcome> outcome = play_and_compare(directory->path(), !conditions->no_interface, pictures);
  if (options.output_directory) {
    if (DemoResult<void> kept = keep_files(directory->path(), pictures); !kept) return tl::unexpected(kept.error());
  }
  if (!outcome) return tl::unexpected(outcome.error());
  for (const FamilyOutcome& family : outcome->families) say(describe(family));
  say(describe_end(*outcome));
  if (outcome->perfect_receptions() != outcome->receptions()) return false;
  if (conditions->no_interface)
    return demo_failure("no interface, so half of it was not shown: " + *conditions->no_interface);
  return true;
}

}  // namespace

int run_demo_show(const DemoOptions& options) {
  const StopSignals signals;
  const DemoResult<bool> perfect = run(options);
  if (perfect) return *perfect ? 0 : 1;
  fmt::print(stderr, "amt demo: {}\n", perfect.error().message);
  return stop_requested() ? 0 : 1;
}

}  // namespace amt
