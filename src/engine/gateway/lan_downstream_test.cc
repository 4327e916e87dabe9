#include "engine/gateway/lan_downstream.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "engine/gateway/lan_link_twin.hh"
#include "engine/runtime/virtual_time.hh"
#include "gateway/test_bench.hh"
#include "ip/udp.hh"
#include "membership/querier_test_support.hh"

namespace amt::test {
namespace {

using querier_test::older_query;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A datagram of the source to the group.
Octets data(std::string_view source = "198.51.100.1", std::string_view group = "232.1.2.3", std::size_t payload = 50,
            std::uint8_t hop_limit = 9) {
  Octets out(payload + 64);
  HeaderFields header;
  header.source = address(source);
  header.destination = address(group);
  header.protocol = kProtocolUdp;
  header.hop_limit = hop_limit;
  out.resize(write_udp_datagram(out, header, 4000, 5000, Octets(payload)));
  return out;
}

class LanDownstreamTest : public ::testing::Test {
 protected:
  void start(bool forward_always = false) {
    auto link = std::make_unique<LanLinkTwin>(scene_);
    ASSERT_TRUE(link->open());
    LanDownstreamOptions options;
    options.forward_always = forward_always;
    downstream_ = make_lan_downstream(time_.loop(), std::move(link), options,
                                      [this](const SysError& error) { lost_.push_back(error.code); });
    downstream_->start([this](std::span<const FilterChange> changes) {
      for (const FilterChange& change : changes) {
        changes_.push_back(change.group.to_string() + " " + change.after.to_string());
      }
    });
  }
  void receive(std::vector<std::byte> datagram) {
    scene_.put(std::move(datagram));
    time_.pass(Duration::zero());
  }
  void join(std::string_view group = "232.1.2.3", std::string_view source = "198.51.100.1") {
    const std::vector<GroupRecord> records{{RecordType::kAllowNewSources, address(group), {address(source)}}};
    receive(write_report(address("192.0.2.50"), records));
  }
  void send(std::vector<Octets> datagrams) {
    scene_.sent.clear();
    const std::vector<Bytes> whole(datagrams.begin(), datagrams.end());
    downstream_->send(whole);
  }
  /// Queries that were sent since the last call; others are data.
  std::size_t queries() {
    time_.pass(Duration::zero());
    const auto is_query = [](const Octets& datagram) { return datagram[9] == std::byte{kProtocolIgmp}; };
    const auto count = std::count_if(scene_.sent.begin(), scene_.sent.end(), is_query);
    scene_.sent.clear();
    return static_cast<std::size_t>(count);
  }

