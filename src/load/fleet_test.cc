#include "load/fleet.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "ip/udp.hh"
#include "media/test_pattern.hh"
#include "membership/message.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Octets = std::vector<std::byte>;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Channel channel(std::string_view group, const char* source = "10.1.0.1") {
  return {source == nullptr ? std::nullopt : std::optional(ip(source)), ip(group)};
}

/// A fleet, the time, and what it sent.
class World {
 public:
  struct Sent {
    std::size_t gateway;
    Octets octets;
    [[nodiscard]] wire::MessageType type() const { return *wire::peek_type(octets); }
    [[nodiscard]] std::uint32_t nonce() const { return wire::Request::parse(octets)->nonce.value; }
    [[nodiscard]] std::vector<GroupRecord> records() const {
      const auto datagram = DatagramView::parse(wire::MembershipUpdate::parse(octets)->datagram);
      return std::get<GroupReport>(*parse_group_message(*datagram, {.router_alert = true})).records;
    }
  };

  explicit World(FleetOptions options) : fleet(std::move(options), random, now) { poll(); }

  void poll() {
    for (;;) {
      const FleetOutput output = fleet.poll_output();
      if (const auto* at = std::get_if<FleetDeadline>(&output)) {
        deadline = at->at;
        return;
      }
      const auto& transmit = std::get<FleetTransmit>(output);
      sent.push_back({transmit.gateway, {transmit.datagram.begin(), transmit.datagram.end()}});
    }
  }
  std::vector<Sent> take() { return std::exchange(sent, {}); }
  std::vector<Sent> take(wire::MessageType type) {
    std::vector<Sent> all = take();
    std::erase_if(all, [type](const Sent& one) { return one.type() != type; });
    return all;
  }
  void pass(Duration duration) {
    const Instant end = now + duration;
    while (deadline <= end) {
      now = std::max(now, deadline);
      fleet.handle_timeout(now);
      poll();
    }
    now = end;
  }
  void deliver(std::size_t gateway, const Octets& octets) {
    fleet.handle_datagram(now, now - waited, gateway, octets);
    poll();
  }
  /// The relay's answer to a Request; the MAC is made of the nonce.
  void answer(const Sent& request, bool with_fields = true, Duration query_interval = seconds(125)) {
    const auto parsed = wire::Request::parse(request.octets);
    GroupQuery general;
    const bool igmp = parsed->protocol == wire::Protocol::kIgmp;
    general.version = igmp ? 3 : 2;
    general.group = IpAddress::unspecified(igmp ? Family::kIpv4 : Family::kIpv6);
    general.robustness = 2;
    general.query_interval = query_interval;
    const Octets inner = write_query(igmp ? general.group : ip("fe80::1"), general);
    wire::MembershipQuery query;
    query.nonce = parsed->nonce;
    query.mac.octets[0] = static_cast<std::byte>(parsed->nonce.value & 0xff);
    query.datagram = inner;
    if (with_fields) query.gateway = wire::GatewayFields{{ip("10.0.0.2"), port(request.gateway)}};
    Octets octets(wire::kQueryHeaderOctets + inner.size() + (with_fields ? wire::kGatewayFieldsOctets : 0));
    ByteWriter out(octets);
    query.write(out);
    deliver(request.gateway, octets);
  }
  void answer_all(bool with_fields = true) {
    for (int round = 0; round < 100; ++round) {
      const std::vector<Sent> requests = take(wire::MessageType::kRequest);
      if (requests.empty()) return;
      for (const Sent& request : requests) answer(request, with_fields);
    }
  }
  static std::uint16_t port(std::size_t gateway) { return static_cast<std::uint16_t>(10000 + gateway); }

