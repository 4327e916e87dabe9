/// The whole engine under churn, on real sockets: what the thread sanitizer watches (`make tsan`).

#include "engine/relay/relay_engine.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "engine/relay/relay_engine_test_support.hh"

namespace amt {
namespace {

using namespace relay_engine_test;
using ::testing::Each;
using ::testing::Gt;

TEST_P(RelayEngineWith, ServesGatewaysThatComeAndGo) {
  const Stream stream;
  run([&] {
    std::vector<std::unique_ptr<Player>> steady;
    for (int i = 0; i < 16; ++i) {
      steady.push_back(std::make_unique<Player>());
      ASSERT_TRUE(steady.back()->join());
    }
    EXPECT_TRUE(has_tunnels(16));
    for (int round = 0; round < 6; ++round) {
      std::vector<std::unique_ptr<Player>> passing;
      for (int i = 0; i < 16; ++i) {
        passing.push_back(std::make_unique<Player>());
        ASSERT_TRUE(passing.back()->join());
      }
      for (std::size_t i = 0; i < passing.size(); ++i) {
        EXPECT_TRUE(passing[i]->hears_data());
        // By its own endpoint, or by one that another worker may have.
        if (i % 2 == 0) {
          passing[i]->leave();
        } else {
          steady[i]->send(teardown(passing[i]->grant(), passing[i]->endpoint()));
        }
      }
      EXPECT_TRUE(has_tunnels(16));
    }
    for (const auto& one : steady) EXPECT_TRUE(one->hears_data());
    // Those that vanish leave ICMP errors behind, which any worker may be told.
    for (std::size_t i = 0; i < 8; ++i) steady[i].reset();
    EXPECT_TRUE(has_tunnels(8));
    for (std::size_t i = 8; i < 16; ++i) EXPECT_TRUE(steady[i]->hears_data());
  });
  engine_->shutdown();
}

TEST_P(RelayEngineWith, DividesTheGatewaysAndHoldsTheirNumber) {
  run([&] {
    std::vector<std::unique_ptr<Player>> players;
    for (std::size_t i = 0; i < 16 * GetParam(); ++i) {
      players.push_back(std::make_unique<Player>());
      ASSERT_TRUE(players.back()->join());
    }
    EXPECT_TRUE(has_tunnels(players.size()));
    EXPECT_THAT(tunnels(), Each(Gt(0U)));
  });
}

// A message on its way between the threads must not meet an engine that is gone.
TEST_P(RelayEngineWith, EndsInTheMiddleOfEverything) {
  for (int round = 0; round < 3; ++round) {
    run([&] {
      std::vector<std::unique_ptr<Player>> players;
      for (int i = 0; i < 8; ++i) {
        players.push_back(std::make_unique<Player>());
        ASSERT_TRUE(players.back()->join());
      }
      for (std::size_t i = 0; i < players.size(); ++i) {
        players[0]->send(teardown(players[i]->grant(), players[i]->endpoint()));
      }
    });
    if (round == 0)
      engine_->ask_worker(
          0, [](RelayWorker&) {}, [] { FAIL() << "the engine is gone"; });
    if (round == 1) engine_->shutdown();
    engine_.reset();
    run([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
    RelayEngineOptions options;
    options.local = {kRelay};
    options.upstream = {"far"};
    options.workers = GetParam();
    SysResult<std::unique_ptr<RelayEngine>> engine = RelayEngine::create(loop_, options, random_);
    ASSERT_TRUE(ok(engine));
    engine_ = std::move(*engine);
  }
}

TEST_P(RelayEngineWith, DoesNotBeginWherePortOrInterfaceIsMissing) {
  RelayEngineOptions options;
  options.local = {kRelay};
  options.workers = GetParam();
  EXPECT_EQ(RelayEngine::create(loop_, options, random_).error().code, EADDRINUSE);
  options.local = {{kRelay.address, 2269}};
  options.upstream = {"nowhere"};
  EXPECT_EQ(RelayEngine::create(loop_, options, random_).error().code, ENODEV);
}

INSTANTIATE_TEST_SUITE_P(Workers, RelayEngineWith, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace amt
