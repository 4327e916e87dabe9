#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "config/command_line.hh"

namespace amt {
namespace {

/// A configuration file for the length of a test.
class TomlFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "amt-config-XXXXXX";
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    path_ = name;
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  Result<Invocation, EarlyExit> parse(const std::string& text, std::vector<std::string> arguments) {
    std::ofstream(path_) << text;
    arguments.insert(arguments.end(), {"--config", path_});
    return parse_command_line(arguments);
  }
  RelayConfig relay(const std::string& text, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), "relay");
    const auto result = parse(text, flags);
    EXPECT_TRUE(result.has_value()) << result.error().standard_error;
    return result ? std::get<RelayConfig>(result->command) : RelayConfig{};
  }
  /// The complaint, with the file's name replaced by FILE.
  std::string complaint(const std::string& text) {
    const auto result = parse(text, {"relay"});
    if (result) return "accepted";
    EXPECT_EQ(result.error().status, 2);
    std::string message = result.error().standard_error;
    if (const std::size_t at = message.find(path_); at != std::string::npos) message.replace(at, path_.size(), "FILE");
    return message;
  }

  std::string path_;
};

TEST_F(TomlFile, TakesTheNamesOfTheOptionsWithDashOrUnderscore) {
  const RelayConfig config = relay(
      "local = [\"192.0.2.1\", \"2001:db8::1\"]\n"
      "upstream = \"eth0\"\n"
      "max-tunnels = 5\nmax_groups = 6\nquery_interval = \"20\"\nstrict = true\n");
  EXPECT_EQ(config.local.size(), 2u);
  EXPECT_EQ(config.upstream, std::vector<std::string>{"eth0"});
  EXPECT_EQ(config.tunnels_max, 5u);
  EXPECT_EQ(config.groups_max, 6u);
  EXPECT_EQ(config.query_interval, std::chrono::seconds(20));
  EXPECT_TRUE(config.strict);
}

TEST_F(TomlFile, AnOptionalValueIsTrueOrTheValue) {
  const auto gateway = [this](const std::string& text) {
    const auto result = parse(text, {"gateway"});
    EXPECT_TRUE(result.has_value()) << result.error().standard_error;
    return result ? std::get<GatewayConfig>(result->command).relay : RelayChoice{};
  };
  EXPECT_TRUE(gateway("native = true\n").native);
  EXPECT_FALSE(gateway("native = false\n").native);
  EXPECT_TRUE(gateway("native = \"eth0\"\n").native);
  EXPECT_EQ(gateway("native = \"eth0\"\n").native_interface, "eth0");
}

TEST_F(TomlFile, FlagsWinOverIt) {
  const RelayConfig config = relay("robustness = 3\nlocal = [\"192.0.2.1\", \"192.0.2.2\"]\nmax_groups = 6\n",
                                   {"--robustness", "4", "--local", "192.0.2.9"});
  EXPECT_EQ(config.robustness, 4);
  EXPECT_EQ(config.local, std::vector{*IpAddress::parse("192.0.2.9")});
  EXPECT_EQ(config.groups_max, 6u);
}

TEST_F(TomlFile, AFlagDisplacesItsOpposite) {
  const auto result = parse("no-route = true\n", {"gateway", "--route", "239.0.0.0/8"});
  ASSERT_TRUE(result) << result.error().standard_error;
  EXPECT_FALSE(std::get<GatewayConfig>(result->command).no_route);
}

TEST_F(TomlFile, HoldsTheCommonOptionsToo) {
  const auto result = parse("log_level = \"warn\"\nlog-json = true\n", {"demo"});
  ASSERT_TRUE(result) << result.error().standard_error;
  EXPECT_EQ(result->common.log_level, LogLevel::kWarn);
  EXPECT_TRUE(result->common.log_json);
  EXPECT_EQ(result->common.config_file, path_);
}

TEST_F(TomlFile, AComplaintNamesFileLineKeyValueAndMend) {
  EXPECT_EQ(complaint("strict = true\nlocal = [\"192.0.2.1\",\n \"10.0.0.300\"]\n"),
            "amt relay: FILE:3: local 10.0.0.300: not an IPv4 or IPv6 address (example: local = \"192.0.2.1\")\n");
  EXPECT_EQ(complaint("\nrobustness = 8\n"),
            "amt relay: FILE:2: robustness 8: not a whole number from 1 to 7 (example: robustness = \"2\")\n");
  EXPECT_EQ(complaint("robustness = 2.5\n"),
            "amt relay: FILE:1: robustness 2.5: not a whole number from 1 to 7 (example: robustness = \"2\")\n");
}

TEST_F(TomlFile, AnUnknownKeyIsAnError) {
  EXPECT_EQ(complaint("upsteam = \"eth0\"\n"),
            "amt relay: FILE:1: upsteam: unknown key; did you mean upstream? (amt relay --help shows the options)\n");
  EXPECT_EQ(complaint("[relay]\nlocal = \"192.0.2.1\"\n"),
            "amt relay: FILE:1: relay: no tables; all keys stand at top level\n");
  EXPECT_EQ(complaint("config = \"x\"\n"), "amt relay: FILE:1: config: cannot stand in a configuration file\n");
}

TEST_F(TomlFile, AValueOfTheWrongKindIsAnError) {
  EXPECT_EQ(complaint("strict = \"yes\"\n"), "amt relay: FILE:1: strict: must be true or false\n");
  EXPECT_EQ(complaint("robustness = [2]\n"), "amt relay: FILE:1: robustness: takes one value, not a list\n");
  EXPECT_EQ(complaint("robustness = true\n"), "amt relay: FILE:1: robustness: must be a string or a number\n");
  EXPECT_EQ(complaint("local = [[\"192.0.2.1\"]]\n"),
            "amt relay: FILE:1: local: must be a list of strings or numbers\n");
  EXPECT_EQ(complaint("max-groups = 1\nmax_groups = 2\n").substr(0, 20), "amt relay: FILE:2: m");
}

TEST_F(TomlFile, WhatIsNoTomlIsAnErrorWithItsLine) {
  const std::string message = complaint("strict = true\nlocal = [\"192.0.2.1\"\nrobustness == 2\n");
  EXPECT_EQ(message.substr(0, 40), "amt relay: FILE:3: not valid TOML: Error");
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
  EXPECT_NE(complaint("robustness = 1\nrobustness = 2\n").find("FILE:2: not valid TOML"), std::string::npos);
}

TEST_F(TomlFile, AFileThatCannotBeReadIsAnError) {
  const auto result = parse_command_line(std::vector<std::string>{"relay", "--config", "/nonexistent/relay.toml"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 2);
  EXPECT_EQ(result.error().standard_error, "amt relay: --config /nonexistent/relay.toml: No such file or directory\n");
  const auto directory = parse_command_line(std::vector<std::string>{"relay", "--config", "/"});
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().standard_error, "amt relay: --config /: Is a directory\n");
}

}  // namespace
}  // namespace amt
