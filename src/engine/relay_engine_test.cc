/// The whole engine under churn, on real sockets: what the thread sanitizer watches (`make tsan`).

#include "engine/relay_engine.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <numeric>
#include <set>
#include <thread>

#include "relay/handmade_datagrams.hh"
#include "sys/os_random.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::Each;
using ::testing::Gt;

const Endpoint kRelay{ip("127.0.0.1"), kAmtPort};
const IpAddress kSource = ip("198.51.100.10");
const Record kJoin{kAllow, ip("232.1.1.1"), {kSource}};
const Record kLeave{kBlock, ip("232.1.1.1"), {kSource}};

/// One gateway: a socket and what its Query gave it.
class Player {
 public:
  Player() : socket_(UdpSocket::bind({ip("127.0.0.1"), 0}, {}).value()) {}

  [[nodiscard]] TunnelEndpoint endpoint() const { return {socket_.local()}; }
  [[nodiscard]] const Grant& grant() const { return grant_; }

  void send(const Octets& octets) {
    const Bytes piece = octets;
    const Transmit message{.to = kRelay, .pieces = {&piece, 1}};
    socket_.send({&message, 1}, [](std::size_t, int) {});
  }
  /// A Request, its Query, and an Update. False: no Query came.
  bool join() {
    send(request(0x10000U + socket_.local().port));
    const Octets query = wait_for(4);
    if (query.size() < 12) return false;
    grant_ = {Octets(query.begin() + 2, query.begin() + 8), 0x10000U + socket_.local().port};
    send(update(grant_, report({kJoin})));
    return true;
  }
  void leave() { send(update(grant_, report({kLeave}))); }
  bool hears_data() { return !wait_for(6).empty(); }

 private:
  /// The next message of a type.
  Octets wait_for(unsigned type) {
    for (int round = 0; round < 1000; ++round) {
      pollfd ready{socket_.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 5000) != 1 || !socket_.receive(batch_)) return {};
      for (const Received& one : batch_.received()) {
        if (std::to_integer<unsigned>(one.bytes.front()) == type) return {one.bytes.begin(), one.bytes.end()};
      }
    }
    return {};
  }

  UdpSocket socket_;
  ReceiveBatch batch_{4};
  Grant grant_;
};

class RelayEngineWith : public InTestNamespace, public ::testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // What leaves by `near` arrives at `far`.
    ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
    ASSERT_TRUE(ok(add_address(find_link("near")->index, {kSource, 24})));
    ASSERT_TRUE(ok(set_link_up(find_link("near")->index)));
    ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
    RelayEngineOptions options;
    options.relay.advertise_v4 = kRelay.address;
    options.relay.requests_per_second_max = 0;
    options.relay.updates_per_second_max = 0;
    options.relay.gateway_fields = GatewayFieldsPolicy::kNever;
    options.local = {kRelay};
    options.upstream = {"far"};
    options.workers = GetParam();
    SysResult<std::unique_ptr<RelayEngine>> engine = RelayEngine::create(loop_, options, random_);
    ASSERT_TRUE(ok(engine));
    engine_ = std::move(*engine);
  }

  /// Runs the loop here and `play` on another thread, until that returns.
  void run(const std::function<void()>& play) {
    std::thread other([&] {
      play();
      loop_.post([this] { loop_.stop(); });
    });
    loop_.run();
    other.join();
  }
  /// From that thread, without asking the workers.
  std::vector<std::size_t> tunnels() {
    std::vector<std::size_t> counts;
    for (std::size_t i = 0; i < engine_->worker_count(); ++i) {
      counts.push_back(engine_->worker(i).relay().tunnel_count());
    }
    return counts;
  }
  std::size_t tunnels_in_all() {
    const std::vector<std::size_t> counts = tunnels();
    return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  }
  bool has_tunnels(std::size_t wanted) {
    for (int round = 0; round < 500; ++round) {
      if (tunnels_in_all() == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  EventLoop loop_;
  OsRandom random_;
  std::unique_ptr<RelayEngine> engine_;
};

TEST_P(RelayEngineWith, ServesGatewaysThatComeAndGo) {
  SysResult<UdpSocket> source = UdpSocket::bind({kSource, 0}, {.interface = "near"});
  ASSERT_TRUE(ok(source));
  const int ttl = 8;
  ASSERT_EQ(::setsockopt(source->fd(), IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), 0);
  std::atomic<bool> ended = false;
  std::thread stream([&] {
    const Octets payload(500);
    const Bytes piece = payload;
    const Transmit message{.to = {ip("232.1.1.1"), 5000}, .pieces = {&piece, 1}};
    while (!ended) {
      source->send({&message, 1}, [](std::size_t, int) {});
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  });

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
  ended = true;
  stream.join();
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
