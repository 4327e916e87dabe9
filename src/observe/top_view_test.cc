#include "observe/top_view.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace amt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHead =
    R"({"role":"relay","version":"1","uptime_seconds":7200,"tunnel_count":3,"channel_count":2,)"
    R"("counters":{"data_bytes_in":1000,"data_bytes_sent":0,"reject_bad_mac":5},)"
    R"("upstreams":[{"interface":"eth0","up":true}]})";
constexpr const char* kHeadLater =
    R"({"role":"relay","version":"1","uptime_seconds":7201,"tunnel_count":3,"channel_count":2,)"
    R"("counters":{"data_bytes_in":126000,"data_bytes_sent":250000,"reject_bad_mac":9},)"
    R"("upstreams":[{"interface":"eth0","up":false}]})";

std::string text_of(const std::vector<TopLine>& lines) {
  std::string out;
  for (const TopLine& line : lines) out += line.text + "\n";
  return out;
}

TEST(TopView, ShowsRatesFromTheSecondLookOn) {
  TopView view;
  const TopChoice choice;
  const Instant now{std::chrono::hours(1)};
  ASSERT_TRUE(view.set_head(now, kHead));
  EXPECT_EQ(view.list_query(choice, 10), "list=channels&sort=tunnels&top=10&offset=0");
  const char* const first =
      R"({"role":"relay","channels":[{"group":"232.1.1.1","source":"192.0.2.9","tunnels":3,"packets":7,"bytes":1000}],)"
      R"("channels_matched":1})";
  view.set_list(now, first);
  EXPECT_THAT(text_of(view.screen(choice, 80, 24)),
              AllOf(HasSubstr("in -, out -"), HasSubstr("nothing is refused"), HasSubstr("192.0.2.9@232.1.1.1")));
  const Instant later = now + std::chrono::seconds(1);
  ASSERT_TRUE(view.set_head(later, kHeadLater));
  view.set_list(later, R"({"role":"relay","channels":[{"group":"232.1.1.1","source":"192.0.2.9","tunnels":3,)"
                       R"("packets":9,"bytes":126000}],"channels_matched":1})");
  EXPECT_THAT(text_of(view.screen(choice, 80, 24)),
              AllOf(StartsWith("amt relay 1, up 2 h: 3 gateways, 2 channels; in 1.0 Mbit/s, out 2.0 Mbit/s\n"),
                    HasSubstr("upstream: eth0 DOWN\n"), HasSubstr("refused or lost: reject_bad_mac 4/s\n"),
                    HasSubstr("3   1.0 Mbit/s            9\n")));
}

TEST(TopView, FitsEveryScreen) {
  TopView view;
  ASSERT_TRUE(view.set_head(Instant{std::chrono::hours(1)}, kHead));
  std::string list = R"({"channels":[)";
  for (int i = 0; i < 300; ++i) {
    list += std::string(i == 0 ? "" : ",") + R"({"group":"ff3e::8000:)" + std::to_string(i) +
            R"(","source":"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff","tunnels":1,"packets":1,"bytes":1})";
  }
  view.set_list(Instant{std::chrono::hours(1)}, list + "]}");
  for (const auto& [width, height] : {std::pair{80, 24}, {200, 60}, {20, 5}, {1, 1}, {500, 400}}) {
    const auto lines = view.screen({}, static_cast<std::size_t>(width), static_cast<std::size_t>(height));
    EXPECT_LE(lines.size(), static_cast<std::size_t>(height));
    EXPECT_TRUE(std::ranges::all_of(
        lines, [w = width](const TopLine& line) { return line.text.size() <= static_cast<std::size_t>(w); }));
  }
}

TEST(TopView, AsksForWhatWasChosen) {
  TopView view;
  ASSERT_TRUE(view.set_head(Instant{}, kHead));
  TopChoice choice{.list = TopChoice::List::kTunnels, .sort = 7, .filter = "232.1.0.0/16", .offset = 3};
  EXPECT_EQ(view.list_query(choice, 17), "list=tunnels&sort=packets&top=17&offset=3&group=232.1.0.0/16");
  choice.filter = "192.0.2.1";
  EXPECT_THAT(view.list_query(choice, 17), HasSubstr("&address=192.0.2.1"));
  ASSERT_TRUE(view.set_head(Instant{}, R"({"role":"gateway","relays":[{"address":"192.0.2.1","state":"connected"}]})"));
  EXPECT_THAT(view.list_query(choice, 1), StartsWith("list=memberships&"));
}

TEST(TopView, MarksMembershipsThatDoNotCome) {
  TopView view;
  ASSERT_TRUE(view.set_head(Instant{}, R"({"role":"gateway","relays":[]})"));
  view.set_list(Instant{}, R"({"memberships":[{"group":"232.1.1.1","mode":"include","sources":["192.0.2.9"],)"
                           R"("packets":0,"bytes":0,"idle_seconds":null},{"group":"232.1.1.2","mode":"exclude",)"
                           R"("sources":[],"packets":7,"bytes":70,"idle_seconds":0}]})");
  const std::vector<TopLine> lines = view.screen({}, 80, 24);
  const auto silent =
      std::ranges::find_if(lines, [](const TopLine& one) { return one.text.starts_with("192.0.2.9@"); });
  ASSERT_NE(silent, lines.end());
  EXPECT_EQ(silent->style, TopStyle::kBad);
  EXPECT_THAT(silent->text, HasSubstr("nothing yet"));
}

TEST(TopView, WhatIsNoStatusIsRefusedAndControlCharactersDoNotReachTheTerminal) {
  TopView view;
  for (const char* const wrong : {"", "[]", "{}", R"({"role":"toaster"})", R"({"role":7})"}) {
    EXPECT_FALSE(view.set_head(Instant{}, wrong)) << wrong;
  }
  ASSERT_TRUE(view.set_head(Instant{}, R"({"role":"relay","version":"\u001b[2J","counters":[],"upstreams":7})"));
  view.set_list(Instant{}, R"({"channels":[[],7,{"group":"\u001b[2J"}],"tunnels":{}})");
  EXPECT_EQ(text_of(view.screen({}, 80, 24)).find('\x1b'), std::string::npos);
}

TEST(TopView, WritesRatesAndAges) {
  EXPECT_EQ(bit_rate_text(0), "0 bit/s");
  EXPECT_EQ(bit_rate_text(12'340'000), "12.3 Mbit/s");
  EXPECT_EQ(bit_rate_text(123'400'000'000), "123 Gbit/s");
  EXPECT_EQ(duration_text(90), "90 s");
  EXPECT_EQ(duration_text(100'000), "28 h");
}

}  // namespace
}  // namespace amt