  /// A numbered packet for `gateway`.
  /// How long what is delivered was in the gateway's socket.
  Duration waited{};
  void data(std::size_t gateway, const Channel& of, std::uint32_t sequence, Duration age = {},
            std::uint32_t stream = 1) {
    Octets payload(100);
    write_test_packet({stream, sequence, now - age}, payload);
    Octets octets(wire::kDataHeaderOctets + 200);
    std::ranges::copy(wire::kDataHeader, octets.begin());
    const HeaderFields header{.source = of.source.value_or(ip("10.1.0.9")),
                              .destination = of.group,
                              .protocol = kProtocolUdp,
                              .hop_limit = 9};
    const std::size_t inner =
        write_udp_datagram(MutableBytes(octets).subspan(wire::kDataHeaderOctets), header, 5000, 5001, payload);
    octets.resize(wire::kDataHeaderOctets + inner);
    deliver(gateway, octets);
  }
  std::uint64_t count(LoadCounter counter) const { return fleet.tally().counters[counter]; }

  Instant now = Instant() + std::chrono::hours(1);
  SeededRandom random{20150213};
  Fleet fleet;
  Instant deadline = kNoDeadline;
  std::vector<Sent> sent;
};

TEST(Fleet, MakesTheHandshakeAndAnswersTheQuery) {
  World world({.gateways = 1, .channels = {channel("232.1.1.1")}});
  const std::vector<World::Sent> requests = world.take();
  ASSERT_EQ(requests.size(), 1U);
  ASSERT_EQ(requests[0].type(), wire::MessageType::kRequest);
  EXPECT_EQ(wire::Request::parse(requests[0].octets)->protocol, wire::Protocol::kIgmp);
  world.now += milliseconds(3);
  world.answer(requests[0]);
  const std::vector<World::Sent> updates = world.take();
  ASSERT_EQ(updates.size(), 1U);
  const auto update = wire::MembershipUpdate::parse(updates[0].octets);
  EXPECT_EQ(update->nonce.value, requests[0].nonce());
  EXPECT_EQ(update->mac.octets[0], static_cast<std::byte>(requests[0].nonce() & 0xff));
  EXPECT_THAT(updates[0].records(),
              ElementsAre(GroupRecord{RecordType::kModeIsInclude, ip("232.1.1.1"), {ip("10.1.0.1")}}));
  EXPECT_EQ(world.count(LoadCounter::kHandshakes), 1U);
  EXPECT_TRUE(world.fleet.is_complete());
  EXPECT_GE(world.fleet.tally().handshake.max(), milliseconds(3));
}

TEST(Fleet, AsksForTheProtocolOfItsGroupAndForAnySource) {
  World world({.gateways = 2, .channels = {channel("239.1.1.1", nullptr), channel("ff3e::8000:1", "2001:db8::1")}});
  const std::vector<World::Sent> requests = world.take();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(wire::Request::parse(requests[1].octets)->protocol, wire::Protocol::kMld);
  for (const World::Sent& request : requests) world.answer(request);
  const std::vector<World::Sent> updates = world.take();
  ASSERT_EQ(updates.size(), 2U);
  EXPECT_THAT(updates[0].records(), ElementsAre(GroupRecord{RecordType::kModeIsExclude, ip("239.1.1.1"), {}}));
  EXPECT_EQ(updates[1].records().front().group, ip("ff3e::8000:1"));
}

TEST(Fleet, SharesTheChannelsOut) {
  World world({.gateways = 5, .channels = {channel("232.1.1.1"), channel("232.1.1.2")}});
  world.answer_all();
  // The Updates were taken away with the Requests; the channels show in the data that counts.
  for (std::size_t i = 0; i < 5; ++i) world.data(i, channel(i % 2 == 0 ? "232.1.1.1" : "232.1.1.2"), 1);
  EXPECT_EQ(world.count(LoadCounter::kPackets), 5U);
  EXPECT_EQ(world.count(LoadCounter::kUnwanted), 0U);
}

TEST(Fleet, KeepsSoManyRequestsInFlightAndNoMore) {
  World world({.gateways = 100, .channels = {channel("232.1.1.1")}, .in_flight_max = 7});
  std::vector<World::Sent> requests = world.take(wire::MessageType::kRequest);
  ASSERT_EQ(requests.size(), 7U);
  world.answer(requests[3]);
  EXPECT_EQ(world.take(wire::MessageType::kRequest).size(), 1U);
  EXPECT_FALSE(world.fleet.is_complete());
}

