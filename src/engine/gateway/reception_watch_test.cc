#include "engine/gateway/reception_watch.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "engine/gateway/relay_set.hh"
#include "engine/runtime/played_relay.hh"
#include "engine/runtime/virtual_time.hh"
#include "sys/os_random.hh"

namespace amt::test {
namespace {

using std::chrono::minutes;
using ::testing::HasSubstr;

/// The gateway's own interface, which does nothing.
class IdleDownstream final : public Downstream {
 public:
  void start(ChangeHandler) override {}
  void stop() override {}
  void save(StateRecordWriter&) const override {}
  void restore(Instant, StateRecordReader&) override {}
  void append_descriptors(std::vector<LentDescriptor>&) const override {}
  void handle_network_change() override {}
  const std::string& interface() const override { return name_; }
  void send(std::span<const Bytes>) override {}
  DownstreamInfo info() const override { return {.interface = name_, .kind = "tun"}; }
  void for_each_group(const std::function<void(const IpAddress&, const SourceFilter&)>&) const override {}

 private:
  std::string name_ = "amt0";
};

class ReceptionWatchTest : public ::testing::Test {
 protected:
  ReceptionWatchTest() {
    RelaySetOptions options;
    options.client.gateway.candidates = {{RelayCandidate::Kind::kRelay, relay_.endpoint()}};
    relays_ = RelaySet::create(time_.loop(), std::move(options), random_, [](Instant, const ClientPackets&) {}).value();
    watch_.emplace(time_.loop(), meter_, relays_->client(), own_);
  }
  void want(std::string_view group) { meter_.set_wanted(monotonic_now(), address(group), true); }
  void bring(std::string_view group) {
    DataPacket packet;
    packet.destination = address(group);
    meter_.count(monotonic_now(), {&packet, 1});
  }
  /// The lines that say that groups are missing, while time passes.
  std::vector<std::string> warnings_in(Duration duration) {
    testing::internal::CaptureStderr();
    time_.pass(duration);
    std::fflush(stderr);
    std::vector<std::string> out;
    std::string text = testing::internal::GetCapturedStderr();
    while (!text.empty()) {
      const std::string line = text.substr(0, text.find('\n'));
      if (line.find("do not come") != std::string::npos) out.push_back(line);
      text.erase(0, line.size() + 1);
    }
    return out;
  }

  VirtualTime time_;
  OsRandom random_;
  PlayedRelay relay_{time_.loop(), "127.0.0.1"};
  std::unique_ptr<RelaySet> relays_;
  GroupMeter meter_;
  IdleDownstream own_;
  std::optional<ReceptionWatch> watch_;
};

TEST_F(ReceptionWatchTest, WarnsOnceAMinuteOfAGroupThatDoesNotCome) {
  want("232.1.1.1");
  EXPECT_TRUE(warnings_in(seconds(9)).empty());
  const std::vector<std::string> first = warnings_in(seconds(20));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_THAT(first[0], HasSubstr("1 of 1 groups that are wanted do not come: 232.1.1.1, for "));
  EXPECT_EQ(warnings_in(minutes(5)).size(), 5U);
}

TEST_F(ReceptionWatchTest, NamesTheTunnelAsGoodWhileOtherGroupsCome) {
  want("232.1.1.1");
  want("232.1.1.2");
  time_.pass(seconds(8));
  bring("232.1.1.2");
  const std::vector<std::string> warnings = warnings_in(seconds(5));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("1 of 2 groups that are wanted do not come: 232.1.1.1, "));
  EXPECT_THAT(warnings[0], HasSubstr("the tunnel works, 1 come"));
}

TEST_F(ReceptionWatchTest, NamesAFewOfMany) {
  for (int i = 1; i <= 9; ++i) want("232.1.1." + std::to_string(i));
  const std::vector<std::string> warnings = warnings_in(seconds(30));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0],
              HasSubstr("9 of 9 groups that are wanted do not come: 232.1.1.1, 232.1.1.2, 232.1.1.3, ..."));
}

TEST_F(ReceptionWatchTest, HasNothingToSayOfGroupsThatComeOrWhenItIsStopped) {
  want("232.1.1.1");
  for (int i = 0; i < 30; ++i) {
    bring("232.1.1.1");
    EXPECT_TRUE(warnings_in(seconds(5)).empty());
  }
  watch_->stop();
  EXPECT_TRUE(warnings_in(minutes(5)).empty());
}

}  // namespace
}  // namespace amt::test
