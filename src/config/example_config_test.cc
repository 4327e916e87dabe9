#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/command_line.hh"

namespace amt {
namespace {

std::string written(const std::vector<std::string>& arguments) {
  const auto invocation = parse_command_line(arguments);
  EXPECT_FALSE(invocation);
  return invocation ? "" : invocation.error().standard_output;
}

/// A file of the test's own, gone with this object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(testing::TempDir() + "amt-example-" + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Not `# a sentence`, not `## a heading`: an option.
bool is_option(const std::string& line) {
  return line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
}

class ExampleConfig : public testing::TestWithParam<const char*> {};

TEST_P(ExampleConfig, IsAcceptedAsItIs) {
  const ConfigFile file(written({"example-config", GetParam()}));
  const auto invocation = parse_command_line(std::vector<std::string>{GetParam(), "--config", file.path()});
  EXPECT_TRUE(invocation) << invocation.error().standard_error;
}

// An option that needs another one says so and names it; whatever else is said would be a bad example.
TEST_P(ExampleConfig, HasAValueThatWorksForEachOption) {
  std::size_t options = 0;
  for (const std::string& line : lines_of(written({"example-config", GetParam()}))) {
    if (!is_option(line)) continue;
    ++options;
    const ConfigFile file(line.substr(1) + "\n");
    const auto invocation = parse_command_line(std::vector<std::string>{GetParam(), "--config", file.path()});
    if (invocation) continue;
    EXPECT_NE(invocation.error().standard_error.find(": needs "), std::string::npos) << line;
  }
  EXPECT_GT(options, 10U);
}

INSTANTIATE_TEST_SUITE_P(Daemons, ExampleConfig, testing::Values("relay", "gateway"));

TEST(ExampleConfigs, NeedANameThatThereIs) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"example-config"}, std::vector<std::string>{"example-config", "nonsense"}}) {
    const auto invocation = parse_command_line(arguments);
    ASSERT_FALSE(invocation);
    EXPECT_EQ(invocation.error().status, kUsageStatus);
  }
}

TEST(Version, NamesTheCommit) {
  const std::vector<std::string> arguments{"--version"};
  EXPECT_EQ(parse_command_line(arguments, "0123abc").error().standard_output.substr(0, 4), "amt ");
  EXPECT_NE(parse_command_line(arguments, "0123abc").error().standard_output.find(" (commit 0123abc)\n"),
            std::string::npos);
  EXPECT_EQ(parse_command_line(arguments).error().standard_output.find("commit"), std::string::npos);
}

}  // namespace
}  // namespace amt
