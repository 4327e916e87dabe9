#include "io/steering.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

Steering steering(std::size_t workers, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  return {workers, random};
}

class SteeringOf : public InTestNamespace, public ::testing::WithParamInterface<Family> {
 protected:
  static constexpr std::size_t kWorkers = 5;

  static bool v4() { return GetParam() == Family::kIpv4; }
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (unsigned host = 1; host <= 9; ++host) {
      ASSERT_TRUE(
          ok(add_address(find_link("lo")->index, {address(host), v4() ? std::uint8_t{32} : std::uint8_t{128}})));
    }
  }
  static IpAddress address(unsigned host) {
    return *IpAddress::parse((v4() ? "192.0.2." : "2001:db8:1:2::") + std::to_string(host));
  }

  static std::vector<UdpSocket> bind(const Steering& by, const Endpoint& local) {
    SysResult<std::vector<UdpSocket>> sockets = by.bind(local, {});
    if (!sockets) throw std::runtime_error(sockets.error().to_string());
    return std::move(*sockets);
  }
  static UdpSocket gateway(unsigned host) {
    SysResult<UdpSocket> socket = UdpSocket::bind({address(host), 0}, {});
    if (!socket) throw std::runtime_error(socket.error().to_string());
    return std::move(*socket);
  }
  static void send(UdpSocket& from, const Endpoint& to) {
    const std::vector<std::byte> octets(8);
    const Bytes piece = octets;
    const Transmit message{.to = to, .pieces = {&piece, 1}};
    from.send({&message, 1}, [](const SendFailure& failure) { ADD_FAILURE() << "errno " << failure.code; });
  }
  using Arrivals = std::vector<std::vector<Endpoint>>;
  /// Which endpoints' datagrams are there, by worker.
  static std::size_t take(std::vector<UdpSocket>& sockets, Arrivals& all) {
    ReceiveBatch batch;
    std::size_t count = 0;
    for (std::size_t worker = 0; worker < sockets.size(); ++worker) {
      while (sockets[worker].receive(batch).value_or(0) != 0) {
        for (const Received& one : batch.received()) {
          if (std::ranges::find(all[worker], one.from) != all[worker].end()) continue;
          all[worker].push_back(one.from);
          ++count;
        }
      }
    }
    return count;
  }
  /// Whom a datagram of each of these gateways came to, by worker. On a machine whose queues other programs fill one
  /// may be late, or lost on its way and sent again.
  static Arrivals arrivals(std::vector<UdpSocket>& relay, std::span<UdpSocket> gateways) {
    constexpr int kTries = 20;
    constexpr int kRoundsOfATry = 50;
    constexpr int kRoundMs = 10;
    Arrivals all(relay.size());
    const auto has = [&](const Endpoint& gateway) {
      return std::ranges::any_of(
          all, [&](const auto& of_worker) { return std::ranges::find(of_worker, gateway) != of_worker.end(); });
    };
    std::size_t count = 0;
    for (int tries = 0; tries < kTries && count < gateways.size(); ++tries) {
      for (UdpSocket& one : gateways) {
        if (!has(one.local())) send(one, relay.front().local());
      }
      for (int round = 0; round < kRoundsOfATry && count < gateways.size(); ++round) {
        if (round > 0) ::poll(nullptr, 0, kRoundMs);
        count += take(relay, all);
      }
    }
    return all;
  }
};

TEST_P(SteeringOf, SendsAnEndpointToItsWorkerWhicheverAddressItSpeaksTo) {
  const Steering by = steering(kWorkers);
  std::vector<UdpSocket> unicast = bind(by, {address(1), 2268});
  std::vector<UdpSocket> anycast = bind(by, {address(2), 2268});
  std::vector<std::size_t> per_worker(kWorkers);
  std::vector<UdpSocket> gateways;
  for (unsigned i = 0; i < 200; ++i) gateways.push_back(gateway(3 + i % 7));
  for (std::vector<UdpSocket>* relay : {&unicast, &anycast}) {
    const Arrivals arrived = arrivals(*relay, gateways);
    std::size_t sum = 0;
    for (std::size_t worker = 0; worker < kWorkers; ++worker) {
      per_worker[worker] = arrived[worker].size();
      sum += arrived[worker].size();
      for (const Endpoint& from : arrived[worker]) EXPECT_EQ(by.worker_of(from), worker) << from.to_string();
    }
    EXPECT_EQ(sum, gateways.size());
  }
  // 40 each: a share as in a thousand others, or the hash is none.
  EXPECT_THAT(per_worker, Each(AllOf(Ge(15U), Le(75U))));
}

