#include <gmock/gmock.h>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
const IpAddress kGroup = ip("232.1.2.3");
const IpAddress kAnyGroup = ip("239.1.2.3");
const IpAddress kSource = ip("198.51.100.12");
const IpAddress kOther = ip("198.51.100.13");
const Record kJoin{kAllow, kGroup, {kSource}};
const Record kLeave{kBlock, kGroup, {kSource}};

RelayOptions with_events() {
  RelayOptions options = World::options();
  options.with_events = true;
  return options;
}

/// `end 51000 198.51.100.12@232.1.2.3 left 10s 3/300`
std::string text_of(const RelayEvent& event) {
  using Kind = RelayEvent::Kind;
  std::string text = event.is_end() ? "end " : "begin ";
  text += std::to_string(event.endpoint.port);
  if (event.kind == Kind::kChannelBegin || event.kind == Kind::kChannelEnd) text += " " + event.channel.to_string();
  if (!event.is_end()) return text;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(event.at - event.since);
  text += " " + std::string(to_string(event.reason)) + " " + std::to_string(seconds.count()) + "s ";
  return text + std::to_string(event.packets) + "/" + std::to_string(event.octets);
}

std::vector<std::string> events_of(World& world) {
  std::vector<std::string> texts;
  for (const RelayEvent& event : world.relay.take_events()) texts.push_back(text_of(event));
  return texts;
}

/// As the fan-out does when a packet has gone to all who want it.
void send_data(World& world, const IpAddress& source, const IpAddress& group, std::uint64_t octets) {
  world.relay.targets(source, group).for_each([&](TunnelId id) {
    RelayTunnel& tunnel = world.relay.tunnel(id);
    ++tunnel.packets;
    tunnel.bytes += octets;
    if (tunnel.counts_channels) world.relay.count_sent(id, source, group, 1, octets);
  });
}

TEST(RelayEvents, AreNotMadeUnlessAskedFor) {
  World world;
  world.join(kOne, kJoin);
  EXPECT_THAT(events_of(world), IsEmpty());
  world.relay.shutdown(world.now);
  EXPECT_THAT(events_of(world), IsEmpty());
}

TEST(RelayEvents, TellWhatATunnelAndItsChannelHadWhenItLeaves) {
  World world(with_events());
  const Grant grant = world.join(kOne, kJoin);
  EXPECT_THAT(events_of(world), ElementsAre("begin 51000", "begin 51000 198.51.100.12@232.1.2.3"));
  send_data(world, kSource, kGroup, 100);
  send_data(world, kSource, kGroup, 200);
  world.pass(seconds(10));
  world.send(kOne, update(grant, report({kLeave})));
  EXPECT_THAT(events_of(world),
              ElementsAre("end 51000 198.51.100.12@232.1.2.3 left 10s 2/300", "end 51000 left 10s 2/300"));
}

