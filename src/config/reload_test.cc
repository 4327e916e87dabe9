#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "config/command_line.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() {
    std::array<char, 32> name{"/tmp/amt-reload-XXXXXX"};
    folder_ = ::mkdtemp(name.data());
  }
  ~ReloadTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(file()) << text; }
  [[nodiscard]] std::string file() const { return folder_ + "/relay.toml"; }

  /// Reads the file for the first time.
  void start(std::vector<std::string> flags = {}) {
    arguments_ = {"relay", "--config", file()};
    for (std::string& flag : flags) arguments_.push_back(std::move(flag));
    auto first = parse_command_line(arguments_);
    ASSERT_TRUE(first.has_value()) << first.error().standard_error;
    running_ = std::move(*first);
  }
  Result<Reload, std::string> reload() { return reload_command_line(arguments_, running_); }
  static const RelayConfig& relay_of(const Invocation& invocation) { return std::get<RelayConfig>(invocation.command); }

  Invocation running_;

 private:
  std::string folder_;
  std::vector<std::string> arguments_;
};

TEST_F(ReloadTest, FindsNothingWhereNothingChanged) {
  write("max-tunnels = 5\nupstream = [\"eth0\"]\n");
  start();
  const auto fresh = reload();
  ASSERT_TRUE(fresh.has_value());
  EXPECT_THAT(fresh->changed, IsEmpty());
  EXPECT_THAT(fresh->restart, IsEmpty());
  EXPECT_EQ(relay_of(fresh->invocation).tunnels_max, 5U);
}

TEST_F(ReloadTest, TakesWhatCanChangeAndNamesTheRest) {
  write("max-tunnels = 5\nupstream = [\"eth0\"]\nworkers = 2\nrelay_port = 3000\n");
  start();
  write("max-tunnels = 6\nupstream = [\"eth0\", \"eth1\"]\nworkers = 3\nlog-level = \"debug\"\nrelay-port = 3000\n");
  const auto fresh = reload();
  ASSERT_TRUE(fresh.has_value()) << fresh.error();
  EXPECT_THAT(fresh->changed, ElementsAre("upstream", "max-tunnels", "log-level"));
  EXPECT_THAT(fresh->restart, ElementsAre("workers"));
  const RelayConfig& relay = relay_of(fresh->invocation);
  EXPECT_EQ(relay.tunnels_max, 6U);
  EXPECT_THAT(relay.upstream, ElementsAre("eth0", "eth1"));
  EXPECT_EQ(relay.workers, 2U);
  EXPECT_EQ(fresh->invocation.common.log_level, LogLevel::kDebug);
}

// An option that left the file has its default again.
TEST_F(ReloadTest, GoesBackToTheDefault) {
  write("max-tunnels = 5\n");
  start();
  write("");
  const auto fresh = reload();
  ASSERT_TRUE(fresh.has_value());
  EXPECT_THAT(fresh->changed, ElementsAre("max-tunnels"));
  EXPECT_EQ(relay_of(fresh->invocation).tunnels_max, RelayConfig{}.tunnels_max);
}

TEST_F(ReloadTest, LeavesFlagsWhatTheyWere) {
  write("max-tunnels = 5\n");
  start({"--max-tunnels", "7"});
  write("max-tunnels = 6\n");
  const auto fresh = reload();
  ASSERT_TRUE(fresh.has_value());
  EXPECT_THAT(fresh->changed, IsEmpty());
  EXPECT_EQ(relay_of(fresh->invocation).tunnels_max, 7U);
}

// What waits for a restart still counts as changed the next time, and goes back without a trace.
TEST_F(ReloadTest, ComparesWithWhatCountsNotWithTheLastFile) {
  write("workers = 2\n");
  start();
  write("workers = 3\n");
  for (int round = 0; round < 2; ++round) {
    auto fresh = reload();
    ASSERT_TRUE(fresh.has_value());
    EXPECT_THAT(fresh->restart, ElementsAre("workers"));
    running_ = std::move(fresh->invocation);
  }
  write("workers = 2\n");
  EXPECT_THAT(reload()->restart, IsEmpty());
}

// Without this the relay would be left with neither.
TEST_F(ReloadTest, ChangesNoOptionWhoseOppositeNeedsARestart) {
  write("upstream = [\"eth0\"]\n");
  start();
  write("interface = \"amtr0\"\n");
  const auto fresh = reload();
  ASSERT_TRUE(fresh.has_value()) << fresh.error();
  EXPECT_THAT(fresh->changed, IsEmpty());
  EXPECT_THAT(fresh->restart, ElementsAre("upstream", "interface"));
  EXPECT_THAT(relay_of(fresh->invocation).upstream, ElementsAre("eth0"));
  EXPECT_FALSE(relay_of(fresh->invocation).interface.has_value());
}

TEST_F(ReloadTest, SaysWhatIsWrongWithTheFileAlsoWhereItWouldNotCountYet) {
  write("workers = 2\n");
  start();
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"max-tunnels = 0\n", "max-tunnels"},
           {"workers = 1000\n", "workers"},
           {"workrs = 3\n", "unknown key"},
           {"workers = \n", "not valid TOML"},
           {"interface-address = [\"198.18.0.1/30\"]\n", "needs --interface"},
       }) {
    write(text);
    const auto fresh = reload();
    ASSERT_FALSE(fresh.has_value()) << text;
    EXPECT_THAT(fresh.error(), HasSubstr(why));
    EXPECT_EQ(fresh.error().find('\n'), std::string::npos);
  }
  std::filesystem::remove(file());
  EXPECT_THAT(reload().error(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace amt
