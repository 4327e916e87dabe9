/// A relay's state as a document, and another relay that goes on with it.

#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>

#include "relay/admission_recount.hh"
#include "relay/relay_restorer.hh"
#include "relay/relay_test_support.hh"
#include "relay/state_document.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr BootId kBoot{std::byte{1}, std::byte{2}};
constexpr Duration kAgeMax = std::chrono::minutes(1);
const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
const TunnelEndpoint kThree = endpoint("2001:db8::3", 51002);
const IpAddress kSource = ip("198.51.100.12");
const IpAddress kOther = ip("198.51.100.13");
const Record kSsm{kAllow, ip("232.1.2.3"), {kSource, kOther}};
const Record kAny{kIsEx, ip("239.1.2.3"), {kOther}};
const Record kV6{kAllow, ip("ff3e::8000:1"), {ip("2001:db8:9::1")}};

Octets document_of(World& world) {
  StateRecords records(world.now);
  records.add(SharedState{world.shared->seed, world.shared->since, 7, 1, false, {local("192.0.2.100")}});
  static_cast<void>(world.relay.visit_states(0, SIZE_MAX >> 1, [&](const TunnelState& state) {
    records.add(state);
    return true;
  }));
  static_cast<void>(world.relay.visit_uses(0, SIZE_MAX >> 1, [&](const TunnelUse& use) {
    records.add(use);
    return true;
  }));
  world.relay.for_each_channel([&](const Relay::ChannelStatus& channel) { records.add(channel); });
  world.relay.counters().for_each([&](std::string_view name, std::uint64_t value) { records.add(name, value); });
  world.relay.rejects().for_each([&](std::string_view name, std::uint64_t value) { records.add(name, value); });
  StateDocument document(kRelayState, kBoot, world.now);
  document.append(records.octets());
  return document.finish();
}

std::string opened(Bytes document, Instant now, const BootId& boot = kBoot) {
  const Result<StateReader, StateRefusal> reader = StateReader::open(document, boot, now, kAgeMax);
  return reader ? "" : std::string(to_string(reader.error()));
}

/// Another relay that went on with `document`, so much later.
class Heir {
 public:
  Heir(Bytes document, Instant now, RelayOptions options = World::options())
      : world(options, shared_of(document, now)) {
    world.now = now;
    const auto reader = StateReader::open(document, kBoot, now, kAgeMax);
    RelayRestorer restorer({{&world.relay}, [](const Endpoint&) { return 0; }, {local("192.0.2.100")}}, now);
    reader->visit(restorer);
    restorer.finish();
    restored = restorer.restored();
    left_out = restorer.left_out();
    world.handle_timeout();
  }

  World world;
  std::size_t restored = 0;
  std::size_t left_out = 0;

 private:
  static std::shared_ptr<RelayShared> shared_of(Bytes document, Instant now) {
    SeededRandom random(99);
    auto shared = std::make_shared<RelayShared>(World::options(), random, now);
    const auto reader = StateReader::open(document, kBoot, now, kAgeMax);
    EXPECT_TRUE(reader && reader->shared());
    if (!reader || !reader->shared()) return shared;
    shared->seed = reader->shared()->seed;
    shared->since = reader->shared()->since;
    return shared;
  }
};

void join_all(World& world) {
  world.join(kOne, kSsm);
  const Grant grant = world.join(kTwo, kAny);
  world.pass(seconds(20));
  world.send(kTwo, update(grant, report({{kAllow, kSsm.group, {kSource}}})));
  world.join(kThree, kV6);
}

void send_data(World& world, const IpAddress& source, const IpAddress& group, std::uint64_t octets) {
  world.relay.count_channel(source, group, 1, octets);
  world.relay.targets(source, group).for_each([&](TunnelId id) {
    RelayTunnel& tunnel = world.relay.tunnel(id);
    ++tunnel.packets;
    tunnel.bytes += octets;
    if (tunnel.counts_channels) world.relay.count_sent(id, source, group, 1, octets);
  });
}

TEST(RelayState, ComesBackAsItWas) {
  World before;
  join_all(before);
  send_data(before, kSource, kSsm.group, 100);
  const Octets document = document_of(before);
  Heir heir(document, before.now);
  EXPECT_EQ(heir.restored, 3U);
  EXPECT_EQ(heir.left_out, 0U);
  // All that can be said of it is said alike: tunnels, timers, channels, counters.
  EXPECT_EQ(to_hex(document_of(heir.world)), to_hex(document));
  EXPECT_THAT(heir.world.upstream,
              UnorderedElementsAre("232.1.2.3 INCLUDE{198.51.100.12, 198.51.100.13}",
                                   "239.1.2.3 EXCLUDE{198.51.100.13}", "ff3e::8000:1 INCLUDE{2001:db8:9::1}"));
  EXPECT_THAT(heir.world.ports("198.51.100.12", "232.1.2.3"), UnorderedElementsAre(51000U, 51001U));
  const Relay* const relay = &heir.world.relay;
  EXPECT_TRUE(agrees_with_recount(heir.world.shared->admission, {&relay, 1}));
}

