#include "demo/program.hh"

#include <gtest/gtest.h>
#include <signal.h>

#include "demo/temporary_directory.hh"
#include "demo/waiting.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ProgramOptions shell(const TemporaryDirectory& directory, const std::string& script) {
  return {.name = "script", .arguments = {"sh", "-c", script}, .directory = directory.path()};
}

TEST(Program, GivesItsOutputAndSaysHowItFailed) {
  const SysResult<TemporaryDirectory> directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  EXPECT_EQ(run_program(shell(*directory, "echo out; echo log >&2"), seconds(10)).value(), "out\n");
  EXPECT_EQ(run_program(shell(*directory, "echo first >&2; echo why >&2; exit 3"), seconds(10)).error().message,
            "script ended with status 3: why");
  EXPECT_EQ(run_program(shell(*directory, "exit 3"), seconds(10)).error().message,
            "script ended with status 3: it said nothing");
  EXPECT_EQ(run_program(shell(*directory, "sleep 100"), milliseconds(50)).error().message,
            "waited 1 s in vain for script to end");
}

TEST(Program, IsReadyWhenTheWordStandsAlone) {
  const SysResult<TemporaryDirectory> directory = TemporaryDirectory::create();
  ASSERT_TRUE(directory);
  for (const auto& [line, expected] : {std::pair{"already here, not unready", false},
                                       {"relay: ready on 192.0.2.1", true},
                                       {"already, but now ready", true}}) {
    DemoResult<Program> program = Program::start(shell(*directory, std::string("echo '") + line + "' >&2"));
    ASSERT_TRUE(program);
    ASSERT_TRUE(wait_for("its end", seconds(10), [&] { return program->exit_status().has_value(); }));
    EXPECT_EQ(program->logged("ready"), expected) << line;
  }
}

TEST(TemporaryDirectory, IsGoneWithItsContents) {
  std::filesystem::path path;
  {
    SysResult<TemporaryDirectory> directory = TemporaryDirectory::create();
    ASSERT_TRUE(directory);
    path = directory->path();
    ASSERT_TRUE(std::filesystem::create_directories(path / "a" / "b"));
    const TemporaryDirectory moved = std::move(*directory);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Waiting, EndsAtASignal) {
  const StopSignals signals;
  EXPECT_FALSE(stop_requested());
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_TRUE(stop_requested());
  EXPECT_EQ(wait_for("nothing", seconds(10), [] { return false; }).error().message, "stopped");
}

}  // namespace
}  // namespace amt
