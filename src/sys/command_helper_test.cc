#include "sys/command_helper.hh"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace amt {
namespace {

constexpr Duration kPatience = std::chrono::seconds(20);

/// A script of the test's own.
class Script {
 public:
  explicit Script(const std::string& body) : path_(testing::TempDir() + "amt-hook-" + std::to_string(::getpid())) {
    std::ofstream(path_) << "#!/bin/sh\n" << body;
    ::chmod(path_.c_str(), 0700);
  }
  ~Script() { ::unlink(path_.c_str()); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(CommandHelper, RunsItsCommandWithTheWordsThatWereNamed) {
  const Script script("[ \"$1\" = second ] && exit 7\nexit 0\n");
  SysResult<CommandHelper> helper = CommandHelper::start(script.path(), {"first", "second"});
  ASSERT_TRUE(helper);
  ASSERT_TRUE(helper->run(1));
  EXPECT_EQ(helper->wait(kPatience)->code, 7);
  // A number that means nothing is nothing.
  ASSERT_TRUE(helper->run(99));
  ASSERT_TRUE(helper->run(0));
  EXPECT_EQ(helper->wait(kPatience)->code, 0);
}

TEST(CommandHelper, SaysWhyTheCommandCannotBeRun) {
  SysResult<CommandHelper> helper = CommandHelper::start("/not/there", {"word"});
  ASSERT_TRUE(helper);
  ASSERT_TRUE(helper->run(0));
  EXPECT_EQ(helper->wait(kPatience)->failed_to_run, ENOENT);
}

TEST(CommandHelper, KillsOnRequest) {
  const Script script("exec sleep 1000\n");
  SysResult<CommandHelper> helper = CommandHelper::start(script.path(), {"word"});
  ASSERT_TRUE(helper);
  ASSERT_TRUE(helper->run(0));
  EXPECT_FALSE(helper->wait(std::chrono::milliseconds(50)));
  helper->kill();
  EXPECT_EQ(helper->wait(kPatience)->code, 128 + SIGKILL);
}

/// An owner that has run the first word, and then ends as `end` does.
void live_as_owner(const std::string& command, const std::function<void(std::optional<CommandHelper>&)>& end) {
  SysResult<Process> owner = Process::fork([&] {
    SysResult<CommandHelper> started = CommandHelper::start(command, {"first", "farewell"}, 1);
    std::optional<CommandHelper> helper(std::move(*started));
    if (!helper->run(0) || !helper->wait(kPatience)) return 1;
    end(helper);
    return 0;
  });
  ASSERT_TRUE(owner);
  ASSERT_TRUE(owner->wait(kPatience));
}

std::string first_line(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

TEST(CommandHelper, SaysTheFarewellOfAnOwnerThatIsKilled) {
  const std::string said = testing::TempDir() + "amt-farewell-" + std::to_string(::getpid());
  const Script script("[ $1 = farewell ] && echo $1 >" + said + "\nexit 0\n");
  live_as_owner(script.path(), [](auto&) { ::raise(SIGKILL); });
  for (int i = 0; i < 2000 && first_line(said).empty(); ++i) ::usleep(10'000);
  EXPECT_EQ(first_line(said), "farewell");
  ::unlink(said.c_str());
}

TEST(CommandHelper, SaysNoFarewellWhenItIsDestroyed) {
  const std::string said = testing::TempDir() + "amt-farewell-" + std::to_string(::getpid());
  const Script script("[ $1 = farewell ] && echo $1 >" + said + "\nexit 0\n");
  live_as_owner(script.path(), [](auto& helper) { helper.reset(); });
  // The helper was waited for: nobody is left to say anything.
  EXPECT_EQ(first_line(said), "");
}

TEST(CommandHelper, OutlivesWhatEndsItsOwner) {
  const Script script("exit 3\n");
  SysResult<CommandHelper> helper = CommandHelper::start(script.path(), {"word"});
  ASSERT_TRUE(helper);
  // It has answered once, so it has blocked the signals.
  ASSERT_TRUE(helper->run(0));
  ASSERT_TRUE(helper->wait(kPatience));
  helper->signal(SIGTERM);
  ASSERT_TRUE(helper->run(0));
  EXPECT_EQ(helper->wait(kPatience)->code, 3);
}

}  // namespace
}  // namespace amt
