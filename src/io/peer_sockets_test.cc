#include "io/peer_sockets.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <thread>

#include "io/udp_socket.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;

/// How long one waits for what must come. What need not come is waited for half a second.
constexpr int kPatienceMs = 10'000;
constexpr int kQuietMs = 500;

/// A peer on the loopback interface.
class Peer {
 public:
  explicit Peer(const char* address) : socket_(*UdpSocket::bind({*IpAddress::parse(address), 0}, {})) {}

  [[nodiscard]] const Endpoint& local() const { return socket_.local(); }
  /// Who sent which first octet.
  std::map<Endpoint, unsigned> received(std::size_t wanted) {
    std::map<Endpoint, unsigned> all;
    ReceiveBatch batch;
    pollfd ready{socket_.fd(), POLLIN, 0};
    while (all.size() < wanted && ::poll(&ready, 1, kPatienceMs) == 1 && socket_.receive(batch)) {
      for (const Received& one : batch.received()) all[one.from] = std::to_integer<unsigned>(one.bytes.front());
    }
    return all;
  }
  void send(const Endpoint& to, Bytes octets, std::size_t segment_octets = 0) {
    const Transmit message{.to = to, .pieces = {&octets, 1}, .segment_octets = segment_octets};
    EXPECT_EQ(socket_.send({&message, 1}, [](const SendFailure& failure) { ADD_FAILURE() << failure.code; }), 1U);
  }

 private:
  UdpSocket socket_;
};

/// Sizes of the datagrams that came, by socket.
std::map<std::size_t, std::vector<std::size_t>> arrived(PeerSockets& sockets, std::size_t wanted,
                                                        int patience_ms = kPatienceMs) {
  std::map<std::size_t, std::vector<std::size_t>> all;
  std::size_t count = 0;
  pollfd ready{sockets.fd(), POLLIN, 0};
  while (count < wanted && ::poll(&ready, 1, patience_ms) == 1) {
    sockets.receive([&](std::size_t socket, Bytes datagram, Instant, Instant) {
      all[socket].push_back(datagram.size());
      ++count;
    });
  }
  return all;
}

std::array<std::byte, 1> octet(std::size_t value) { return {static_cast<std::byte>(value)}; }

TEST(PeerSockets, HaveAPortEachAndAreToldApart) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    Peer peer(address);
    constexpr std::size_t kSockets = 100;
    SysResult<PeerSockets> sockets = PeerSockets::open(peer.local(), {}, kSockets);
    ASSERT_TRUE(sockets) << sockets.error().to_string();
    for (std::size_t i = 0; i < kSockets; ++i) EXPECT_EQ(sockets->send(i, octet(i)), 0);
    const std::map<Endpoint, unsigned> senders = peer.received(kSockets);
    ASSERT_EQ(senders.size(), kSockets);
    for (const auto& [endpoint, number] : senders) peer.send(endpoint, std::vector<std::byte>(number + 1));
    const auto answers = arrived(*sockets, kSockets);
    ASSERT_EQ(answers.size(), kSockets);
    for (const auto& [socket, sizes] : answers) EXPECT_THAT(sizes, ElementsAre(socket + 1));
    // Nothing is left.
    pollfd ready{sockets->fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 0), 0);
  }
}

TEST(PeerSockets, TakeTurnsOverTheLocalAddresses) {
  Peer peer("127.0.0.1");
  const std::vector<IpAddress> local = {*IpAddress::parse("127.0.0.2"), *IpAddress::parse("127.0.0.3")};
  SysResult<PeerSockets> sockets = PeerSockets::open(peer.local(), local, 4);
  ASSERT_TRUE(sockets);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(sockets->send(i, octet(i)), 0);
  for (const auto& [endpoint, number] : peer.received(4)) EXPECT_EQ(endpoint.address, local[number % 2]);
}

TEST(PeerSockets, CutWhatTheKernelMerged) {
  Peer peer("127.0.0.1");
  SysResult<PeerSockets> sockets = PeerSockets::open(peer.local(), {}, 1);
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->send(0, octet(0)), 0);
  const Endpoint gateway = peer.received(1).begin()->first;
  peer.send(gateway, std::vector<std::byte>(2500), 1000);
  EXPECT_THAT(arrived(*sockets, 3)[0], ElementsAre(1000, 1000, 500));
  peer.send(gateway, {});
  EXPECT_THAT(arrived(*sockets, 1)[0], ElementsAre(0));
}

TEST(PeerSockets, SayWhenItCameHoweverLongItWaits) {
  Peer peer("127.0.0.1");
  SysResult<PeerSockets> sockets = PeerSockets::open(peer.local(), {}, 1);
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->send(0, octet(0)), 0);
  const Endpoint gateway = peer.received(1).begin()->first;
  // The kernel's clock and ours are read one after the other, and a machine that stands still between the two makes an
  // error: not each time.
  constexpr Duration kWait = std::chrono::milliseconds(20);
  bool right = false;
  for (int tries = 0; tries < 50 && !right; ++tries) {
    const Instant before = monotonic_now();
    peer.send(gateway, octet(1));
    const Instant after = monotonic_now();
    pollfd ready{sockets->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, kPatienceMs), 1);
    std::this_thread::sleep_for(kWait);
    Instant came;
    sockets->receive([&](std::size_t, Bytes, Instant, Instant at) { came = at; });
    right = came >= before - kWait / 4 && came <= after + kWait / 4;
  }
  EXPECT_TRUE(right);
}

TEST(PeerSockets, GoOnAfterIcmpErrors) {
  std::optional<Peer> peer(std::in_place, "127.0.0.1");
  const Endpoint address = peer->local();
  SysResult<PeerSockets> sockets = PeerSockets::open(address, {}, 1);
  ASSERT_TRUE(sockets);
  peer.reset();
  // Each draws an ICMP error that the next send sees first.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sockets->send(0, octet(0)), 0);
  EXPECT_TRUE(arrived(*sockets, 1, kQuietMs).empty());
}

TEST(PeerSockets, CountWhatTheyWereTooSlowFor) {
  Peer peer("127.0.0.1");
  SysResult<PeerSockets> sockets = PeerSockets::open(peer.local(), {}, 1);
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->send(0, octet(0)), 0);
  const Endpoint gateway = peer.received(1).begin()->first;
  const std::vector<std::byte> large(60'000);
  for (int i = 0; i < 200; ++i) peer.send(gateway, large);
  arrived(*sockets, 200, kQuietMs);
  // The kernel tells with the next datagram that finds room.
  peer.send(gateway, octet(1));
  arrived(*sockets, 1);
  EXPECT_GT(sockets->receive_drops(), 0U);
}

TEST(PeerSockets, SayWhichAddressIsNotHere) {
  const std::vector<IpAddress> local = {*IpAddress::parse("203.0.113.9")};
  const SysResult<PeerSockets> sockets = PeerSockets::open({*IpAddress::parse("127.0.0.1"), 9}, local, 1);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().code, EADDRNOTAVAIL);
  EXPECT_NE(sockets.error().to_string().find("203.0.113.9"), std::string::npos);
}

}  // namespace
}  // namespace amt
