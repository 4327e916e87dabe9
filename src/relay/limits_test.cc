/// What a relay refuses for want of room, and that it gives room back exactly.

#include <gmock/gmock.h>

#include "relay/admission_recount.hh"
#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
const TunnelEndpoint kOther = endpoint("192.0.2.2", 51000);

IpAddress group(unsigned number) { return IpAddress::from_v4(std::uint32_t{0xe8010000} + number); }
IpAddress source(unsigned number) { return IpAddress::from_v4(std::uint32_t{0xc6336400} + number); }
Record allow(unsigned group_number, std::vector<unsigned> sources) {
  Record record{kAllow, group(group_number), {}};
  for (const unsigned number : sources) record.sources.push_back(source(number));
  return record;
}

class Limits : public ::testing::Test {
 protected:
  void start(const AdmissionLimits& limits, std::vector<Prefix> allowed = {}) {
    RelayOptions options = World::options();
    options.limits = limits;
    options.allowed_groups = std::move(allowed);
    world_.emplace(options);
    worker_.emplace(options, world_->shared);
  }
  void TearDown() override {
    check();
    for (World* const world : {&*world_, &*worker_}) {
      world->relay.shutdown(world->now);
      while (world->relay.poll_upstream()) {
      }
      check();
    }
    EXPECT_EQ(world_->shared->admission.totals(), Admission::Totals{});
  }
  void check() {
    const std::array<const Relay*, 2> relays{&world_->relay, &worker_->relay};
    EXPECT_TRUE(agrees_with_recount(world_->shared->admission, relays));
  }
  std::size_t channels() const { return world_->shared->admission.totals().channels; }
  /// Each channel an Update of its own.
  static void watch(World& world, const TunnelEndpoint& from, unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count; ++i) world.join(from, allow(i, {1}));
  }

  /// Two workers of one relay.
  std::optional<World> world_;
  std::optional<World> worker_;
};

// R-6.1-b, R-5.3.3.8-b
TEST_F(Limits, HoldForAllTunnelsOfAnAddressWhicheverWorkerHasThem) {
  start({.channels_per_address_max = 5});
  watch(*world_, kOne, 0, 3);
  watch(*worker_, kTwo, 0, 3);
  EXPECT_EQ(worker_->count(RelayReject::kChannelPerAddressLimit), 1U);
  EXPECT_THAT(worker_->refusals, ElementsAre("channel_per_address_limit 192.0.2.1/32 1"));
  EXPECT_THAT(worker_->ports("198.51.100.1", "232.1.0.2"), IsEmpty());
  check();
  // What is there goes on, others are not concerned.
  world_->join(kOne, allow(0, {1}));
  watch(*worker_, kOther, 0, 3);
  EXPECT_THAT(worker_->ports("198.51.100.1", "232.1.0.2"), ElementsAre(51000));
}

TEST_F(Limits, AreToldOnceAMinuteForAllWorkers) {
  start({.tunnels_max = 1000, .tunnels_per_address_max = 1});
  watch(*world_, kOne, 0, 1);
  const auto is_refused = [](World& world, std::uint16_t port) {
    const TunnelEndpoint from = endpoint("192.0.2.1", port);
    return world.send(from, update(world.ask(from), report({allow(1, {1})}))) == "tunnel_per_address_limit";
  };
  EXPECT_TRUE(is_refused(*world_, 1));
  EXPECT_THAT(world_->refusals, ElementsAre("tunnel_per_address_limit 192.0.2.1/32 1"));
  EXPECT_TRUE(is_refused(*worker_, 2));
  EXPECT_THAT(worker_->refusals, IsEmpty());
  EXPECT_TRUE(is_refused(*world_, 3));
  for (World* const world : {&*worker_, &*world_}) {
    world->now += seconds(60);
    world->handle_timeout();
  }
  EXPECT_THAT(worker_->refusals, ElementsAre("tunnel_per_address_limit 192.0.2.1/32 2"));
  EXPECT_THAT(world_->refusals, IsEmpty());
}

TEST_F(Limits, TakeOfAnUpdateWhatFits) {
  start({.channels_per_address_max = 5});
  const Grant grant = world_->ask(kOne);
  ASSERT_EQ(world_->send(kOne, update(grant, report({allow(1, {1, 2, 3, 4, 5, 6, 7, 8}), allow(2, {1})}))), "");
  EXPECT_EQ(world_->count(RelayReject::kChannelPerAddressLimit), 4U);
  EXPECT_EQ(channels(), 5U);
  check();
  // One that leaves in the same message makes room.
  ASSERT_EQ(world_->send(kOne, update(grant, report({{kBlock, group(1), {source(1)}}, allow(2, {1})}))), "");
  EXPECT_THAT(world_->ports("198.51.100.1", "232.1.0.2"), ElementsAre(51000));
  EXPECT_EQ(channels(), 5U);
}

