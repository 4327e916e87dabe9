#include <gmock/gmock.h>

#include "relay/allocation_counter.hh"
#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const TunnelEndpoint kOne = endpoint("192.0.2.1", 51000);
const TunnelEndpoint kTwo = endpoint("192.0.2.1", 51001);
const TunnelEndpoint kSix = endpoint("2001:db8:1::7", 6);
constexpr std::string_view kGroup = "232.1.2.3";
constexpr std::string_view kSource = "198.51.100.12";
constexpr std::string_view kOther = "198.51.100.13";
constexpr std::string_view kGroup6 = "ff3e::8000:d";
constexpr std::string_view kSource6 = "2001:db8::a";
constexpr std::string_view kAsm = "239.1.1.1";

Record allow(std::string_view group, std::string_view source) { return {kAllow, ip(group), {ip(source)}}; }

// Section 2, vector "Membership Update, IGMPv3 ALLOW".
TEST(Relay, OpensATunnelByTheUpdateOfTheVector) {
  World world;
  const Grant grant = world.ask(kOne);
  Octets message =
      hex("0500a1a2 a3a4a5a6 55667788 46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8 00000001 05000001 "
          "e8010203 c633640c");
  std::ranges::copy(grant.mac, message.begin() + 2);
  ASSERT_EQ(world.send(kOne, message, local("192.0.2.100")), "");
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
  EXPECT_THAT(world.ports(kOther, kGroup), IsEmpty());
  EXPECT_THAT(world.upstream, ElementsAre("232.1.2.3 INCLUDE{198.51.100.12}"));
  EXPECT_TRUE(world.transmits.empty());
  world.relay.for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& router, Instant expires) {
    EXPECT_EQ(tunnel.endpoint, kOne);
    EXPECT_EQ(tunnel.local, local("192.0.2.100"));
    EXPECT_FALSE(tunnel.ecn_capable);
    EXPECT_EQ(router.group_count(), 1U);
    EXPECT_EQ(expires, world.now + seconds(260));
  });
}

// Section 2, vector "IPv6/MLDv2 report"; R-5.1-c: MLD inside IPv4.
TEST(Relay, OpensATunnelByTheMldReportOfTheVector) {
  World world;
  const Grant grant = world.ask(kOne, 0x55667788, 0x01);
  const Octets inner =
      hex("60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016 3a000502 00000100 "
          "8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8 00000000 00000000 0000000a");
  ASSERT_EQ(world.send(kOne, update(grant, inner)), "");
  EXPECT_THAT(world.ports(kSource6, kGroup6), ElementsAre(51000));
}

// R-5.1-c, R-5.3.1-a: four combinations. X-4.4-d: one nonce and MAC for both protocols. X-4.3-c: one tunnel for both.
// X-10-4
TEST(Relay, ServesBothProtocolsOverBothFamiliesByOneGrant) {
  for (const TunnelEndpoint& from : {kOne, kSix}) {
    World world;
    const Grant grant = world.ask(from);
    EXPECT_EQ(world.send(from, update(grant, report({allow(kGroup, kSource)}))), "");
    EXPECT_EQ(world.send(from, update(grant, report({allow(kGroup6, kSource6)}))), "");
    EXPECT_EQ(world.relay.tunnel_count(), 1U);
    EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(from.port));
    EXPECT_THAT(world.ports(kSource6, kGroup6), ElementsAre(from.port));
  }
}

// R-5.3.3.4-i: (address, port).
// R-5.3.3.4-k
TEST(Relay, KeepsTwoGatewaysBehindOneNatApart) {
  World world;
  world.join(kOne, allow(kGroup, kSource));
  world.join(kTwo, allow(kGroup, kOther));
  EXPECT_EQ(world.relay.tunnel_count(), 2U);
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
  EXPECT_THAT(world.ports(kOther, kGroup), ElementsAre(51001));
}