// Of a tunnel with one channel nothing is counted apart; each way from one to several and back must lose nothing.
TEST(RelayEvents, CountEachChannelApart) {
  World world(with_events());
  const Grant grant = world.join(kOne, kJoin);
  send_data(world, kSource, kGroup, 1);
  world.send(kOne, update(grant, report({{kAllow, kGroup, {kOther}}})));
  send_data(world, kSource, kGroup, 10);
  send_data(world, kOther, kGroup, 100);
  world.send(kOne, update(grant, report({{kIsEx, kAnyGroup, {}}})));
  send_data(world, kOther, kAnyGroup, 1000);
  events_of(world);
  world.send(kOne, update(grant, report({{kBlock, kGroup, {kOther}}, {kToIn, kAnyGroup, {}}})));
  EXPECT_THAT(events_of(world),
              ElementsAre("end 51000 198.51.100.13@232.1.2.3 left 0s 1/100", "end 51000 239.1.2.3 left 0s 1/1000"));
  send_data(world, kSource, kGroup, 10'000);
  world.send(kOne, update(grant, report({kLeave})));
  EXPECT_THAT(events_of(world),
              ElementsAre("end 51000 198.51.100.12@232.1.2.3 left 0s 3/10011", "end 51000 left 0s 5/11111"));
}

TEST(RelayEvents, EndAnIncludedChannelWhereTheGroupAsAWholeBegins) {
  World world(with_events());
  const Grant grant = world.join(kOne, {kAllow, kAnyGroup, {kSource}});
  send_data(world, kSource, kAnyGroup, 1);
  events_of(world);
  world.send(kOne, update(grant, report({{kToEx, kAnyGroup, {}}})));
  EXPECT_THAT(events_of(world), ElementsAre("end 51000 198.51.100.12@239.1.2.3 left 0s 1/1", "begin 51000 239.1.2.3"));
  send_data(world, kSource, kAnyGroup, 10);
  // Another filter of the same mode is the same channel.
  world.send(kOne, update(grant, report({{kToEx, kAnyGroup, {kOther}}})));
  EXPECT_THAT(events_of(world), IsEmpty());
  world.relay.shutdown(world.now);
  EXPECT_THAT(events_of(world), ElementsAre("end 51000 239.1.2.3 shut-down 0s 1/10", "end 51000 shut-down 0s 2/11"));
}

TEST(RelayEvents, NameTheReasonOfEachEnd) {
  World world(with_events());
  const Grant torn_down = world.join(kOne, kJoin);
  world.send(kOne, teardown(torn_down, kOne));
  world.join(kTwo, kJoin);
  world.pass(seconds(260));
  world.join(kOne, kJoin);
  for (int second = 0; second < 9; ++second) {
    world.now += seconds(1);
    world.relay.handle_unreachable(world.now, kOne, true);
  }
  std::vector<std::string> ends;
  for (const RelayEvent& event : world.relay.take_events()) {
    if (event.kind == RelayEvent::Kind::kTunnelEnd) ends.emplace_back(to_string(event.reason));
  }
  EXPECT_THAT(ends, ElementsAre("torn-down", "expired", "unreachable"));
  EXPECT_EQ(world.count(RelayCounter::kTunnelsTornDown), 1U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsExpired), 1U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsUnreachable), 1U);
}

// What was taken back was not sent.
TEST(RelayEvents, TakeBackWhatWasNotSent) {
  World world(with_events());
  const Grant grant = world.join(kOne, kJoin);
  world.send(kOne, update(grant, report({{kIsEx, kAnyGroup, {}}})));
  send_data(world, kSource, kGroup, 100);
  world.relay.targets(kSource, kGroup).for_each([&](TunnelId id) {
    world.relay.count_sent(id, kSource, kGroup, std::uint64_t{0} - 1, std::uint64_t{0} - 100);
  });
  events_of(world);
  world.send(kOne, update(grant, report({kLeave})));
  EXPECT_THAT(events_of(world), ElementsAre("end 51000 198.51.100.12@232.1.2.3 left 0s 0/0"));
}

TEST(RelayEvents, OfTheEndOfManyTunnelsComeInPortions) {
  World world(with_events());
  constexpr std::uint32_t kTunnels = 5000;
  for (std::uint32_t i = 0; i < kTunnels; ++i) world.join({{IpAddress::from_v4(0x0a000000 + i), 40000}}, kJoin);
  events_of(world);
  EXPECT_FALSE(world.relay.shutdown(world.now));
  std::size_t ends = events_of(world).size();
  EXPECT_LT(ends, 2 * kTunnels);
  EXPECT_EQ(world.send(kOne, request(0x55667788)), "shut_down");
  EXPECT_TRUE(world.relay.shutdown(world.now));
  ends += events_of(world).size();
  EXPECT_EQ(ends, 2 * kTunnels);
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsShutDown), kTunnels);
  EXPECT_EQ(world.shared->admission.totals(), Admission::Totals{});
}

constexpr FlowTimeouts kTimeouts{.active = seconds(60), .idle = seconds(15)};

/// What is told of the flows that a look at all of them finds.
std::vector<std::string> flows_of(World& world) {
  static_cast<void>(world.relay.report_flows(world.now, 0, 1000, kTimeouts));
  std::vector<std::string> texts;
  for (const RelayEvent& event : world.relay.take_events()) {
    if (event.kind != RelayEvent::Kind::kFlow && event.kind != RelayEvent::Kind::kChannelEnd) continue;
    texts.push_back((event.kind == RelayEvent::Kind::kChannelEnd ? "end "
                     : event.is_idle                             ? "idle "
                                                                 : "active ") +
                    event.channel.to_string() + " " + std::to_string(event.packets - event.told.packets));
  }
  return texts;
}