TEST(RelayState, TakesUpdatesUnderMacsOfTheRelayBefore) {
  World before;
  const Grant pending = before.ask(kTwo);
  const Grant used = before.join(kOne, kSsm);
  const Octets document = document_of(before);
  Heir heir(document, before.now + seconds(1));
  EXPECT_EQ(heir.world.send(kTwo, update(pending, report({kSsm}))), "");
  EXPECT_EQ(heir.world.send(kOne, update(used, report({{kBlock, kSsm.group, {kOther}}}))), "");
  EXPECT_THAT(heir.world.ports("198.51.100.13", "232.1.2.3"), ElementsAre(51001U));
}

TEST(RelayState, TimersGoOnFromWhereTheyWere) {
  World before;
  join_all(before);
  Heir heir(document_of(before), before.now);
  const Duration to_first = before.deadline - before.now;
  EXPECT_EQ(heir.world.deadline, before.deadline);
  heir.world.pass(to_first - milliseconds(1));
  EXPECT_EQ(heir.world.relay.tunnel_count(), 3U);
  heir.world.pass(milliseconds(1));
  EXPECT_EQ(heir.world.relay.tunnel_count(), 2U);
}

TEST(RelayState, WhatEndedMeanwhileEndsAtOnce) {
  World before;
  before.join(kOne, kSsm);
  before.pass(seconds(259));
  Heir heir(document_of(before), before.now + seconds(5));
  EXPECT_EQ(heir.restored, 1U);
  EXPECT_EQ(heir.world.relay.tunnel_count(), 0U);
  EXPECT_EQ(heir.world.count(RelayCounter::kTunnelsExpired), 1U);
}

TEST(RelayState, OlderHostsStayOlder) {
  World before;
  const Grant grant = before.ask(kOne);
  ASSERT_EQ(before.send(kOne, update(grant, igmp_short("16", kAny.group, kAny.group))), "");
  Heir heir(document_of(before), before.now);
  // RFC 3376 §7.3.2: in mode IGMPv2 a BLOCK is ignored.
  EXPECT_EQ(heir.world.send(kOne, update(grant, report({{kBlock, kAny.group, {kSource}}}))), "");
  EXPECT_THAT(heir.world.ports("198.51.100.12", "239.1.2.3"), ElementsAre(51000U));
}

TEST(RelayState, HasToFitTheLimitsOfTheRelayThatTakesOver) {
  World before;
  join_all(before);
  RelayOptions narrow = World::options();
  narrow.sources_per_group_max = 1;
  narrow.allowed_groups = {{ip("232.0.0.0"), 8}};
  Heir heir(document_of(before), before.now, narrow);
  EXPECT_EQ(heir.restored, 2U);
  EXPECT_EQ(heir.left_out, 1U);
  EXPECT_THAT(heir.world.ports("198.51.100.13", "232.1.2.3"), IsEmpty());
  EXPECT_THAT(heir.world.ports("198.51.100.12", "239.1.2.3"), IsEmpty());
  const Relay* const relay = &heir.world.relay;
  EXPECT_TRUE(agrees_with_recount(heir.world.shared->admission, {&relay, 1}));
}

TEST(RelayState, EventsGoOnAndDoNotBeginAgain) {
  RelayOptions options = World::options();
  options.with_events = true;
  World before(options);
  before.join(kOne, kSsm);
  send_data(before, kSource, kSsm.group, 100);
  static_cast<void>(before.relay.take_events());
  before.pass(seconds(10));
  Heir heir(document_of(before), before.now, options);
  EXPECT_THAT(heir.world.relay.take_events(), IsEmpty());
  send_data(heir.world, kSource, kSsm.group, 50);
  heir.world.pass(seconds(10));
  heir.world.relay.shutdown(heir.world.now);
  std::vector<std::string> ends;
  for (const RelayEvent& event : heir.world.relay.take_events()) {
    EXPECT_TRUE(event.is_end());
    EXPECT_EQ(event.at - event.since, seconds(20));
    const bool is_tunnel = event.kind == RelayEvent::Kind::kTunnelEnd;
    ends.push_back((is_tunnel ? "tunnel" : event.channel.to_string()) + " " + std::to_string(event.packets) + "/" +
                   std::to_string(event.octets));
  }
  EXPECT_THAT(ends,
              UnorderedElementsAre("198.51.100.12@232.1.2.3 2/150", "198.51.100.13@232.1.2.3 0/0", "tunnel 2/150"));
}

