/// Random histories of a client's life: relays die and come back, are full, serve nothing; channels are joined and
/// left; the network changes; another process takes over. After each step the invariants hold, and at the end whoever
/// can be served is.

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

constexpr std::array<std::string_view, 3> kSources = {"198.51.100.1", "198.51.100.2", "198.51.100.3"};
constexpr std::array<std::string_view, 3> kGroups = {"232.1.1.1", "232.1.1.2", "232.1.1.3"};
constexpr std::array<std::string_view, 3> kRelays = {"192.0.2.1", "192.0.2.2", "192.52.193.1"};
#ifdef AMT_SANITIZED
// A tenth: under the sanitizers each takes ten times as long.
constexpr std::uint64_t kHistories = 1'000;
#else
constexpr std::uint64_t kHistories = 10'000;
#endif
constexpr std::uint64_t kStepsMax = 12;
constexpr Duration kStepMax = std::chrono::seconds(4);
/// Hold-downs and back-off of a search: nothing is sought for longer.
constexpr Duration kRecoveryMax = std::chrono::minutes(12);

class History {
 public:
  explicit History(std::uint64_t seed) : draws_(seed), world_(seed + 1) {
    world_.options.search.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
    world_.options.gateway.missing = seconds(2);
    for (const std::string_view source : kSources) {
      if (chance(3)) continue;
      world_.name_relay(source, kRelays[draws_.below(2)], static_cast<unsigned>(draws_.below(3)));
      if (chance(2)) world_.name_relay(source, kRelays[draws_.below(2)], static_cast<unsigned>(draws_.below(3)));
    }
    for (const std::string_view relay : kRelays) world_.relay(relay).answers = !chance(4);
    world_.sockets_fail = chance(20);
    world_.answers_at_once = chance(2);
    world_.start();
  }

  void run() {
    for (std::uint64_t i = draws_.below(kStepsMax) + 1; i > 0 && !testing::Test::HasFatalFailure(); --i) {
      step();
      for (std::uint64_t packets = draws_.below(20); packets > 0; --packets) {
        play();
        world_.run_for(draws_.between(milliseconds(1), milliseconds(200)));
      }
      world_.run_for(draws_.between(Duration::zero(), kStepMax));
      check();
    }
    recover();
    world_.shut_down();
    world_.run_for(seconds(1));
    EXPECT_TRUE(world_.sockets.empty());
    EXPECT_EQ(world_.deadline, kNoDeadline);
    for (const auto& [at, relay] : world_.relays) {
      EXPECT_TRUE(!relay.answers || relay.gateways.empty()) << at.to_string() << " was not told of the end";
    }
  }

 private:
  bool chance(std::uint64_t of) { return draws_.below(of) == 0; }

  void step() {
    WorldRelay& relay = world_.relay(kRelays[draws_.below(kRelays.size())]);
    const std::size_t channel = draws_.below(kGroups.size());
    switch (draws_.below(8)) {
      case 0:
        relay.answers = !relay.answers;
        // A relay that restarts knows nobody.
        if (!relay.answers) relay.gateways.clear();
        break;
      case 1:
        relay.limit = !relay.limit;
        break;
      case 2:
        relay.serves = !relay.serves;
        break;
      case 3:
        world_.own_v4 = world_.own_v4 ? std::nullopt : std::optional(address("10.0.0.1"));
        world_.client->handle_network_change(world_.now);
        world_.drain();
        break;
      case 4:
        world_.take_over();
        break;
      default:
        if (wanted_.erase(channel) != 0) {
          world_.leave(kGroups[channel]);
        } else {
          wanted_.insert(channel);
          world_.join(kGroups[channel], include({kSources[channel]}));
        }
    }
  }
  void play() {
    for (const std::size_t channel : wanted_) world_.send(kSources[channel], kGroups[channel]);
  }
  void check() {
    const std::set<unsigned> distinct(world_.delivered.begin(), world_.delivered.end());
    EXPECT_EQ(distinct.size(), world_.delivered.size()) << "a packet was handed on twice";
    EXPECT_LE(world_.sockets.size(), 2 * kRelays.size() + 2);
  }
  /// Every relay works again: whatever is wanted comes.
  void recover() {
    if (world_.sockets_fail) return;
    world_.own_v4 = address("10.0.0.1");
    for (const std::string_view relay : kRelays) {
      WorldRelay& one = world_.relay(relay);
      one.answers = one.serves = true;
      one.limit = false;
    }
    world_.client->handle_network_change(world_.now);
    world_.drain();
    const Instant patience = world_.now + kRecoveryMax;
    std::size_t before = 0;
    for (bool all = false; !all && world_.now < patience;) {
      before = world_.delivered.size();
      play();
      world_.run_for(seconds(1));
      all = world_.delivered.size() - before == wanted_.size();
    }
    EXPECT_EQ(world_.delivered.size() - before, wanted_.size()) << "something that is wanted does not come\n"
                                                                << world_.log;
    check();
  }

  SeededRandom draws_;
  World world_;
  std::set<std::size_t> wanted_;
};

TEST(ClientHistory, HoldsItsInvariants) {
  for (std::uint64_t seed = 0; seed < kHistories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace amt::test