TEST_F(Limits, GiveAChannelThatIsThereToEverybody) {
  start({.channels_max = 2});
  watch(*world_, kOne, 0, 3);
  EXPECT_EQ(world_->count(RelayReject::kChannelLimit), 1U);
  EXPECT_EQ(channels(), 2U);
  // The other worker has none of them yet.
  watch(*worker_, kOther, 0, 3);
  EXPECT_EQ(worker_->count(RelayReject::kChannelLimit), 1U);
  EXPECT_THAT(worker_->ports("198.51.100.1", "232.1.0.1"), ElementsAre(51000));
  check();
  // It is one channel until the last has left.
  const Grant grant = world_->ask(kOne);
  ASSERT_EQ(world_->send(kOne, update(grant, report({{kBlock, group(1), {source(1)}}, allow(5, {1})}))), "");
  EXPECT_EQ(world_->count(RelayReject::kChannelLimit), 2U);
  const Grant other = worker_->ask(kOther);
  ASSERT_EQ(worker_->send(kOther, update(other, report({{kBlock, group(1), {source(1)}}}))), "");
  ASSERT_EQ(world_->send(kOne, update(grant, report({allow(5, {1})}))), "");
  EXPECT_EQ(world_->count(RelayReject::kChannelLimit), 2U);
}

// In EXCLUDE mode a source that is asked for by name is no channel; it becomes one when the group's timer ends.
TEST_F(Limits, HoldWhereSourcesBecomeChannelsLater) {
  start({.channels_max = 3});
  const IpAddress asm_group = ip("239.1.1.1");
  const Grant grant = world_->join(kOne, {kIsEx, asm_group, {}});
  world_->pass(seconds(100));
  ASSERT_EQ(world_->send(kOne, update(grant, report({{kAllow, asm_group, {source(1), source(2), source(3)}}}))), "");
  EXPECT_EQ(channels(), 1U);
  EXPECT_EQ(world_->shared->admission.totals().memberships, 4U);
  world_->pass(seconds(170));
  EXPECT_EQ(channels(), 2U);
  EXPECT_EQ(world_->shared->admission.totals().memberships, 2U);
  EXPECT_EQ(world_->count(RelayReject::kChannelLimit), 1U);
}

// R-5.3.3.5-d
TEST_F(Limits, GetBackWhatATunnelHadHoweverItEnds) {
  start({});
  const Grant grant = world_->join(kOne, allow(1, {1, 2, 3}));
  world_->join(kTwo, {kIsEx, ip("239.1.1.1"), {source(1), source(2)}});
  world_->join(kOther, allow(1, {1}));
  check();
  ASSERT_EQ(world_->send(kOne, teardown(grant, kOne)), "");
  check();
  EXPECT_EQ(channels(), 2U);
  world_->pass(hours(1));
  EXPECT_EQ(world_->relay.tunnel_count(), 0U);
  EXPECT_EQ(world_->shared->admission.totals(), Admission::Totals{});
}

// R-5.3.3.3-e, R-5.3.3.8-a
TEST_F(Limits, SetTheLFlagForThoseWhoWouldBeRefusedATunnel) {
  start({.tunnels_max = 1000, .tunnels_per_address_max = 1});
  watch(*world_, kOne, 0, 1);
  world_->ask(kTwo);
  EXPECT_EQ(world_->count(RelayCounter::kQueriesSentWithLimit), 1U);
  world_->ask(kOther);
  world_->ask(kOne);
  EXPECT_EQ(world_->count(RelayCounter::kQueriesSentWithLimit), 1U);
}

TEST_F(Limits, OfARefusedTunnelLeaveNothingBehind) {
  start({.tunnels_max = 1000, .tunnels_per_address_max = 1});
  watch(*world_, kOne, 0, 1);
  EXPECT_EQ(world_->send(kTwo, update(world_->ask(kTwo), report({allow(7, {1, 2})}))), "tunnel_per_address_limit");
  EXPECT_EQ(channels(), 1U);
}

TEST_F(Limits, LetGatewaysAskForTheGroupsThatAreAllowed) {
  start({}, {*Prefix::parse("232.1.0.0/16"), *Prefix::parse("ff3e::/32")});
  const Grant grant = world_->ask(kOne);
  ASSERT_EQ(world_->send(kOne, update(grant, report({allow(1, {1}), {kIsEx, ip("239.1.1.1"), {}}}))), "");
  EXPECT_EQ(world_->count(RelayReject::kGroupNotAllowed), 1U);
  EXPECT_THAT(world_->refusals, ElementsAre("group_not_allowed 192.0.2.1/32 1"));
  EXPECT_EQ(channels(), 1U);
  ASSERT_EQ(world_->send(kOne, update(grant, report({{kAllow, ip("ff3e::8000:1"), {ip("2001:db8::1")}}}))), "");
  EXPECT_EQ(channels(), 2U);
}

// R-6.1-b: what is charged is the work, not the message.
TEST(RelayLimits, ChargeAnUpdateForWhatItTouches) {
  RelayOptions options = World::options();
  options.updates_per_second_max = 100;
  World world(options);
  std::vector<Record> records;
  for (std::uint32_t g = 0; g < 8; ++g) {
    Record record{kAllow, IpAddress::from_v4(0xe8010000 + g), {}};
    for (std::uint32_t s = 0; s < 32; ++s) record.sources.push_back(IpAddress::from_v4(0xc6336400 + s));
    records.push_back(std::move(record));
  }
  const Grant grant = world.ask(kOne);
  // 8 x 33 the first time, 8 x 65 when all of it is there.
  EXPECT_EQ(world.send(kOne, update(grant, report(records))), "");
  int accepted = 0;
  while (world.send(kOne, update(grant, report(records))).empty()) ++accepted;
  EXPECT_EQ(accepted, 10);
  // Small ones of others are not concerned, and it goes on a second later.
  world.join(endpoint("192.0.2.2", 1), allow(1, {1}));
  world.now += seconds(1);
  EXPECT_EQ(world.send(kOne, update(grant, report(records))), "");
}

}  // namespace
}  // namespace amt