// The port is not where it usually is.
TEST_P(SteeringOf, LooksBehindIpv4OptionsForThePort) {
  if (!v4()) GTEST_SKIP() << "IPv6 has extension headers, whose datagrams are handed over";
  const Steering by = steering(kWorkers);
  std::vector<UdpSocket> relay = bind(by, {address(1), 2268});
  for (unsigned i = 0; i < 20; ++i) {
    UdpSocket one = gateway(3);
    const std::array<unsigned char, 8> options = {0x94, 4, 0, 0, 1, 1, 1, 0};  // Router Alert, three times nothing, end
    ASSERT_EQ(::setsockopt(one.fd(), IPPROTO_IP, IP_OPTIONS, options.data(), options.size()), 0);
    const Arrivals arrived = arrivals(relay, {&one, 1});
    EXPECT_EQ(arrived[by.worker_of(one.local())].size(), 1U);
  }
}

TEST_P(SteeringOf, SharesThePortWithNobodyElse) {
  const Steering by = steering(2);
  const std::vector<UdpSocket> relay = bind(by, {address(1), 2268});
  EXPECT_EQ(by.bind({address(1), 2268}, {}).error().code, EADDRINUSE);
  EXPECT_EQ(steering(1).bind({address(1), 2268}, {}).error().code, EADDRINUSE);
  // Nor does it join one that shares.
  SysResult<UdpSocket> other = UdpSocket::bind({address(2), 2268}, {.reuse_port = true});
  ASSERT_TRUE(ok(other));
  EXPECT_EQ(by.bind({address(2), 2268}, {}).error().code, EADDRINUSE);
}

TEST_P(SteeringOf, TakesAnyPortWhenAskedForNone) {
  const std::vector<UdpSocket> relay = bind(steering(3), {address(1), 0});
  ASSERT_EQ(relay.size(), 3U);
  EXPECT_NE(relay[0].local().port, 0);
  EXPECT_EQ(relay[2].local(), relay[0].local());
}

INSTANTIATE_TEST_SUITE_P(Families, SteeringOf, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& one) { return one.param == Family::kIpv4 ? "V4" : "V6"; });

TEST(Steering, SpreadsPortsOfOneAddressAndAddressesOfOnePort) {
  for (const std::size_t workers : {2U, 3U, 4U, 16U}) {
    const Steering by = steering(workers, workers);
    std::vector<std::size_t> ports(workers);
    std::vector<std::size_t> hosts(workers);
    constexpr unsigned kEndpoints = 16'000;
    for (unsigned i = 0; i < kEndpoints; ++i) {
      const IpAddress one = *IpAddress::parse("192.0.2.1");
      ++ports[by.worker_of({one, static_cast<std::uint16_t>(1024 + i)})];
      const std::string v6 = "2001:db8::" + std::to_string(i % 10000) + ":" + std::to_string(i / 10000);
      ++hosts[by.worker_of({*IpAddress::parse(v6), 2268})];
    }
    const std::size_t share = kEndpoints / workers;
    EXPECT_THAT(ports, Each(AllOf(Ge(share * 8 / 10), Le(share * 12 / 10)))) << workers;
    EXPECT_THAT(hosts, Each(AllOf(Ge(share * 8 / 10), Le(share * 12 / 10)))) << workers;
  }
}

TEST(Steering, CannotBeAimedWithoutTheKey) {
  const Steering one = steering(2, 1);
  const Steering other = steering(2, 2);
  unsigned same = 0;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    const Endpoint endpoint{*IpAddress::parse("192.0.2.1"), port};
    same += one.worker_of(endpoint) == other.worker_of(endpoint) ? 1 : 0;
  }
  EXPECT_GT(same, 400U);
  EXPECT_LT(same, 600U);
}

}  // namespace
}  // namespace amt
