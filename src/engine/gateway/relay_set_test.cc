#include "engine/gateway/relay_set.hh"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "engine/gateway/receiver.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/played_relay.hh"
#include "engine/runtime/virtual_time.hh"
#include "sys/os_random.hh"

namespace amt::test {
namespace {

constexpr std::string_view kGroup = "232.1.1.1";
constexpr std::string_view kSource = "198.51.100.1";
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
  template <typename Condition>
  bool run_until(Condition condition) {
    return test::run_until(loop_, condition);
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

class RelaySetInTime : public testing::Test {
 protected:
  void create(std::vector<Endpoint> relays) {
    RelaySetOptions options;
    for (const Endpoint& relay : relays) {
      options.client.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
    }
    options.on_relay = [this](const IpAddress& relay) { chosen_.push_back(relay); };
    SysResult<std::unique_ptr<RelaySet>> set =
        RelaySet::create(time_.loop(), std::move(options), random_, [](Instant, const ClientPackets&) {});
    ASSERT_TRUE(set) << set.error().to_string();
    set_ = std::move(*set);
    ASSERT_TRUE(set_->set_membership(address(kGroup), include({kSource})));
  }

  OsRandom random_;
  VirtualTime time_;
  std::vector<IpAddress> chosen_;
  std::unique_ptr<RelaySet> set_;
};

TEST_F(RelaySetInTime, AnotherRelayTakesOverWhenTheFirstFallsSilent) {
  PlayedRelay first(time_.loop(), "127.0.0.1");
  PlayedRelay second(time_.loop(), "127.0.0.2");
  create({first.endpoint(), second.endpoint()});
  // Not so long that a relay through which nothing comes is given up.
  time_.pass(seconds(2));
  ASSERT_EQ(chosen_, std::vector{address("127.0.0.1")});
  ASSERT_GT(first.count(kUpdate), 0U);
  first.answers = false;
  // The next periodic Request finds nobody.
  time_.pass(seconds(600));
  EXPECT_EQ(chosen_, (std::vector{address("127.0.0.1"), address("127.0.0.2")}));
  EXPECT_GT(second.count(kUpdate), 0U);
}

TEST_F(RelaySetInTime, AsksItsRelayOnceInAQueryInterval) {
  PlayedRelay relay(time_.loop(), "127.0.0.1");
  create({relay.endpoint()});
  time_.pass(seconds(10));
  const std::size_t before = relay.count(kRequest);
  constexpr int kIntervals = 40;
  time_.pass(kIntervals * seconds(125));
  EXPECT_NEAR(static_cast<double>(relay.count(kRequest) - before), kIntervals, kIntervals / 4);
}

TEST_F(RelaySetInTime, ARelayThatComesLateIsFound) {
  PlayedRelay relay(time_.loop(), "127.0.0.1");
  relay.answers = false;
  create({relay.endpoint()});
  time_.pass(std::chrono::minutes(20));
  EXPECT_EQ(relay.count(kUpdate), 0U);
  EXPECT_GT(relay.count(kRequest), 2U);
  relay.answers = true;
  time_.pass(std::chrono::minutes(10));
  EXPECT_GT(relay.count(kUpdate), 0U);
}

}  // namespace
}  // namespace amt::test
