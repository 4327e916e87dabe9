#include "demo/report.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>

namespace amt {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;

ReceptionOutcome reception(std::size_t equal) {
  const IpAddress relay = family_plans()[0].relay;
  ReceptionOutcome reception;
  reception.who = "amt receive";
  reception.messages = {{microseconds(1000), true, wire::MessageType::kRequest, relay, "for IGMP"},
                        {microseconds(1300), false, wire::MessageType::kMembershipQuery, relay, "IGMPv3 general query"},
                        {microseconds(9000), true, wire::MessageType::kTeardown, relay, "forget 203.0.113.2:50000"}};
  reception.first_data = microseconds(2500);
  reception.packets = 1700;
  reception.join = microseconds(1500);
  reception.video = {200, equal, equal};
  reception.audio = {376, 376, 376};
  return reception;
}

FamilyOutcome family(std::size_t equal) {
  FamilyOutcome outcome;
  outcome.plan = family_plans()[0];
  outcome.packets_sent = 1709;
  outcome.receptions.push_back(reception(equal));
  outcome.picture = "demo/received-ipv4.png";
  return outcome;
}

TEST(Report, NamesTheMessagesInTheirOrder) {
  const std::string text = describe(family(200));
  EXPECT_THAT(text, HasSubstr("IPv4: channel 198.51.100.10@232.1.2.3 port 5004"));
  std::size_t before = 0;
  for (const char* part : {"0.0 ms  -> 192.0.2.1", "Request", "0.3 ms  <- 192.0.2.1", "Membership Query",
                           "1.5 ms  <- 192.0.2.1", "Multicast Data", "later: 1 Teardown"}) {
    const std::size_t at = text.find(part, before);
    ASSERT_NE(at, std::string::npos) << part << " in\n" << text;
    before = at;
  }
}

TEST(Report, TellsJoinTimeLossesAndFrames) {
  const std::string text = describe(family(200));
  EXPECT_THAT(text, HasSubstr("1.5 ms from join to first packet; 1700 of 1709 packets with the video, 9 lost"));
  EXPECT_THAT(text, HasSubstr("200 of 200 pictures equal, 376 of 376 sound frames equal"));
  EXPECT_THAT(text, Not(HasSubstr("DIFFERENT")));
}

TEST(Report, SaysWhatDiffered) {
  EXPECT_THAT(describe(family(198)), HasSubstr("DIFFERENT: 198 of 200 pictures equal (2 missing, 0 altered)"));
  DemoOutcome outcome;
  outcome.families = {family(200), family(198)};
  EXPECT_THAT(describe_end(outcome),
              HasSubstr("NOT every frame arrived as it was sent: 1 of 2 receptions are perfect"));
  outcome.families[1] = family(200);
  EXPECT_THAT(describe_end(outcome), HasSubstr("every frame arrived as it was sent, in all 2 receptions"));
}

TEST(Report, ShowsTheExchangeOfAJoinThatFailed) {
  FamilyOutcome outcome = family(0);
  outcome.receptions[0].first_data.reset();
  outcome.receptions[0].join.reset();
  EXPECT_THAT(describe(outcome), HasSubstr("8.0 ms  -> 192.0.2.1"));
  EXPECT_THAT(describe(outcome), HasSubstr("join not seen"));
  EXPECT_THAT(describe(outcome), Not(HasSubstr("Multicast Data")));
}

TEST(Report, CutsALongExchange) {
  FamilyOutcome outcome = family(200);
  std::vector<ControlMessage>& messages = outcome.receptions[0].messages;
  messages.assign(500, messages[0]);
  const std::string text = describe(outcome);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 30);
  EXPECT_THAT(text, HasSubstr("later: 484 Request"));
}

}  // namespace
}  // namespace amt
