/// Walks through all tunnels and channels a slice at a time, while they come and go.

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

TunnelEndpoint gateway(unsigned number) { return {{ip("203.0.113.5"), static_cast<std::uint16_t>(10'000 + number)}}; }
Record join(unsigned group) { return {kAllow, address_after(ip("232.1.0.0"), group), {ip("198.51.100.1")}}; }
Record leave(unsigned group) { return {kBlock, address_after(ip("232.1.0.0"), group), {ip("198.51.100.1")}}; }

class Slices : public ::testing::Test {
 protected:
  void open(unsigned number, const Record& record) {
    const Grant grant = world_.ask(gateway(number));
    ASSERT_EQ(world_.send(gateway(number), update(grant, report({record}))), "");
    grants_[number] = grant;
  }
  void say(unsigned number, const Record& record) {
    ASSERT_EQ(world_.send(gateway(number), update(grants_[number], report({record}))), "");
  }
  /// By port, how often each was seen.
  void walk(std::uint32_t& from, bool& more, std::size_t numbers) {
    const auto next = world_.relay.visit_tunnels(from, numbers, [&](const Relay::TunnelView& view) {
      ++seen_[view.tunnel.endpoint.port];
      return true;
    });
    more = next.has_value();
    if (next) from = *next;
  }

  World world_;
  std::map<unsigned, Grant> grants_;
  std::map<unsigned, int> seen_;
};

TEST_F(Slices, MeetEveryTunnelThatStaysOnceWhileOthersComeAndGo) {
  for (unsigned i = 1; i <= 40; ++i) open(i, join(1));
  std::uint32_t from = 0;
  bool more = true;
  unsigned newcomer = 100;
  for (unsigned round = 1; more; ++round) {
    walk(from, more, 7);
    // One that was seen, or will be, goes; another takes its place.
    if (round <= 5) {
      say(round * 8, leave(1));
      open(newcomer++, join(1));
    }
  }
  for (unsigned i = 1; i <= 40; ++i) {
    if (i % 8 != 0) {
      EXPECT_EQ(seen_[10'000 + i], 1) << i;
    }
  }
}

TEST_F(Slices, AreBoundedByNumbersThatAreFreeToo) {
  for (unsigned i = 1; i <= 100; ++i) open(i, join(1));
  for (unsigned i = 1; i < 100; ++i) say(i, leave(1));
  ASSERT_EQ(world_.relay.tunnel_count(), 1U);
  std::uint32_t from = 0;
  bool more = true;
  int slices = 0;
  for (; more; ++slices) walk(from, more, 10);
  EXPECT_EQ(slices, 10);
  EXPECT_EQ(seen_.size(), 1U);
}

TEST_F(Slices, ComeAgainToATunnelThatWasTooMuch) {
  for (unsigned i = 1; i <= 3; ++i) open(i, join(1));
  int left = 1;
  const auto next = world_.relay.visit_tunnels(0, 100, [&](const Relay::TunnelView&) { return left-- > 0; });
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, 1U);
}

TEST_F(Slices, TellSinceWhenAndWhenItWasHeard) {
  open(1, join(1));
  const Instant since = world_.now;
  world_.pass(seconds(30));
  say(1, join(1));
  const Instant heard = world_.now;
  world_.pass(seconds(5));
  static_cast<void>(world_.relay.visit_tunnels(0, 10, [&](const Relay::TunnelView& view) {
    EXPECT_EQ(view.since, since);
    EXPECT_EQ(view.heard, heard);
    EXPECT_EQ(view.expires, heard + seconds(260));
    return true;
  }));
}

TEST_F(Slices, GoOnInsideATunnelBehindAGroup) {
  open(1, join(1));
  for (unsigned group = 2; group <= 9; ++group) say(1, join(group));
  static_cast<void>(world_.relay.visit_tunnels(0, 10, [&](const Relay::TunnelView& view) {
    std::vector<std::string> groups;
    const auto note = [&](const IpAddress& group, const SourceFilter&) {
      groups.push_back(group.to_string());
      return groups.size() < 3;
    };
    EXPECT_FALSE(view.router.for_each_group_after(ip("232.1.0.4"), note));
    EXPECT_THAT(groups, ::testing::ElementsAre("232.1.0.5", "232.1.0.6", "232.1.0.7"));
    groups.clear();
    EXPECT_TRUE(view.router.for_each_group_after(ip("232.1.0.8"), note));
    EXPECT_THAT(groups, ::testing::ElementsAre("232.1.0.9"));
    EXPECT_TRUE(view.router.has_group_in(*Prefix::parse("232.1.0.8/30")));
    EXPECT_TRUE(view.router.has_group_in(*Prefix::parse("232.1.0.9")));
    EXPECT_FALSE(view.router.has_group_in(*Prefix::parse("232.1.0.10")));
    EXPECT_FALSE(view.router.has_group_in(*Prefix::parse("ff00::/8")));
    return true;
  }));
}

}  // namespace
}  // namespace amt
