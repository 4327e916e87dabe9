#include "engine/load/fleet_engine.hh"

#include <gtest/gtest.h>

#include <cerrno>

#include "engine/runtime/played_relay.hh"
#include "sys/os_random.hh"

namespace amt::test {
namespace {

class FleetEngineTest : public ::testing::Test {
 protected:
  FleetEngineOptions options(std::size_t gateways) const {
    FleetEngineOptions out;
    out.relay = relay_.endpoint();
    out.fleet.gateways = gateways;
    out.fleet.channels = {{address("198.51.100.1"), address("232.1.1.1")}};
    return out;
  }
  void create(std::size_t gateways) {
    SysResult<std::unique_ptr<FleetEngine>> created = FleetEngine::create(loop_, options(gateways), random_);
    ASSERT_TRUE(created) << created.error().to_string();
    engine_ = std::move(*created);
  }

  EventLoop loop_;
  OsRandom random_;
  PlayedRelay relay_{loop_, "127.0.0.1"};
  std::unique_ptr<FleetEngine> engine_;
};

TEST_F(FleetEngineTest, EveryGatewayAsksAndJoins) {
  create(20);
  EXPECT_FALSE(engine_->complete());
  ASSERT_TRUE(run_until(loop_, [this] { return engine_->complete().has_value(); }));
  ASSERT_TRUE(run_until(loop_, [this] { return relay_.count(kUpdate) >= 20; }));
  EXPECT_EQ(engine_->fleet().counters()[LoadCounter::kHandshakes], 20U);
  EXPECT_GE(engine_->complete()->at, engine_->started());
  EXPECT_EQ(engine_->send_errors(), 0U);
}

TEST_F(FleetEngineTest, LeavesAndSaysWhenAllHaveLeft) {
  create(5);
  ASSERT_TRUE(run_until(loop_, [this] { return relay_.count(kUpdate) >= 5; }));
  const auto messages = [this] { return relay_.count(kUpdate) + relay_.count(kTeardown); };
  const std::size_t before = messages();
  int left = 0;
  engine_->leave([&] { ++left; });
  ASSERT_TRUE(run_until(loop_, [&] { return left == 1; }));
  EXPECT_TRUE(run_until(loop_, [&] { return messages() >= before + 5; }));
}

TEST_F(FleetEngineTest, IsNotCompleteWithoutAnAnswer) {
  relay_.answers = false;
  create(2);
  ASSERT_TRUE(run_until(loop_, [this] { return relay_.count(kRequest) >= 2; }));
  EXPECT_FALSE(engine_->complete());
}

TEST_F(FleetEngineTest, NeedsAnAddressOfThisHost) {
  FleetEngineOptions wrong = options(1);
  wrong.local = {address("192.0.2.77")};
  const auto created = FleetEngine::create(loop_, wrong, random_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, EADDRNOTAVAIL);
}

}  // namespace
}  // namespace amt::test
