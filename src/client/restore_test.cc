/// A client that goes on with what another one knew: relays and sources do not notice.

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

class Restored : public testing::Test {
 protected:
  /// Several that were named: they are raced.
  void name(std::initializer_list<std::string_view> relays) {
    for (const std::string_view relay : relays) {
      world.options.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, endpoint(relay)});
      world.relay(relay);
    }
  }
  void watch() {
    world.start();
    world.join(kGroup, include({kSource}));
    world.run_for(seconds(2));
    play(20);
    ASSERT_EQ(world.delivered.size(), 20U) << world.log;
  }
  void play(std::size_t packets) {
    for (std::size_t i = 0; i < packets; ++i) {
      world.send(kSource, kGroup);
      world.run_for(milliseconds(20));
    }
  }
  [[nodiscard]] std::size_t requests() const {
    std::size_t sum = 0;
    for (const auto& [at, relay] : world.relays) sum += relay.requests;
    return sum;
  }
  /// Over some changes of the process nothing is lost, comes twice, or is asked of a relay.
  void expect_unnoticed() {
    const std::size_t asked = requests();
    const std::string log = std::exchange(world.log, {});
    world.delivered.clear();
    for (int i = 0; i < 10; ++i) {
      world.send(kSource, kGroup);
      world.take_over();
      play(10);
    }
    EXPECT_EQ(world.delivered.size(), 110U);
    EXPECT_EQ(requests(), asked) << world.log;
    EXPECT_EQ(world.relay(kFirst).teardowns, 0U);
    EXPECT_EQ(world.log, "") << "nothing happened, so nothing is said";
  }

  World world;
};

TEST_F(Restored, WithOneRelayThatWasGiven) {
  name({kFirst});
  watch();
  expect_unnoticed();
}

TEST_F(Restored, WithARelayThatWonARace) {
  name({kFirst, kSecond});
  watch();
  expect_unnoticed();
}

TEST_F(Restored, WithTheSourcesOwnRelay) {
  world.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
  world.name_relay(kSource, kFirst);
  watch();
  expect_unnoticed();
}

TEST_F(Restored, AsksTheDnsAgainWhenTheRecordsLifeEnds) {
  world.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
  world.name_relay(kSource, kFirst);
  watch();
  world.take_over();
  world.dns.clear();
  world.name_relay(kSource, kSecond);
  for (int i = 0; i < 400; ++i) {
    play(1);
    world.run_for(seconds(10));
  }
  EXPECT_FALSE(world.relay(kSecond).gateways.empty()) << world.log;
}

TEST_F(Restored, GoesOnWithASearch) {
  world.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
  world.name_relay(kSource, kFirst);
  world.start();
  world.join(kGroup, include({kSource}));
  world.take_over();
  world.run_for(milliseconds(25));
  world.take_over();
  world.run_for(seconds(2));
  play(10);
  EXPECT_EQ(world.delivered.size(), 10U) << world.log;
}

TEST_F(Restored, NoticesANetworkThatChangedMeanwhile) {
  name({kFirst, kSecond});
  watch();
  world.own_v4 = address("10.0.0.2");
  world.take_over();
  play(10);
  EXPECT_TRUE(world.said("the network changed")) << world.log;
}

TEST_F(Restored, WithTheRelayBehindADiscoveryAddress) {
  world.options.gateway.candidates = {{RelayCandidate::Kind::kDiscovery, endpoint(kFirst)}};
  world.relay(kFirst);
  watch();
  expect_unnoticed();
}

TEST_F(Restored, BeginsAnewWhereRelaysAreChosenInAnotherWay) {
  name({kFirst});
  watch();
  name({kSecond});
  world.take_over();
  world.join(kGroup, include({kSource}));
  EXPECT_TRUE(world.said("tunnels begin anew"));
  world.run_for(seconds(2));
  world.delivered.clear();
  play(10);
  EXPECT_EQ(world.delivered.size(), 10U);
}

TEST_F(Restored, LeavesARelayThatIsNotNamedAnyMore) {
  name({kFirst});
  watch();
  world.options.gateway.candidates.clear();
  name({kSecond});
  world.take_over();
  world.run_for(seconds(2));
  EXPECT_FALSE(world.relay(kSecond).gateways.empty()) << world.log;
}

TEST_F(Restored, GoesOnNatively) {
  name({kFirst});
  world.options.native = true;
  world.start();
  world.join(kGroup, include({kSource}));
  world.run_for(milliseconds(500));
  play(10);
  world.natively.clear();
  const std::size_t asked = requests();
  world.take_over();
  EXPECT_EQ(world.natively, std::vector<std::string>{"232.1.1.1 INCLUDE{198.51.100.1}"});
  play(30);
  EXPECT_EQ(world.delivered.size(), 40U);
  EXPECT_EQ(requests(), asked);
}

/// What a client does by itself until `end`.
void live(Client& client, Instant now, Instant end) {
  for (int step = 0; step < 300 && now < end; ++step) {
    const ClientOutput output = client.poll_output();
    if (const auto* ask = std::get_if<AskSource>(&output)) {
      client.handle_source_answer(now, ask->destination, address("10.0.0.1"));
    } else if (const auto* deadline = std::get_if<ClientDeadline>(&output)) {
      now = std::max(now, deadline->at);
      if (now < end) client.handle_timeout(now);
    }
  }
}

void expect_damage_does_no_harm(World& world) {
  // A life of a client is long: every third octet, each kind of field by another one.
  constexpr std::size_t kStep = 3;
  std::size_t refused = 0;
  std::size_t taken = 0;
  for_each_damage(
      world.record(),
      [&](const StateOctets& damaged) {
        SeededRandom random(3);
        StateRecordReader in(damaged, world.now);
        Client next(world.options, random, world.now, in);
        if (!in.is_good()) {
          ++refused;
          return;
        }
        ++taken;
        live(next, world.now, world.now + seconds(100));
        static_cast<void>(next.set_membership(world.now + seconds(100), address(kGroup), {}));
        next.shutdown(world.now + seconds(100));
      },
      kStep);
  EXPECT_GT(refused, 100U);
  EXPECT_GT(taken, 100U);
}

TEST_F(Restored, FromADamagedRecordRefusesOrLivesOn) {
  name({kFirst});
  watch();
  expect_damage_does_no_harm(world);
}

TEST_F(Restored, FromADamagedRecordOfSearchesRefusesOrLivesOn) {
  world.options.native = true;
  world.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
  world.name_relay(kSource, kFirst);
  world.start();
  world.join(kGroup, include({kSource}));
  world.join("239.1.1.1", exclude({}));
  world.run_for(seconds(2));
  play(5);
  expect_damage_does_no_harm(world);
}

}  // namespace
}  // namespace amt::test