// R-4.2.2.1-a, R-5.3.3.4-e, R-5.3.5-b: every part that the MAC covers.
// R-5.3.5-a
TEST(Relay, RefusesAMacThatIsNotForThisEndpointAndNonce) {
  World world;
  const Grant grant = world.ask(kOne);
  const Octets inner = report({allow(kGroup, kSource)});
  EXPECT_EQ(world.send(kTwo, update(grant, inner)), "bad_mac");
  EXPECT_EQ(world.send(endpoint("192.0.2.2", 51000), update(grant, inner)), "bad_mac");
  EXPECT_EQ(world.send(kOne, update({grant.mac, grant.nonce + 1}, inner)), "bad_mac");
  for (std::size_t bit = 0; bit < 48; ++bit) {
    Grant forged = grant;
    forged.mac[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_EQ(world.send(kOne, update(forged, inner)), "bad_mac");
  }
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_THAT(world.upstream, IsEmpty());
  EXPECT_EQ(world.count(RelayReject::kBadMac), 51U);
  EXPECT_EQ(world.send(kOne, update(grant, inner)), "");
}

// R-5.3.3.4-e: thousands of records make no work for whoever cannot authenticate them.
TEST(Relay, ReadsNoReportWithAForgedMac) {
  World world;
  const Grant grant = world.ask(kOne);
  const std::vector<Record> records(5000, allow(kGroup, kSource));
  const Octets forged = update({hex("000000000000"), grant.nonce}, report(records));
  const AllocationCounter memory;
  const auto result = world.relay.handle_datagram(world.now, kOne, local("192.0.2.100"), forged);
  EXPECT_EQ(memory.calls(), 0U);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), RelayReject::kBadMac);
}

TEST(Relay, HarmsNoTunnelByAForgedUpdate) {
  World world;
  const Grant grant = world.join(kOne, allow(kGroup, kSource));
  const Octets leave = report({{kBlock, ip(kGroup), {ip(kSource)}}});
  EXPECT_EQ(world.send(kOne, update({hex("000000000000"), grant.nonce}, leave)), "bad_mac");
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
}

/// Each fault of an Update by itself, and the reason it is refused for (R-5.3.3.4-a..d, X-4.3-b).
TEST(Relay, RefusesEachFaultOfAnUpdateByItsOwnName) {
  World world;
  const Grant grant = world.ask(kOne);
  const Octets good4 = report({allow(kGroup, kSource)});
  const Octets good6 = report({allow(kGroup6, kSource6)});
  const auto send = [&](const Octets& inner) { return world.send(kOne, update(grant, inner)); };
  const auto mended = [](Octets inner) {
    put_u16(inner, 10, 0);
    put_u16(inner, 10, checksum(Bytes(inner).first(24)));
    return inner;
  };
  const auto with = [](Octets octets, std::size_t at, unsigned value) {
    octets[at] = static_cast<std::byte>(value);
    return octets;
  };

  EXPECT_EQ(world.send(kOne, hex("0500a1a2 a3a4a5a6 556677")), "bad_length");
  EXPECT_EQ(send({}), "inner_truncated");
  EXPECT_EQ(send(Octets(good4.begin(), good4.end() - 1)), "inner_truncated");
  EXPECT_EQ(send(Octets(good6.begin(), good6.end() - 1)), "inner_truncated");
  EXPECT_EQ(send(with(good4, 0, 0x56)), "inner_bad_header");
  EXPECT_EQ(send(with(good4, 0, 0x44)), "inner_bad_header");
  EXPECT_EQ(send(with(good4, 1, 0xc1)), "inner_bad_header_checksum");
  EXPECT_EQ(send(with(good4, good4.size() - 1, 0xff)), "inner_bad_checksum");
  EXPECT_EQ(send(with(good6, good6.size() - 1, 0xff)), "inner_bad_checksum");
  EXPECT_EQ(send(mended(with(good4, 8, 2))), "inner_bad_hop_limit");
  EXPECT_EQ(send(with(good6, 7, 2)), "inner_bad_hop_limit");
  EXPECT_EQ(send(mended(with(good4, 6, 0x20))), "inner_fragment");
  EXPECT_EQ(send(mended(with(good4, 7, 1))), "inner_fragment");
  EXPECT_EQ(send(mended(with(good4, 19, 1))), "inner_bad_destination");
  EXPECT_EQ(send(mended(with(good4, 9, 17))), "inner_not_membership");

  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kUpdatesAccepted), 0U);
  EXPECT_EQ(send(good4), "");
}