// Each packet is told once: by the active time-out, by the idle one, or at the end.
TEST(RelayFlows, AreToldWhenATimeoutIsOverAndTheRestAtTheEnd) {
  World world(with_events());
  const Grant grant = world.join(kOne, kJoin);
  world.send(kOne, update(grant, report({{kIsEx, kAnyGroup, {}}})));
  EXPECT_THAT(flows_of(world), IsEmpty());
  std::vector<std::string> told;
  for (int second = 1; second <= 130; ++second) {
    world.now += seconds(1);
    send_data(world, kSource, kGroup, 100);
    if (second <= 10) send_data(world, kOther, kAnyGroup, 100);
    for (std::string& text : flows_of(world)) told.push_back(std::to_string(second) + " " + text);
  }
  world.send(kOne, update(grant, report({kLeave, {kToIn, kAnyGroup, {}}})));
  for (std::string& text : flows_of(world)) told.push_back(text);
  EXPECT_THAT(
      told, ElementsAre("25 idle 239.1.2.3 10", "60 active 198.51.100.12@232.1.2.3 60",
                        "120 active 198.51.100.12@232.1.2.3 60", "end 198.51.100.12@232.1.2.3 10", "end 239.1.2.3 0"));
}

TEST(RelayFlows, AreLookedAtInPortions) {
  World world(with_events());
  for (std::uint32_t i = 0; i < 100; ++i) world.join({{IpAddress::from_v4(0x0a000000 + i), 40000}}, kJoin);
  send_data(world, kSource, kGroup, 100);
  static_cast<void>(world.relay.take_events());
  world.now += seconds(60);
  std::size_t told = 0;
  std::size_t portions = 0;
  for (std::optional<std::uint32_t> from = 0; from; ++portions) {
    from = world.relay.report_flows(world.now, *from, 30, kTimeouts);
    told += world.relay.take_events().size();
  }
  EXPECT_EQ(told, 100U);
  EXPECT_EQ(portions, 4U);
}

// RFC 7450 §5.3.3.8: the L flag, and no new endpoint; those that are there go on.
TEST(RelayDrain, RefusesNewGatewaysAndKeepsTheOthers) {
  World world(with_events());
  const Grant grant = world.join(kOne, kJoin);
  const Grant before = world.ask(kTwo);
  world.relay.set_draining(true);
  EXPECT_EQ(world.send(kTwo, hex("01000000 a1a2a3a4")), "draining");
  EXPECT_EQ(world.send(kTwo, update(before, report({kJoin}))), "draining");
  world.ask(kTwo);
  EXPECT_EQ(world.transmits.front().datagram[1] & std::byte{2}, std::byte{2});
  EXPECT_EQ(world.send(kOne, update(grant, report({kJoin}))), "");
  EXPECT_THAT(world.ports("198.51.100.12", "232.1.2.3"), ElementsAre(51000));
  events_of(world);
  world.send(kOne, update(grant, report({kLeave})));
  EXPECT_THAT(events_of(world),
              ElementsAre("end 51000 198.51.100.12@232.1.2.3 moved 0s 0/0", "end 51000 moved 0s 0/0"));
  EXPECT_EQ(world.count(RelayCounter::kTunnelsMoved), 1U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsLeft), 0U);
}

TEST(RelayDrain, EndsWhatIsLeftAsDrained) {
  World world(with_events());
  world.join(kOne, kJoin);
  world.relay.set_draining(true);
  events_of(world);
  world.relay.shutdown(world.now, EndReason::kDrained);
  EXPECT_THAT(events_of(world),
              ElementsAre("end 51000 198.51.100.12@232.1.2.3 drained 0s 0/0", "end 51000 drained 0s 0/0"));
  EXPECT_EQ(world.count(RelayCounter::kTunnelsDrained), 1U);
}

TEST(RelayDrain, CanBeCalledOff) {
  World world;
  world.relay.set_draining(true);
  world.relay.set_draining(false);
  EXPECT_EQ(world.send(kTwo, hex("01000000 a1a2a3a4")), "");
  world.join(kOne, kJoin);
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
}

}  // namespace
}  // namespace amt