TEST(Fleet, RepeatsAnUnansweredRequestWithItsNonceAndCountsTheWholeTime) {
  World world({.gateways = 1, .channels = {channel("232.1.1.1")}});
  const std::uint32_t nonce = world.take().front().nonce();
  world.pass(milliseconds(1100));
  const std::vector<World::Sent> again = world.take();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].nonce(), nonce);
  EXPECT_EQ(world.count(LoadCounter::kRequestsRepeated), 1U);
  world.answer(again[0]);
  EXPECT_GE(world.fleet.tally().handshake.max(), milliseconds(1000));
}

TEST(Fleet, IgnoresAnAnswerThatIsNotItsOwn) {
  World world({.gateways = 2, .channels = {channel("232.1.1.1")}});
  std::vector<World::Sent> requests = world.take();
  std::swap(requests[0].gateway, requests[1].gateway);
  for (const World::Sent& request : requests) world.answer(request);
  world.deliver(0, {std::byte{4}});
  world.deliver(0, {std::byte{3}, std::byte{0}});
  world.deliver(0, {});
  EXPECT_THAT(world.take(), IsEmpty());
  EXPECT_EQ(world.count(LoadCounter::kBadAnswers), 5U);
  EXPECT_EQ(world.count(LoadCounter::kHandshakes), 0U);
}

TEST(Fleet, MeasuresJoinsAndDelaysAndFindsGaps) {
  const Channel wanted = channel("232.1.1.1");
  World world({.gateways = 1, .channels = {wanted}});
  world.answer_all();
  world.now += milliseconds(4);
  for (const std::uint32_t number : {10U, 11U, 14U, 13U, 13U}) world.data(0, wanted, number, milliseconds(2));
  const LoadTally tally = world.fleet.tally();
  EXPECT_EQ(tally.counters[LoadCounter::kNumbered], 5U);
  EXPECT_EQ(tally.counters[LoadCounter::kLost], 1U);
  EXPECT_EQ(tally.counters[LoadCounter::kDuplicated], 1U);
  EXPECT_EQ(tally.counters[LoadCounter::kReordered], 1U);
  EXPECT_EQ(tally.join.count(), 1U);
  EXPECT_EQ(tally.join.max(), milliseconds(4));
  EXPECT_EQ(tally.data.count(), 5U);
  EXPECT_EQ(tally.data.max(), milliseconds(2));
}

TEST(Fleet, CountsNoTimeInItsOwnSockets) {
  const Channel wanted = channel("232.1.1.1");
  World world({.gateways = 1, .channels = {wanted}});
  world.answer_all();
  world.now += milliseconds(10);
  world.waited = milliseconds(11);
  world.data(0, wanted, 1, milliseconds(20));
  EXPECT_EQ(world.fleet.tally().join.count(), 0U) << "it was there before the join";
  world.waited = milliseconds(3);
  world.data(0, wanted, 2, milliseconds(5));
  const LoadTally tally = world.fleet.tally();
  EXPECT_EQ(tally.join.count(), 1U);
  EXPECT_EQ(tally.join.max(), milliseconds(7));
  EXPECT_EQ(tally.data.count(), 2U);
  EXPECT_LT(tally.data.quantile(0), milliseconds(3));
  EXPECT_EQ(tally.data.max(), milliseconds(9));
}

TEST(Fleet, TakesNoDelayFromAnotherMachinesClock) {
  const Channel wanted = channel("232.1.1.1");
  World world({.gateways = 1, .channels = {wanted}});
  world.answer_all();
  world.data(0, wanted, 1, -milliseconds(1));
  world.data(0, wanted, 2, std::chrono::minutes(10));
  EXPECT_EQ(world.fleet.tally().data.count(), 0U);
  EXPECT_EQ(world.count(LoadCounter::kNumbered), 2U);
}