// R-5.3.3.4-a: "one of" six kinds; queries and IGMPv1 reports are not.
// R-5.3.1-e
TEST(Relay, TakesTheSixKindsOfReportAndNoOther) {
  const IpAddress group = ip(kAsm);
  const IpAddress group6 = ip("ff0e::99");
  const auto send = [&](const Octets& inner) {
    World world;
    const Grant grant = world.ask(kOne);
    const std::string reason = world.send(kOne, update(grant, inner));
    return reason.empty() ? std::to_string(world.relay.tunnel_count()) : reason;
  };
  EXPECT_EQ(send(igmp_short("16", group, group)), "1");
  EXPECT_EQ(send(report({{kIsEx, group, {}}})), "1");
  EXPECT_EQ(send(igmp_short("17", group, ip("224.0.0.2"))), "0");
  EXPECT_EQ(send(mld_short("83", group6, group6)), "1");
  EXPECT_EQ(send(report({{kIsEx, group6, {}}})), "1");
  EXPECT_EQ(send(mld_short("84", group6, ip("ff02::2"))), "0");

  EXPECT_EQ(send(igmp_short("12", group, group)), "inner_not_membership");
  EXPECT_EQ(send(igmp_short("11", ip("0.0.0.0"), ip("224.0.0.1"))), "inner_not_membership");
  EXPECT_EQ(send(igmp_short("42", group, group)), "inner_not_membership");
  EXPECT_EQ(send(mld_short("80", group6, group6)), "inner_not_membership");
}

// R-5.3.1-d: any inner source.
TEST(Relay, TakesAnyInnerSourceAddress) {
  World world;
  const Grant grant = world.ask(kOne);
  Octets message = hex("8f000000");
  append(message, records_body({allow(kGroup6, kSource6)}));
  for (const std::string_view source : {"::", "2001:db8::99", "fe80::1"}) {
    EXPECT_EQ(world.send(kOne, update(grant, in_ipv6(message, ip("ff02::16"), ip(source)))), "");
  }
}

// X-4.3-a: VLC 4 has zeroed options where Router Alert should be.
TEST(Relay, TakesAnUpdateWithoutRouterAlertUnlessStrict) {
  Octets inner = report({allow(kGroup, kSource)});
  std::fill_n(inner.begin() + 20, 4, std::byte{0});
  put_u16(inner, 10, 0);
  put_u16(inner, 10, checksum(Bytes(inner).first(24)));

  World lenient;
  EXPECT_EQ(lenient.send(kOne, update(lenient.ask(kOne), inner)), "");
  EXPECT_EQ(lenient.count(RelayCounter::kUpdatesWithoutRouterAlert), 1U);

  RelayOptions options = World::options();
  options.strict = true;
  World strict(options);
  EXPECT_EQ(strict.send(kOne, update(strict.ask(kOne), inner)), "inner_no_router_alert");
  EXPECT_EQ(strict.send(kOne, update(strict.ask(kOne), report({allow(kGroup, kSource)}))), "");
}

// R-5.3.3.4-h, section 2 (reserved bits), I-l (unknown record type).
TEST(Relay, IgnoresSurplusOctetsReservedBitsAndUnknownRecords) {
  World world;
  const Grant grant = world.ask(kOne);
  Octets message = update(grant, report({{9, ip("239.9.9.9"), {ip(kSource)}}, allow(kGroup, kSource)}));
  message[1] = std::byte{0xff};
  append(message, hex("deadbeef"));
  EXPECT_EQ(world.send(kOne, message), "");
  EXPECT_THAT(world.upstream, ElementsAre("232.1.2.3 INCLUDE{198.51.100.12}"));
}

// R-5.3.3.4-g: it may skip the MAC where nothing would change; ours never does.
TEST(Relay, AuthenticatesAnUpdateThatWouldChangeNothing) {
  World world;
  const Grant grant = world.ask(kOne);
  const Grant forged{hex("000000000000"), grant.nonce};
  for (const Octets& inner :
       {report({}, Family::kIpv4), report({}, Family::kIpv6), igmp_short("17", ip(kAsm), ip("224.0.0.2")),
        mld_short("84", ip("ff0e::99"), ip("ff02::2"))}) {
    EXPECT_EQ(world.send(kOne, update(forged, inner)), "bad_mac");
    EXPECT_EQ(world.send(kOne, update(grant, inner)), "");
  }
}

// R-4.2.1.2-b
TEST(Relay, AllocatesNothingForAnUpdateThatSubscribesToNothing) {
  World world;
  const Grant grant = world.ask(kOne);
  EXPECT_EQ(world.send(kOne, update(grant, report({}, Family::kIpv4))), "");
  EXPECT_EQ(world.send(kOne, update(grant, report({{kToIn, ip(kAsm), {}}}))), "");
  EXPECT_EQ(world.send(kOne, update(grant, report({{kBlock, ip(kGroup), {ip(kSource)}}}))), "");
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_EQ(world.count(RelayCounter::kUpdatesAccepted), 3U);
  EXPECT_EQ(world.count(RelayCounter::kTunnelsCreated), 0U);
}

