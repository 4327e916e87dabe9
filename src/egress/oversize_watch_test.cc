#include "egress/oversize_watch.hh"

#include <gmock/gmock.h>

namespace amt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Channel channel(const std::string& source) {
  return {.source = *IpAddress::parse(source), .group = *IpAddress::parse("232.1.2.3")};
}

class OversizeWatchTest : public ::testing::Test {
 protected:
  void add(const std::string& source, std::size_t octets = 1500) {
    watch_.add(channel(source), *Endpoint::parse("192.0.2.7:40000", 0), octets, 1470);
  }

  OversizeWatch watch_;
  Instant now_{};
};

TEST_F(OversizeWatchTest, SaysNothingWhileEverythingFits) { EXPECT_FALSE(watch_.poll_report(now_)); }

TEST_F(OversizeWatchTest, NamesTheChannelTheGatewayAndTheSizesAtOnce) {
  add("198.51.100.10");
  add("198.51.100.10", 1400);
  const auto report = watch_.poll_report(now_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->copies, 2U);
  EXPECT_THAT(
      report->to_string(),
      HasSubstr("datagrams of 198.51.100.10@232.1.2.3 do not fit into tunnels and may not be fragmented: one has "
                "1500 octets, 1470 fit towards 192.0.2.7:40000; 2 copies dropped"));
}

TEST_F(OversizeWatchTest, CountsForAMinuteThen) {
  add("198.51.100.10");
  ASSERT_TRUE(watch_.poll_report(now_));
  add("198.51.100.10");
  add("198.51.100.11");
  EXPECT_FALSE(watch_.poll_report(now_ + OversizeWatch::kInterval - std::chrono::milliseconds(1)));
  const auto report = watch_.poll_report(now_ + OversizeWatch::kInterval);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->copies, 2U);
  EXPECT_THAT(report->to_string(), HasSubstr("198.51.100.10@232.1.2.3, 198.51.100.11@232.1.2.3 do not"));
  EXPECT_FALSE(watch_.poll_report(now_ + 5 * OversizeWatch::kInterval));
}

TEST_F(OversizeWatchTest, NamesNoMoreChannelsThanALineHolds) {
  for (std::size_t i = 1; i <= OversizeWatch::kNamedMax; ++i) add("198.51.100." + std::to_string(i));
  EXPECT_FALSE(watch_.poll_report(now_)->has_more);
  for (std::size_t i = 1; i <= OversizeWatch::kNamedMax + 1; ++i) add("198.51.100." + std::to_string(i));
  const auto report = watch_.poll_report(now_ + OversizeWatch::kInterval);
  EXPECT_EQ(report->channels.size(), OversizeWatch::kNamedMax);
  EXPECT_THAT(report->to_string(), HasSubstr("198.51.100.3@232.1.2.3, ... do not"));
  EXPECT_THAT(report->to_string(), Not(HasSubstr("198.51.100.4")));
}

}  // namespace
}  // namespace amt