TEST(Fleet, CountsAnotherSourceAsAnotherStream) {
  const Channel wanted = channel("239.1.1.1", nullptr);
  World world({.gateways = 1, .channels = {wanted}});
  world.answer_all();
  world.data(0, wanted, 5);
  world.data(0, wanted, 7);
  world.data(0, wanted, 100'000, {}, 2);
  world.data(0, wanted, 100'002, {}, 2);
  EXPECT_EQ(world.count(LoadCounter::kLost), 2U);
}

TEST(Fleet, RepeatsAJoinThatBringsNothingAndThenNoMore) {
  World world({.gateways = 1, .channels = {channel("232.1.1.1")}});
  world.answer_all();
  world.pass(seconds(30));
  EXPECT_EQ(world.take().size(), 2U);
  EXPECT_EQ(world.count(LoadCounter::kUpdatesRepeated), 2U);
  EXPECT_EQ(world.count(LoadCounter::kJoins), 1U);
}

TEST(Fleet, RefreshesAfterTheQueryInterval) {
  World world({.gateways = 1, .channels = {channel("232.1.1.1")}});
  world.answer(world.take().front(), true, seconds(20));
  world.pass(seconds(19));
  EXPECT_THAT(world.take(wire::MessageType::kRequest), IsEmpty());
  world.pass(milliseconds(1100));
  const std::vector<World::Sent> requests = world.take(wire::MessageType::kRequest);
  ASSERT_EQ(requests.size(), 1U);
  world.answer(requests[0]);
  EXPECT_EQ(world.take(wire::MessageType::kMembershipUpdate).size(), 1U);
  EXPECT_EQ(world.count(LoadCounter::kHandshakes), 2U);
  EXPECT_EQ(world.count(LoadCounter::kJoins), 1U);
}

TEST(Fleet, ChangesChannelsAsOftenAsAsked) {
  World world({.gateways = 4,
               .channels = {channel("232.1.1.1"), channel("232.1.1.2"), channel("232.1.1.3")},
               .changes_per_second = 5});
  world.answer_all();
  world.take();
  world.pass(seconds(10));
  EXPECT_NEAR(static_cast<double>(world.count(LoadCounter::kChannelChanges)), 200, 4);
  std::map<std::size_t, int> of_gateway;
  for (const World::Sent& update : world.take(wire::MessageType::kMembershipUpdate)) {
    const std::vector<GroupRecord> records = update.records();
    if (records.size() != 2) continue;  // a join that is repeated, since nothing comes
    ++of_gateway[update.gateway];
    EXPECT_EQ(records[0].type, RecordType::kBlockOldSources);
    EXPECT_EQ(records[1].type, RecordType::kAllowNewSources);
    EXPECT_NE(records[0].group, records[1].group);
  }
  ASSERT_EQ(of_gateway.size(), 4U);
  for (const auto& [gateway, changes] : of_gateway) EXPECT_NEAR(changes, 50, 2) << gateway;
}

TEST(Fleet, ChangesBetweenFamiliesByOneUpdateEach) {
  World world({.gateways = 1,
               .channels = {channel("239.1.1.1", nullptr), channel("ff1e::1", nullptr)},
               .changes_per_second = 1,
               .patience = seconds(5)});
  world.answer_all();
  world.take();
  world.pass(milliseconds(1010));
  const std::vector<World::Sent> updates = world.take(wire::MessageType::kMembershipUpdate);
  ASSERT_GE(updates.size(), 2U);
  EXPECT_THAT(updates[0].records(), ElementsAre(GroupRecord{RecordType::kChangeToInclude, ip("239.1.1.1"), {}}));
  EXPECT_EQ(updates[1].records().front().group, ip("ff1e::1"));
}

TEST(Fleet, LeavesOnceMoreWhatStillComes) {
  const std::vector<Channel> channels = {channel("232.1.1.1"), channel("232.1.1.2")};
  World world({.gateways = 1, .channels = channels, .changes_per_second = 0.1});
  world.answer_all();
  world.pass(milliseconds(10'010));
  world.take();
  world.data(0, channels[0], 1);
  EXPECT_THAT(world.take(), IsEmpty()) << "it may have been under way";
  world.pass(milliseconds(600));
  world.take();
  world.data(0, channels[0], 2);
  world.data(0, channels[0], 3);
  const std::vector<World::Sent> updates = world.take();
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_THAT(updates[0].records(),
              ElementsAre(GroupRecord{RecordType::kBlockOldSources, ip("232.1.1.1"), {ip("10.1.0.1")}}));
  EXPECT_EQ(world.count(LoadCounter::kUnwanted), 3U);
}

TEST(Fleet, AsksAndAsksWhereNothingIsToBeJoined) {
  World world({.gateways = 3, .channels = {channel("232.1.1.1")}, .task = FleetTask::kRequests});
  for (int i = 0; i < 10; ++i) {
    const std::vector<World::Sent> requests = world.take();
    ASSERT_EQ(requests.size(), 3U);
    for (const World::Sent& request : requests) world.answer(request);
  }
  EXPECT_EQ(world.count(LoadCounter::kQueriesReceived), 30U);
  EXPECT_EQ(world.count(LoadCounter::kUpdatesSent), 0U);
}

TEST(Fleet, RepeatsHandshakesFromTeardownOn) {
  World world({.gateways = 1, .channels = {channel("232.1.1.1")}, .task = FleetTask::kHandshakes});
  World::Sent request = world.take().front();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    world.answer(request);
    const std::vector<World::Sent> sent = world.take();
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(sent[0].type(), wire::MessageType::kMembershipUpdate);
    EXPECT_EQ(sent[1].type(), wire::MessageType::kTeardown);
    EXPECT_EQ(wire::Teardown::parse(sent[1].octets)->nonce.value, request.nonce());
    EXPECT_EQ(sent[2].type(), wire::MessageType::kRequest);
    EXPECT_NE(sent[2].nonce(), request.nonce());
    request = sent[2];
    EXPECT_EQ(world.count(LoadCounter::kHandshakes), i);
  }
}

TEST(Fleet, TearsDownAndWaitsUntilTheRelayHasHeard) {
  World world({.gateways = 3, .channels = {channel("232.1.1.1")}});
  const std::vector<World::Sent> requests = world.take();
  // The third never got an answer and has nothing to leave.
  world.answer(requests[0]);
  world.answer(requests[1]);
  world.take();
  world.fleet.leave(world.now);
  world.poll();
  std::vector<World::Sent> sent = world.take();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].type(), wire::MessageType::kTeardown);
  EXPECT_EQ(wire::Teardown::parse(sent[0].octets)->gateway.endpoint.port, World::port(0));
  EXPECT_EQ(sent[1].type(), wire::MessageType::kRequest);
  EXPECT_FALSE(world.fleet.is_done());
  world.answer(sent[1]);
  // The other's messages got lost: both again.
  world.pass(milliseconds(1100));
  std::vector<World::Sent> again = world.take();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].type(), wire::MessageType::kTeardown);
  world.answer(again[1]);
  EXPECT_TRUE(world.fleet.is_done());
}

TEST(Fleet, LeavesByAnUpdateWhereTheRelayGaveNoFields) {
  World world({.gateways = 1, .channels = {channel("239.1.1.1", nullptr)}});
  world.answer_all(false);
  world.take();
  world.fleet.leave(world.now);
  world.poll();
  const std::vector<World::Sent> updates = world.take(wire::MessageType::kMembershipUpdate);
  ASSERT_EQ(updates.size(), 1U);
  EXPECT_THAT(updates[0].records(), ElementsAre(GroupRecord{RecordType::kChangeToInclude, ip("239.1.1.1"), {}}));
}

TEST(Fleet, GivesUpLeavingARelayThatIsGone) {
  World world({.gateways = 2, .channels = {channel("232.1.1.1")}});
  world.answer_all();
  world.fleet.leave(world.now);
  world.poll();
  world.pass(seconds(4));
  EXPECT_TRUE(world.fleet.is_done());
}

}  // namespace
}  // namespace amt
