#pragma once
/// A relay on real sockets, in a namespace, and gateways that ask it. For tests with the thread sanitizer (`make
/// tsan`).

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/relay/relay_engine.hh"
#include "membership/handmade_datagrams.hh"
#include "sys/os_random.hh"
#include "sys/test_namespace.hh"

namespace amt::relay_engine_test {

using namespace relay_test;

inline const Endpoint kRelay{ip("127.0.0.1"), kAmtPort};
inline const IpAddress kSource = ip("198.51.100.10");
inline const Record kJoin{kAllow, ip("232.1.1.1"), {kSource}};
inline const Record kLeave{kBlock, ip("232.1.1.1"), {kSource}};

/// One gateway: a socket and what its Query gave it.
class Player {
 public:
  Player() : socket_(UdpSocket::bind({ip("127.0.0.1"), 0}, {}).value()) {}

  [[nodiscard]] TunnelEndpoint endpoint() const { return {socket_.local()}; }
  [[nodiscard]] const Grant& grant() const { return grant_; }

  void send(const Octets& octets) {
    const Bytes piece = octets;
    const Transmit message{.to = kRelay, .pieces = {&piece, 1}};
    socket_.send({&message, 1}, [](const SendFailure&) {});
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
      if (::poll(&ready, 1, 30'000) != 1 || !socket_.receive(batch_)) return {};
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
    options.relay.answers.queries_per_address_max = 0;
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
    std::thread other([&] {  // allow: a test's own
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
    for (int round = 0; round < 3000; ++round) {
      if (tunnels_in_all() == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  EventLoop loop_;
  OsRandom random_;
  std::unique_ptr<RelayEngine> engine_;
};

/// Packets of the channel, until the end of this object.
class Stream {
 public:
  Stream() : source_(UdpSocket::bind({kSource, 0}, {.interface = "near"}).value()) {
    const int ttl = 8;
    EXPECT_EQ(::setsockopt(source_.fd(), IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), 0);
    thread_ = std::thread([this] {  // allow: a test's own
      const Octets payload(500);
      const Bytes piece = payload;
      const Transmit message{.to = {ip("232.1.1.1"), 5000}, .pieces = {&piece, 1}};
      while (!ended_) {
        source_.send({&message, 1}, [](const SendFailure&) {});
        std::this_thread::sleep_for(std::chrono::microseconds(500));
      }
    });
  }
  ~Stream() {
    ended_ = true;
    thread_.join();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

 private:
  UdpSocket source_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;  // allow: a test's own
};

}  // namespace amt::relay_engine_test
