#include "observe/history.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace amt {
namespace {

using ::testing::HasSubstr;

constexpr auto kSecond = std::chrono::seconds(1);

TEST(History, ShowsRatesOfASecond) {
  History history("gateways");
  Instant now{std::chrono::hours(1)};
  history.add(now, {.bytes_in = 1000, .clients = 5});
  EXPECT_THAT(history.json(History::Span::kHour, 0), HasSubstr("\"next\":0,"));
  history.add(now + 2 * kSecond,
              {.bytes_in = 3000, .bytes_out = 500, .clients = 6, .handshakes = 4, .losses = 2, .refusals = 1});
  EXPECT_EQ(history.json(History::Span::kHour, 0),
            R"({"interval_seconds":1,"next":1,"columns":["bits_in","bits_out","gateways","handshakes","losses",)"
            R"("refusals"],"rows":[[8000,2000,6,2,1,1]]})");
  EXPECT_THAT(history.json(History::Span::kHour, 1), HasSubstr("\"rows\":[]"));
  // A client that remembers more than there is talked to an earlier process.
  EXPECT_THAT(history.json(History::Span::kHour, 99), HasSubstr("\"rows\":[[8000"));
}

TEST(History, KeepsAnHourOfSecondsAndADayOfMinutes) {
  History history("gateways");
  Instant now{};
  constexpr std::size_t kDays = 2;
  for (std::size_t i = 0; i <= kDays * 86'400; ++i) {
    history.add(now, {.bytes_in = i, .clients = i});
    now += kSecond;
  }
  const std::string hour = history.json(History::Span::kHour, 0);
  const std::string day = history.json(History::Span::kDay, 0);
  EXPECT_EQ(std::ranges::count(hour, '['), static_cast<std::ptrdiff_t>(History::kSeconds + 2));
  EXPECT_EQ(std::ranges::count(day, '['), static_cast<std::ptrdiff_t>(History::kMinutes + 2));
  EXPECT_THAT(hour, HasSubstr("[8,0,172800,0,0,0]]}"));
  EXPECT_THAT(day, HasSubstr("\"next\":2880,"));
  // The middle of the last minute.
  EXPECT_THAT(day, HasSubstr("[8,0,172771,0,0,0]]}"));
}

TEST(History, ACounterThatStartsAnewIsNoRate) {
  History history("memberships");
  Instant now{std::chrono::hours(1)};
  history.add(now, {.bytes_in = 1000});
  history.add(now + kSecond, {.bytes_in = 10});
  EXPECT_THAT(history.json(History::Span::kHour, 0), HasSubstr("[[0,0,0,0,0,0]]"));
}

}  // namespace
}  // namespace amt