  VirtualTime time_;
  LanScene scene_;
  std::vector<std::string> changes_;
  std::vector<int> lost_;
  std::unique_ptr<Downstream> downstream_;
};

TEST_F(LanDownstreamTest, AsksItsHostsAndReportsWhatTheyWant) {
  start();
  EXPECT_EQ(queries(), 1U);
  EXPECT_TRUE(downstream_->info().is_querier[0]);
  EXPECT_EQ(downstream_->info().kind, "lan");
  join();
  EXPECT_THAT(changes_, ElementsAre("232.1.2.3 " + include({"198.51.100.1"}).to_string()));
  std::vector<IpAddress> groups;
  downstream_->for_each_group([&](const IpAddress& group, const SourceFilter&) { groups.push_back(group); });
  EXPECT_THAT(groups, ElementsAre(address("232.1.2.3")));
}

TEST_F(LanDownstreamTest, AsksOnlyFromAnAddress) {
  scene_.state.ipv4.reset();
  start();
  EXPECT_EQ(queries(), 0U);
  scene_.state.ipv4 = address("192.0.2.10");
  downstream_->handle_network_change();
  EXPECT_EQ(queries(), 1U);
}

TEST_F(LanDownstreamTest, ForwardsAsTheQuerierAlone) {
  start();
  send({data(), data()});
  EXPECT_THAT(scene_.sent, SizeIs(2));
  // Another router with a lower address is the querier from now on (RFC 3376 §6.6.2).
  receive(older_query(address("192.0.2.9"), 100, IpAddress::unspecified(Family::kIpv4)));
  EXPECT_FALSE(downstream_->info().is_querier[0]);
  EXPECT_EQ(downstream_->info().querier[0], address("192.0.2.9"));
  send({data()});
  EXPECT_THAT(scene_.sent, IsEmpty());
  // The other family has a querier of its own.
  send({data("2001:db8::1", "ff3e::8000:1")});
  EXPECT_THAT(scene_.sent, SizeIs(1));
}

TEST_F(LanDownstreamTest, ForwardsBesideAnotherQuerierWhereThatIsWanted) {
  start(true);
  receive(older_query(address("192.0.2.9"), 100, IpAddress::unspecified(Family::kIpv4)));
  send({data()});
  EXPECT_THAT(scene_.sent, SizeIs(1));
}

TEST_F(LanDownstreamTest, ARouterLowersTheHopLimitAndABridgePortDoesNot) {
  start();
  send({data()});
  ASSERT_THAT(scene_.sent, SizeIs(1));
  EXPECT_EQ(scene_.sent[0][8], std::byte{8});
  send({data("198.51.100.1", "232.1.2.3", 50, 1)});
  EXPECT_THAT(scene_.sent, IsEmpty());
  EXPECT_EQ(downstream_->info().hop_limit_exceeded, 1U);
  scene_.is_routed = false;
  start();
  send({data()});
  ASSERT_THAT(scene_.sent, SizeIs(1));
  EXPECT_EQ(scene_.sent[0][8], std::byte{9});
}

TEST_F(LanDownstreamTest, CountsWhatTheLinkHasTaken) {
  start();
  scene_.takes = 1;
  send({data(), data(), data()});
  const DownstreamInfo info = downstream_->info();
  EXPECT_EQ(info.packets, 1U);
  EXPECT_EQ(info.bytes, data().size());
  EXPECT_EQ(info.drops, 2U);
}

TEST_F(LanDownstreamTest, ALinkThatGoesDownTakesItsMembershipsWithIt) {
  start();
  join();
  changes_.clear();
  scene_.state.up = false;
  downstream_->handle_network_change();
  EXPECT_THAT(changes_, ElementsAre("232.1.2.3 " + SourceFilter{}.to_string()));
  EXPECT_FALSE(downstream_->info().up);
  send({data()});
  EXPECT_THAT(scene_.sent, IsEmpty());
  scene_.state.up = true;
  downstream_->handle_network_change();
  EXPECT_EQ(queries(), 1U);
  EXPECT_TRUE(downstream_->info().up);
}

TEST_F(LanDownstreamTest, CountersOutliveALinkThatWasDown) {
  start();
  join();
  const auto reports = [this] {
    std::uint64_t sum = 0;
    for (const DownstreamCounter& counter : downstream_->info().counters) sum += counter.value;
    return sum;
  };
  const std::uint64_t before = reports();
  ASSERT_GT(before, 0U);
  scene_.state.up = false;
  downstream_->handle_network_change();
  EXPECT_EQ(reports(), before);
}

TEST_F(LanDownstreamTest, AnInterfaceThatWasDeletedIsOpenedAgainUnderItsName) {
  start();
  join();
  changes_.clear();
  scene_.state.lost = true;
  scene_.can_open = false;
  downstream_->handle_network_change();
  EXPECT_EQ(scene_.closed, 1);
  EXPECT_THAT(changes_, SizeIs(1));
  EXPECT_FALSE(downstream_->info().up);
  scene_.state.lost = false;
  scene_.can_open = true;
  scene_.sent.clear();
  downstream_->handle_network_change();
  EXPECT_EQ(scene_.opened, 2);
  EXPECT_EQ(queries(), 1U);
  join();
  EXPECT_THAT(changes_, SizeIs(2));
}

TEST_F(LanDownstreamTest, ALinkThatCannotBeReadIsClosedAndItsOwnerHearsOfIt) {
  start();
  join();
  changes_.clear();
  scene_.break_reading();
  time_.pass(Duration::zero());
  EXPECT_THAT(lost_, ElementsAre(EIO));
  EXPECT_EQ(scene_.closed, 1);
  EXPECT_THAT(changes_, SizeIs(1));
  EXPECT_FALSE(downstream_->info().up);
}

TEST_F(LanDownstreamTest, BehindAnotherBridgeThereAreOtherHosts) {
  start();
  scene_.state.bridge = 7;
  downstream_->handle_network_change();
  join();
  changes_.clear();
  scene_.state.bridge = 8;
  scene_.sent.clear();
  downstream_->handle_network_change();
  EXPECT_THAT(changes_, ElementsAre("232.1.2.3 " + SourceFilter{}.to_string()));
  EXPECT_GE(queries(), 1U);
}

TEST_F(LanDownstreamTest, HostsThatReportedBeforeThePortHadABridgeAreKept) {
  start();
  join();
  changes_.clear();
  scene_.state.bridge = 7;
  scene_.sent.clear();
  downstream_->handle_network_change();
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(queries(), 1U);
}

TEST_F(LanDownstreamTest, HostsAreAskedAnewWhenTheSpanningTreeLetsThemThrough) {
  scene_.state.bridge = 7;
  scene_.state.blocked = true;
  start();
  EXPECT_EQ(queries(), 1U);
  downstream_->handle_network_change();
  EXPECT_EQ(queries(), 0U);
  scene_.state.blocked = false;
  downstream_->handle_network_change();
  EXPECT_EQ(queries(), 1U);
}

TEST_F(LanDownstreamTest, ALinkWhoseStateIsNotKnownStaysAsItWas) {
  start();
  join();
  changes_.clear();
  scene_.has_no_state = true;
  downstream_->handle_network_change();
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_TRUE(downstream_->info().up);
  EXPECT_EQ(scene_.closed, 0);
}

TEST_F(LanDownstreamTest, WhatIsStoppedReadsNoMore) {
  start();
  downstream_->stop();
  const std::vector<GroupRecord> records{
      {RecordType::kAllowNewSources, address("232.1.2.3"), {address("198.51.100.1")}}};
  scene_.put(write_report(address("192.0.2.50"), records));
  time_.pass(Duration::zero());
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(LanDownstreamTest, AsksAgainAllDay) {
  start();
  time_.pass(hours(24));
  // Each 125 s (RFC 3376 §8.2), and one more at the start (§8.7).
  EXPECT_EQ(queries(), 24U * 3600 / 125 + 1);
}

TEST_F(LanDownstreamTest, AMembershipEndsWhenNobodyReportsItAnyMore) {
  start();
  join();
  changes_.clear();
  // RFC 3376 §8.4: two query intervals and one response interval, which are 260 s.
  time_.pass(seconds(250));
  EXPECT_THAT(changes_, IsEmpty());
  time_.pass(seconds(30));
  EXPECT_THAT(changes_, ElementsAre("232.1.2.3 " + SourceFilter{}.to_string()));
}

TEST_F(LanDownstreamTest, AQuerierThatFallsSilentIsReplaced) {
  start();
  receive(older_query(address("192.0.2.9"), 100, IpAddress::unspecified(Family::kIpv4)));
  time_.pass(seconds(200));
  EXPECT_EQ(queries(), 0U);
  EXPECT_FALSE(downstream_->info().is_querier[0]);
  // RFC 3376 §8.5: two query intervals and half a response interval.
  time_.pass(seconds(60));
  EXPECT_TRUE(downstream_->info().is_querier[0]);
  EXPECT_GE(queries(), 1U);
  send({data()});
  EXPECT_THAT(scene_.sent, SizeIs(1));
}

TEST_F(LanDownstreamTest, WithoutNewsOfTheNetworkALinkIsLookedAtEveryTenSeconds) {
  start();
  scene_.state.lost = true;
  scene_.can_open = false;
  time_.pass(seconds(9));
  EXPECT_TRUE(downstream_->info().up);
  time_.pass(seconds(2));
  EXPECT_FALSE(downstream_->info().up);
  scene_.state.lost = false;
  scene_.can_open = true;
  time_.pass(seconds(10));
  EXPECT_EQ(scene_.opened, 2);
  EXPECT_TRUE(downstream_->info().up);
}

}  // namespace
}  // namespace amt::test