// R-4.2.1.2-b, I-e, I-f: a leave takes effect at once, and with the last membership the tunnel goes.
TEST(Relay, StopsAtOnceWhenTheLastMembershipIsLeft) {
  World world;
  const Grant grant = world.join(kOne, allow(kGroup, kSource));
  ASSERT_EQ(world.send(kOne, update(grant, report({{kIsEx, ip(kAsm), {}}}))), "");
  ASSERT_EQ(world.send(kOne, update(grant, report({{kBlock, ip(kGroup), {ip(kSource)}}}))), "");
  EXPECT_THAT(world.ports(kSource, kGroup), IsEmpty());
  EXPECT_THAT(world.upstream, ElementsAre("232.1.2.3 INCLUDE{}"));
  EXPECT_EQ(world.relay.tunnel_count(), 1U);
  ASSERT_EQ(world.send(kOne, update(grant, igmp_short("17", ip(kAsm), ip("224.0.0.2")))), "");
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
  EXPECT_THAT(world.upstream, ElementsAre("239.1.1.1 INCLUDE{}"));
  EXPECT_EQ(world.count(RelayCounter::kTunnelsLeft), 1U);
  std::size_t channels = 0;
  world.relay.for_each_channel([&](const Relay::ChannelStatus&) { ++channels; });
  EXPECT_EQ(channels, 0U);
}

// R-5.3.3.4-l,n, H-a
// P-c
TEST(Relay, MergesWhatItsGatewaysWant) {
  World world;
  world.join(kOne, {kIsEx, ip(kAsm), {ip(kSource), ip(kOther)}});
  EXPECT_THAT(world.upstream, ElementsAre("239.1.1.1 EXCLUDE{198.51.100.12, 198.51.100.13}"));
  world.join(kTwo, {kIsIn, ip(kAsm), {ip(kOther)}});
  EXPECT_THAT(world.upstream, ElementsAre("239.1.1.1 EXCLUDE{198.51.100.12}"));
  EXPECT_THAT(world.ports(kSource, kAsm), IsEmpty());
  EXPECT_THAT(world.ports(kOther, kAsm), ElementsAre(51001));
  EXPECT_THAT(world.ports("203.0.113.1", kAsm), ElementsAre(51000));
  // The second's wish is part of the first's: nothing to tell upstream.
  world.join(kTwo, {kAllow, ip(kAsm), {ip("203.0.113.1")}});
  EXPECT_THAT(world.upstream, IsEmpty());
  EXPECT_THAT(world.ports("203.0.113.1", kAsm), UnorderedElementsAre(51000, 51001));
}

TEST(Relay, SaysNothingUpstreamWhenAnUpdateOnlyRefreshes) {
  World world;
  const Grant grant = world.join(kOne, allow(kGroup, kSource));
  EXPECT_EQ(world.send(kOne, update(grant, report({{kIsIn, ip(kGroup), {ip(kSource)}}}))), "");
  EXPECT_THAT(world.upstream, IsEmpty());
}

// S-d, S-e, I-o, S-f: parts without effect are counted, the rest counts.
TEST(Relay, CountsThePartsOfAnUpdateThatHaveNoEffect) {
  World world;
  const Grant grant = world.ask(kOne);
  EXPECT_EQ(world.send(kOne, update(grant, report({{kIsEx, ip(kGroup), {}},
                                                   {kIsEx, ip("224.0.0.77"), {}},
                                                   {kAllow, ip("232.0.0.0"), {ip(kSource)}},
                                                   allow(kGroup, kSource)}))),
            "");
  EXPECT_EQ(world.send(kOne, update(grant, igmp_short("16", ip(kGroup), ip(kGroup)))), "");
  EXPECT_EQ(world.count(RelayReject::kSsmExclude), 1U);
  EXPECT_EQ(world.count(RelayReject::kLinkScopeGroup), 1U);
  EXPECT_EQ(world.count(RelayReject::kBadGroup), 1U);
  EXPECT_EQ(world.count(RelayReject::kSsmOlderReport), 1U);
  EXPECT_THAT(world.ports(kSource, kGroup), ElementsAre(51000));
  EXPECT_THAT(world.ports(kOther, kGroup), IsEmpty());
}

