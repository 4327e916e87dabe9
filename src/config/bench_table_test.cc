#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "config/command_line.hh"

namespace amt {
namespace {

Result<Invocation, EarlyExit> invocation(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return parse_command_line(words);
}
BenchConfig parsed(const std::string& line) {
  const auto result = invocation(line);
  EXPECT_TRUE(result.has_value()) << result.error().standard_error;
  return result ? std::get<BenchConfig>(result->command) : BenchConfig{};
}
std::string complaint(const std::string& line) {
  const auto result = invocation(line);
  if (result) return "accepted";
  EXPECT_EQ(result.error().status, 2);
  return result.error().standard_error;
}
IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

TEST(BenchCommand, HasDefaultsForAllButRelayAndGroup) {
  const BenchConfig bench = parsed("bench --relay 127.0.0.1 --group 10.1.0.1@232.1.1.1");
  EXPECT_EQ(bench.relay, (Endpoint{ip("127.0.0.1"), kAmtPort}));
  EXPECT_EQ(bench.gateways, 100U);
  EXPECT_EQ(bench.channels, std::vector({Channel{ip("10.1.0.1"), ip("232.1.1.1")}}));
  EXPECT_EQ(bench.duration, std::chrono::seconds(10));
  EXPECT_EQ(bench.changes_per_second, 0);
  EXPECT_EQ(bench.task, BenchTask::kNothing);
  EXPECT_FALSE(bench.json);
}

TEST(BenchCommand, ReadsEveryOption) {
  const BenchConfig bench = parsed(
      "bench --relay [fd00::1]:3000 --gateways 10000 --group 2001:db8::1@ff3e::8000:1 --channels 3 --group "
      "ff1e::1 --duration 90 --zap 0.25 --local fd00::2 --local fd00::3 --json");
  EXPECT_EQ(bench.relay, (Endpoint{ip("fd00::1"), 3000}));
  EXPECT_EQ(bench.gateways, 10'000U);
  EXPECT_EQ(bench.channels.size(), 6U);
  EXPECT_TRUE(std::ranges::count(bench.channels, Channel{ip("2001:db8::1"), ip("ff3e::8000:3")}) == 1);
  EXPECT_TRUE(std::ranges::count(bench.channels, Channel{std::nullopt, ip("ff1e::3")}) == 1);
  EXPECT_EQ(bench.duration, std::chrono::seconds(90));
  EXPECT_EQ(bench.changes_per_second, 0.25);
  EXPECT_EQ(bench.local, std::vector({ip("fd00::2"), ip("fd00::3")}));
  EXPECT_TRUE(bench.json);
  EXPECT_EQ(parsed("bench --relay ::1 --group 239.1.1.1 --repeat handshakes").task, BenchTask::kHandshakes);
  EXPECT_EQ(parsed("bench --relay ::1 --group 239.1.1.1 --repeat requests").task, BenchTask::kRequests);
}

TEST(BenchCommand, RefusesARelayThatMayBeAnothers) {
  for (const char* relay :
       {"192.0.2.1", "8.8.8.8:2268", "2001:db8::1", "[2600::1]:2268", "172.32.0.1", "100.128.0.1"}) {
    const std::string line = std::string("bench --group 239.1.1.1 --relay ") + relay;
    const std::string message = complaint(line);
    EXPECT_NE(message.find("--relay"), std::string::npos) << message;
    EXPECT_NE(message.find("--yes-it-is-mine"), std::string::npos) << message;
    EXPECT_TRUE(parsed(line + " --yes-it-is-mine").is_mine);
  }
  for (const char* relay :
       {"127.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.0.1:99", "100.64.0.1", "169.254.3.4", "::1", "[fd12::1]:99"}) {
    EXPECT_EQ(complaint(std::string("bench --group 239.1.1.1 --relay ") + relay), "accepted") << relay;
  }
}

TEST(BenchCommand, NamesOptionValueAndMend) {
  const std::string bench = "bench --relay 127.0.0.1 ";
  const auto names = [](const std::string& message, std::initializer_list<const char*> words) {
    for (const char* word : words) EXPECT_NE(message.find(word), std::string::npos) << message << word;
    EXPECT_EQ(std::ranges::count(message, '\n'), 1) << message;
  };
  names(complaint(bench), {"--group is missing"});
  names(complaint("bench --group 239.1.1.1"), {"--relay is missing"});
  names(complaint(bench + "--group 10.1.1.1"), {"--group 10.1.1.1"});
  names(complaint(bench + "--group 239.1.1.1 --gateways 0"), {"--gateways 0"});
  names(complaint(bench + "--group 239.1.1.1 --zap 5"), {"--zap", "--channels 100"});
  names(complaint(bench + "--group 239.1.1.1 --zap often"), {"--zap often", "0 to 1000"});
  names(complaint(bench + "--group 239.1.1.1 --zap -1"), {"--zap -1"});
  names(complaint(bench + "--group 239.1.1.1 --repeat everything"), {"--repeat everything", "handshakes"});
  names(complaint(bench + "--group 239.1.1.1 --channels 2 --zap 1 --repeat requests"), {"--zap", "--repeat"});
  names(complaint(bench + "--group 239.1.1.1 --local ::1"), {"--local ::1", "127.0.0.1"});
  names(complaint(bench + "--group 239.255.255.255 --channels 2"), {"--channels 2", "240.0.0.0"});
  names(complaint(bench + "--group 239.0.0.1 --group 239.9.0.1 --channels 60000"), {"--channels 60000", "100000"});
}

}  // namespace
}  // namespace amt
