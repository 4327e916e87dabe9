#include "engine/gateway/relay_set.hh"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <vector>

#include "engine/gateway/receiver.hh"
#include "engine/runtime/event_loop.hh"
#include "gateway/test_bench.hh"
#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/os_random.hh"

namespace amt::test {
namespace {

constexpr std::string_view kGroup = "232.1.1.1";
constexpr std::string_view kSource = "198.51.100.1";
/// So long a machine may be busy with other things.
constexpr Duration kPatience = std::chrono::seconds(60);

/// A relay on loopback that the test plays: it answers Requests, and keeps what it is sent.
class PlayedRelay {
 public:
  PlayedRelay(EventLoop& loop, std::string_view at)
      : socket_(UdpSocket::bind({address(at), 0}, {}).value()), watch_(loop, socket_.fd(), [this] { on_readable(); }) {}

  [[nodiscard]] Endpoint endpoint() const { return socket_.local(); }
  [[nodiscard]] std::size_t count(std::uint8_t type) const {
    const auto found = counts_.find(type);
    return found == counts_.end() ? 0 : found->second;
  }
  /// To whoever sent the last Update.
  void send(const Octets& message) { send_to(gateway_, message); }

  bool answers = true;

 private:
  void on_readable() {
    ASSERT_TRUE(socket_.receive(received_));
    for (const Received& message : received_.received()) {
      const Sent sent{{}, message.from, Octets(message.bytes.begin(), message.bytes.end())};
      ++counts_[sent.type()];
      if (sent.type() == kUpdate) gateway_ = message.from;
      if (sent.type() != kRequest || !answers) continue;
      QueryText query;
      query.nonce = sent.nonce();
      send_to(message.from, sent.is_mld_request() ? query.mld() : query.igmp());
    }
  }
  void send_to(const Endpoint& to, const Octets& octets) {
    const Bytes piece = octets;
    const Transmit message{.to = to, .pieces = {&piece, 1}};
    EXPECT_EQ(socket_.send({&message, 1}, [](const SendFailure&) {}), 1U);
  }

  UdpSocket socket_;
  ReceiveBatch received_{16};
  std::map<std::uint8_t, std::size_t> counts_;
  Endpoint gateway_;
  ReadWatch watch_;
};

class RelaySetTest : public testing::Test {
 protected:
  void create(std::vector<Endpoint> relays) {
    RelaySetOptions options;
    for (const Endpoint& relay : relays) {
      options.client.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
    }
    options.on_relay = [this](const IpAddress& relay) { chosen_.push_back(relay); };
    SysResult<std::unique_ptr<RelaySet>> set =
        RelaySet::create(loop_, std::move(options), random_, [this](Instant, const ClientPackets& packets) {
          for (const DataPacket& packet : packets.datagrams) groups_.push_back(packet.destination);
        });
    ASSERT_TRUE(set) << set.error().to_string();
    set_ = std::move(*set);
    ASSERT_TRUE(set_->set_membership(address(kGroup), include({kSource})));
  }
  /// False: it did not happen.
  template <typename Condition>
  bool run_until(Condition condition) {
    const Instant end = monotonic_now() + kPatience;
    std::optional<Timer> look;
    look.emplace(loop_, [&] {
      if (condition() || monotonic_now() > end) return loop_.stop();
      look->set(monotonic_now() + milliseconds(2));
    });
    look->set(monotonic_now());
    loop_.run();
    return condition();
  }

  OsRandom random_;
  EventLoop loop_;
  std::vector<IpAddress> chosen_;
  std::vector<IpAddress> groups_;
  std::unique_ptr<RelaySet> set_;
};

TEST_F(RelaySetTest, HandsOnWhatTheRelaySends) {
  PlayedRelay relay(loop_, "127.0.0.1");
  create({relay.endpoint()});
  ASSERT_TRUE(run_until([&] { return relay.count(kUpdate) != 0; }));
  relay.send(udp_data(kSource, kGroup));
  ASSERT_TRUE(run_until([&] { return !groups_.empty(); }));
  EXPECT_EQ(groups_, std::vector{address(kGroup)});
  EXPECT_EQ(chosen_, std::vector{address("127.0.0.1")});
  EXPECT_EQ(set_->client().counters()[GatewayCounter::kDataReceived], 1U);
}

TEST_F(RelaySetTest, ShutdownTellsTheRelayBeforeItReturns) {
  PlayedRelay relay(loop_, "127.0.0.1");
  create({relay.endpoint()});
  ASSERT_TRUE(run_until([&] { return relay.count(kUpdate) != 0; }));
  const auto messages = [&] { return relay.count(kUpdate) + relay.count(kTeardown); };
  const std::size_t before = messages();
  set_->shutdown();
  set_.reset();
  EXPECT_TRUE(run_until([&] { return messages() > before; }));
}

TEST_F(RelaySetTest, TakesTheRelayThatAnswers) {
  PlayedRelay dead(loop_, "127.0.0.2");
  PlayedRelay relay(loop_, "127.0.0.3");
  dead.answers = false;
  create({dead.endpoint(), relay.endpoint()});
  ASSERT_TRUE(run_until([&] { return relay.count(kUpdate) != 0; }));
  EXPECT_EQ(chosen_, std::vector{address("127.0.0.3")});
  EXPECT_EQ(dead.count(kUpdate), 0U);
}

TEST_F(RelaySetTest, IsNotCreatedWithAnAddressOfAnotherHost) {
  RelaySetOptions options;
  options.client.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, endpoint("127.0.0.1")});
  options.client.local = address("192.0.2.77");
  const SysResult<std::unique_ptr<RelaySet>> set =
      RelaySet::create(loop_, std::move(options), random_, [](Instant, const ClientPackets&) {});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, EADDRNOTAVAIL);
}

TEST_F(RelaySetTest, AReceiverHandsOnPayloadsOfItsPort) {
  PlayedRelay relay(loop_, "127.0.0.1");
  ReceiverOptions options;
  options.relays.client.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay.endpoint()});
  options.channel = {address(kSource), address(kGroup)};
  options.port = 5001;
  std::vector<Endpoint> sources;
  auto receiver = Receiver::create(loop_, std::move(options), random_, [&](Instant, std::span<const Payload> packets) {
    for (const Payload& packet : packets) sources.push_back(packet.source);
  });
  ASSERT_TRUE(receiver);
  ASSERT_TRUE(run_until([&] { return relay.count(kUpdate) != 0; }));
  Octets other = udp_data(kSource, kGroup);
  constexpr std::size_t kDestinationPortAt = 2 + 20 + 2;
  put_u16(other, kDestinationPortAt, 5002);
  relay.send(other);
  relay.send(udp_data(kSource, kGroup));
  ASSERT_TRUE(run_until([&] { return !sources.empty(); }));
  EXPECT_EQ(sources, std::vector{endpoint("198.51.100.1:5000")});
  EXPECT_EQ((*receiver)->client().payload_drops().other_port, 1U);
  EXPECT_FALSE((*receiver)->native());
  (*receiver)->shutdown();
}

}  // namespace
}  // namespace amt::test