// R-5.3.3.8-b: at its limit an endpoint's additions are ignored, its other updates are not.
TEST(Relay, IgnoresOnlyAdditionsOfAnEndpointAtItsLimits) {
  RelayOptions options = World::options();
  options.groups_per_tunnel_max = 2;
  options.sources_per_group_max = 2;
  World world(options);
  const Grant grant = world.join(kOne, allow("232.0.1.1", kSource));
  ASSERT_EQ(world.send(kOne, update(grant, report({allow("232.0.1.2", kSource), allow("232.0.1.3", kSource)}))), "");
  EXPECT_EQ(world.count(RelayReject::kGroupLimit), 1U);
  EXPECT_THAT(world.ports(kSource, "232.0.1.3"), IsEmpty());
  ASSERT_EQ(world.send(kOne, update(grant, report({{kBlock, ip("232.0.1.1"), {ip(kSource)}}}))), "");
  ASSERT_EQ(world.send(kOne, update(grant, report({allow("232.0.1.3", kSource)}))), "");
  EXPECT_THAT(world.ports(kSource, "232.0.1.3"), ElementsAre(51000));
  ASSERT_EQ(world.send(kOne, update(grant, report({{kAllow, ip("232.0.1.2"), {ip(kOther), ip("198.51.100.14")}}}))),
            "");
  EXPECT_EQ(world.count(RelayReject::kSourceLimit), 1U);
}

// R-5.3.3.4-j, R-5.3.3.8-c, R-6.1-b
TEST(Relay, RefusesATunnelOverItsLimitsAndGoesOnServingTheOthers) {
  RelayOptions options = World::options();
  options.limits.tunnels_max = 3;
  options.limits.tunnels_per_address_max = 2;
  World world(options);
  const Octets inner = report({allow(kGroup, kSource)});
  world.join(kOne, allow(kGroup, kSource));
  const Grant two = world.join(kTwo, allow(kGroup, kSource));
  const TunnelEndpoint third = endpoint("192.0.2.1", 51002);
  EXPECT_EQ(world.send(third, update(world.ask(third), inner)), "tunnel_per_address_limit");
  world.join(kSix, allow(kGroup, kSource));
  const TunnelEndpoint fourth = endpoint("192.0.2.4", 1);
  const Grant grant = world.ask(fourth);
  EXPECT_EQ(world.send(fourth, update(grant, inner)), "tunnel_limit");
  EXPECT_EQ(world.relay.tunnel_count(), 3U);
  EXPECT_EQ(world.send(kTwo, update(two, report({allow(kGroup, kOther)}))), "");
  // Nothing to subscribe to needs no room.
  EXPECT_EQ(world.send(fourth, update(grant, report({}, Family::kIpv4))), "");
  EXPECT_EQ(world.send(kTwo, teardown(two, kTwo)), "");
  EXPECT_EQ(world.send(fourth, update(grant, inner)), "");
  EXPECT_EQ(world.send(third, update(world.ask(third), inner)), "tunnel_limit");
}

// E-9601-f, X-4.2-b
TEST(Relay, RemembersTheEcnFlagOfTheRequestThatAnUpdateAnswers) {
  World world;
  const auto capable = [&] {
    bool out = false;
    world.relay.for_each_tunnel(
        [&](const RelayTunnel& tunnel, const RouterState&, Instant) { out = tunnel.ecn_capable; });
    return out;
  };
  world.join(kOne, allow(kGroup, kSource), 0x55667788, 0x02);
  EXPECT_TRUE(capable());
  world.join(kOne, allow(kGroup, kSource), 0x55667789, 0x00);
  EXPECT_FALSE(capable());
  // A Request alone, which anybody can forge, changes nothing.
  world.ask(kOne, 0x5566778a, 0x02);
  EXPECT_FALSE(capable());
}

// E-9601-d
TEST(Relay, SendsEverybodyNotEctWhereEcnIsOff) {
  RelayOptions options = World::options();
  options.ecn = false;
  World world(options);
  const Grant grant = world.join(kOne, allow(kGroup, kSource), 0x55667788, 0x02);
  ASSERT_EQ(world.send(kOne, update(grant, report({allow(kGroup, kOther)}))), "");
  world.relay.for_each_tunnel(
      [&](const RelayTunnel& tunnel, const RouterState&, Instant) { EXPECT_FALSE(tunnel.ecn_capable); });
}