TEST(RelayState, DamageIsFound) {
  World before;
  join_all(before);
  const Octets document = document_of(before);
  ASSERT_EQ(opened(document, before.now), "");
  for (std::size_t at = 0; at < document.size(); ++at) {
    Octets damaged = document;
    damaged[at] ^= std::byte{0x10};
    ASSERT_NE(opened(damaged, before.now), "") << at;
    ASSERT_NE(opened(Bytes(document).first(at), before.now), "") << at;
  }
  Octets longer = document;
  longer.push_back(std::byte{0});
  EXPECT_EQ(opened(longer, before.now), "damaged");
}

TEST(RelayState, IsOfThisReleaseThisBootAndNotOld) {
  World before;
  const Octets document = document_of(before);
  EXPECT_EQ(opened(document, before.now + kAgeMax), "");
  EXPECT_EQ(opened(document, before.now + kAgeMax + milliseconds(1)), "too old");
  EXPECT_EQ(opened(document, before.now, BootId{}), "of before this machine started");
  EXPECT_EQ(opened(document, before.now - milliseconds(1)), "of before this machine started");
  Octets other_version = document;
  other_version[11] = std::byte{2};
  EXPECT_EQ(opened(other_version, before.now), "of a release that keeps its state in another form");
  EXPECT_EQ(opened(Octets(100), before.now), "not that of such a program");
  EXPECT_EQ(opened({}, before.now), "not that of such a program");
}

/// As a worker does it (`RelayWorker::append_state`): between two slices data has its turn.
TEST(RelayState, OfManyTunnelsIsWrittenInShortSlices) {
  constexpr std::uint32_t kTunnels = 100'000;
  constexpr std::size_t kSliceNumbers = 512;
  RelayOptions options = World::options();
  options.limits.tunnels_max = 2 * kTunnels;
  options.limits.tunnels_per_address_max = 2 * kTunnels;
  options.limits.channels_per_address_max = 2 * kTunnels;
  World world(options);
  TunnelState state;
  state.endpoint = kOne;
  state.local = local("192.0.2.100");
  state.since = world.now;
  state.expires = world.now + seconds(200);
  RouterGroupState& group = state.groups.emplace_back();
  group.group = kSsm.group;
  group.sources = {{kSource, state.expires}};
  for (std::uint32_t i = 0; i < kTunnels; ++i) {
    state.endpoint.address = address_after(ip("10.0.0.0"), i);
    ASSERT_TRUE(world.relay.restore_tunnel(world.now, state));
  }
  using Clock = std::chrono::steady_clock;
  StateDocument document(kRelayState, kBoot, world.now);
  const auto began = Clock::now();
  auto longest = Clock::duration::zero();
  for (std::optional<std::uint32_t> next = 0; next;) {
    const auto slice_began = Clock::now();
    StateRecords records(world.now);
    const std::uint32_t from = *next;
    next = world.relay.visit_states(from, kSliceNumbers, [&](const TunnelState& one) {
      records.add(one);
      return true;
    });
    static_cast<void>(world.relay.visit_uses(from, kSliceNumbers, [&](const TunnelUse& use) {
      records.add(use);
      return true;
    }));
    longest = std::max(longest, Clock::now() - slice_began);
    document.append(records.octets());
  }
  const std::vector<std::byte> octets = document.finish();
  const auto milliseconds_of = [](Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  std::printf("%u tunnels: %zu octets in %.0f ms, the longest slice %.2f ms\n", kTunnels, octets.size(),
              milliseconds_of(Clock::now() - began), milliseconds_of(longest));
  const auto reading = Clock::now();
  World heir(options);
  heir.now = world.now;
  const auto reader = StateReader::open(octets, kBoot, world.now, kAgeMax);
  ASSERT_TRUE(reader);
  RelayRestorer restorer({{&heir.relay}, [](const Endpoint&) { return 0; }, {local("192.0.2.100")}}, world.now);
  reader->visit(restorer);
  EXPECT_EQ(restorer.restored(), kTunnels);
  std::printf("read and taken over in %.0f ms\n", milliseconds_of(Clock::now() - reading));
}

}  // namespace
}  // namespace amt
