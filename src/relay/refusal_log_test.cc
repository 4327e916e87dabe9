#include "relay/refusal_log.hh"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "membership/handmade_datagrams.hh"

namespace amt {
namespace {

using relay_test::ip;
using std::chrono::seconds;

class RefusalLogTest : public ::testing::Test {
 protected:
  void add(RelayReject reason, const char* address) { log_.add(now_, {reason, {ip(address), 32}}); }
  std::vector<std::string> reports() {
    log_.handle_timeout(now_);
    std::vector<std::string> out;
    while (const auto report = log_.poll()) {
      out.push_back(std::string(to_string(report->reason)) + " " + report->whose.to_string() + " " +
                    std::to_string(report->count));
    }
    return out;
  }

  Instant now_{std::chrono::hours(1)};
  RefusalLog log_;
};

using Lines = std::vector<std::string>;

TEST_F(RefusalLogTest, TellsTheFirstAtOnceAndTheOthersOnceAMinute) {
  EXPECT_EQ(log_.next_deadline(), kNoDeadline);
  add(RelayReject::kTunnelLimit, "192.0.2.1");
  EXPECT_EQ(reports(), Lines{"tunnel_limit 192.0.2.1/32 1"});
  EXPECT_EQ(log_.next_deadline(), kNoDeadline);
  for (int i = 0; i < 1000; ++i) add(RelayReject::kTunnelLimit, "192.0.2.2");
  now_ += seconds(59);
  EXPECT_EQ(reports(), Lines{});
  EXPECT_EQ(log_.next_deadline(), now_ + seconds(1));
  now_ += seconds(1);
  EXPECT_EQ(reports(), Lines{"tunnel_limit 192.0.2.2/32 1000"});
  EXPECT_EQ(log_.next_deadline(), kNoDeadline);
}

TEST_F(RefusalLogTest, KeepsReasonsApart) {
  add(RelayReject::kTunnelLimit, "192.0.2.1");
  EXPECT_EQ(reports().size(), 1U);
  add(RelayReject::kChannelLimit, "192.0.2.1");
  EXPECT_EQ(reports(), Lines{"channel_limit 192.0.2.1/32 1"});
}

TEST_F(RefusalLogTest, NamesTheOneThatIsRefusedMost) {
  add(RelayReject::kTunnelLimit, "192.0.2.9");
  reports();
  for (int i = 0; i < 30; ++i) {
    add(RelayReject::kTunnelLimit, "192.0.2.1");
    add(RelayReject::kTunnelLimit, i % 2 == 0 ? "192.0.2.2" : "192.0.2.1");
    add(RelayReject::kTunnelLimit, "192.0.2.1");
  }
  now_ += seconds(60);
  EXPECT_EQ(reports(), Lines{"tunnel_limit 192.0.2.1/32 90"});
}

}  // namespace
}  // namespace amt