// R-5.3.3.6.3-a
TEST(Relay, SendsDataFromWhereTheLastUpdateArrived) {
  World world;
  const Grant grant = world.join(kOne, allow(kGroup, kSource));
  ASSERT_EQ(world.send(kOne, update(grant, report({allow(kGroup, kOther)})), local("192.0.2.101")), "");
  world.relay.for_each_tunnel(
      [&](const RelayTunnel& tunnel, const RouterState&, Instant) { EXPECT_EQ(tunnel.local, local("192.0.2.101")); });
}

// Changes wait until they are asked for, and are one change then.
TEST(Relay, TellsTheUpstreamOnceOfAGroupThatChangedOften) {
  World world;
  const Grant grant = world.join(kOne, allow(kGroup, kSource));
  const auto take = [&](const Record& record) {
    EXPECT_TRUE(world.relay.handle_datagram(world.now, kOne, local("192.0.2.100"), update(grant, report({record}))));
  };
  take(allow(kGroup, kOther));
  take({kBlock, ip(kGroup), {ip(kSource)}});
  take({kIsEx, ip(kAsm), {}});
  take({kToIn, ip(kAsm), {}});
  const auto change = world.relay.poll_upstream();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->before.to_string(), "INCLUDE{198.51.100.12}");
  EXPECT_EQ(change->after.to_string(), "INCLUDE{198.51.100.13}");
  EXPECT_FALSE(world.relay.poll_upstream());
}

TEST(Relay, AccountsForChannels) {
  World world;
  world.join(kOne, allow(kGroup, kSource));
  world.join(kTwo, allow(kGroup, kSource));
  world.relay.count_channel(ip(kSource), ip(kGroup), 10, 13280);
  std::size_t channels = 0;
  world.relay.for_each_channel([&](const Relay::ChannelStatus& status) {
    ++channels;
    EXPECT_EQ(status.channel.to_string(), "198.51.100.12@232.1.2.3");
    EXPECT_EQ(status.tunnels, 2U);
    EXPECT_EQ(status.packets, 10U);
    EXPECT_EQ(status.bytes, 13280U);
  });
  EXPECT_EQ(channels, 1U);
}

// R-6.1-b: one host, however many tunnels it has, makes only so much work. Behind the MAC, so a forger uses nobody's
// share.
TEST(Relay, LimitsTheUpdatesOfOneSubscriber) {
  RelayOptions options = World::options();
  options.updates_per_second_max = 5;
  World world(options);
  const TunnelEndpoint one = endpoint("2001:db8:1::1", 51000);
  const TunnelEndpoint neighbour = endpoint("2001:db8:1::2", 51000);
  const TunnelEndpoint other = endpoint("2001:db8:2::1", 51000);
  const Record join{kAllow, ip("232.1.2.3"), {ip("198.51.100.12")}};
  const Grant grant = world.join(one, join);
  Grant forged = grant;
  forged.mac[0] ^= std::byte{1};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(world.send(one, update(forged, report({join}))), "bad_mac");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(world.send(one, update(grant, report({join}))), "");
  EXPECT_EQ(world.send(one, update(grant, report({join}))), "update_rate_limit");
  const Grant of_neighbour = world.ask(neighbour);
  EXPECT_EQ(world.send(neighbour, update(of_neighbour, report({join}))), "update_rate_limit");
  const Grant of_other = world.ask(other);
  EXPECT_EQ(world.send(other, update(of_other, report({join}))), "");
  world.now += seconds(1);
  EXPECT_EQ(world.send(neighbour, update(of_neighbour, report({join}))), "");
}

// R-6.1-b, R-5.3.3.8-c
TEST(Relay, CountsTheTunnelsOfAnIpv6NetOf64BitsAsThoseOfOneAddress) {
  RelayOptions options = World::options();
  options.limits.tunnels_per_address_max = 2;
  World world(options);
  const Record join{kAllow, ip("232.1.2.3"), {ip("198.51.100.12")}};
  for (const char* const address : {"2001:db8:1::1", "2001:db8:1::2"}) world.join(endpoint(address, 51000), join);
  const TunnelEndpoint third = endpoint("2001:db8:1::3", 51000);
  EXPECT_EQ(world.send(third, update(world.ask(third), report({join}))), "tunnel_per_address_limit");
  world.join(endpoint("2001:db8:1:1::3", 51000), join);
  world.join(endpoint("192.0.2.1", 51000), join);
  world.join(endpoint("192.0.2.2", 51000), join);
  world.join(endpoint("192.0.2.3", 51000), join);
  EXPECT_EQ(world.relay.tunnel_count(), 6U);
}

}  // namespace
}  // namespace amt
