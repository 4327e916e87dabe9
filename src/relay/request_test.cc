#include "relay/allocation_counter.hh"
#include "relay/relay_test_support.hh"

namespace amt {
namespace {

using namespace relay_test;

const TunnelEndpoint kGateway = endpoint("192.0.2.1", 51000);

// Section 2, vector "Membership Query, G=1"; R-5.3.3.3-a,b,c,f,g,h,i, R-5.1.4-a..d.
// R-5.3.5-a
TEST(Relay, AnswersARequestWithTheQueryOfTheVector) {
  World world;
  ASSERT_EQ(world.send(kGateway, hex("03000000 55667788"), local("203.0.113.9", 2268)), "");
  ASSERT_EQ(world.transmits.size(), 1U);
  EXPECT_EQ(world.transmits[0].to, kGateway);
  EXPECT_EQ(world.transmits[0].from, local("203.0.113.9", 2268));
  Octets query(world.transmits[0].datagram.begin(), world.transmits[0].datagram.end());
  ASSERT_EQ(query.size(), 66U);
  const Octets mac = hex("a1a2a3a4a5a6");
  std::ranges::copy(mac, query.begin() + 2);
  EXPECT_EQ(to_hex(query),
            to_hex(hex("0401a1a2 a3a4a5a6 55667788 46c00024 00000000 01024413 00000000 e0000001 94040000 "
                       "1101ec81 00000000 027d0000 c7380000 00000000 00000000 0000c000 0201")));
}

// R-5.1.3-a, X-4.2-a; vector "IPv6/MLDv2 General Query from fe80::1".
TEST(Relay, AnswersARequestForMldWithTheMldQueryOfTheVector) {
  RelayOptions options = World::options();
  options.gateway_fields = GatewayFieldsPolicy::kNever;
  World world(options);
  for (const unsigned p : {0x01U, 0x80U}) {
    ASSERT_EQ(world.send(kGateway, request(0x55667788, p)), "");
    const ControlDatagram& query = world.transmits.at(0).datagram;
    ASSERT_EQ(query.size(), 12U + 76U);
    EXPECT_EQ(query[1], std::byte{0});
    EXPECT_EQ(to_hex(Bytes(query).subspan(12)),
              to_hex(hex("60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000 00000001 "
                         "3a000502 00000100 82007da5 00010000 00000000 00000000 00000000 00000000 027d0000")));
  }
}

// VLC 4 takes exactly 48 octets.
TEST(Relay, SendsAnIgmpQueryOf48OctetsWithoutTheFields) {
  RelayOptions options = World::options();
  options.gateway_fields = GatewayFieldsPolicy::kNever;
  World world(options);
  ASSERT_EQ(world.send(kGateway, request(0x55667788)), "");
  EXPECT_EQ(world.transmits.at(0).datagram.size(), 48U);
  EXPECT_EQ(world.count(RelayCounter::kQueriesSentWithoutGatewayFields), 1U);
}

// R-5.3.3.3-g,h: what the options say is what the Query says.
TEST(Relay, AnnouncesItsQueryIntervalAndRobustness) {
  RelayOptions options = World::options();
  options.robustness = 7;
  options.query_interval = seconds(31744);
  World world(options);
  ASSERT_EQ(world.send(kGateway, request(0x55667788)), "");
  const ControlDatagram& query = world.transmits.at(0).datagram;
  EXPECT_EQ(query[12 + 24 + 8], std::byte{7});
  EXPECT_EQ(query[12 + 24 + 9], std::byte{255});
}

// R-5.1.4-c,d
TEST(Relay, TellsAnIpv6GatewayItsWholeAddress) {
  World world;
  ASSERT_EQ(world.send(endpoint("2001:db8:1::7", 0xabcd), request(0x55667788)), "");
  const ControlDatagram& query = world.transmits.at(0).datagram;
  EXPECT_EQ(to_hex(Bytes(query).last(18)), "abcd20010db8000100000000000000000007");
}

// The MAC for one (address, port, nonce) does not depend on P; X-4.2-b: it does on E.
TEST(Relay, GivesOneMacForBothProtocols) {
  World world;
  const Grant igmp = world.ask(kGateway, 0x55667788, 0x00);
  EXPECT_EQ(world.ask(kGateway, 0x55667788, 0x01).mac, igmp.mac);
  EXPECT_EQ(world.ask(kGateway, 0x55667788, 0x80).mac, igmp.mac);
  EXPECT_NE(world.ask(kGateway, 0x55667788, 0x02).mac, igmp.mac);
}

// X-5.1-a: VLC's Request has nine octets. Section 2: reserved bits never reject.
TEST(Relay, TakesARequestWithReservedBitsAndSurplusButNotAShortOne) {
  World world;
  EXPECT_EQ(world.send(kGateway, hex("037cffff 55667788")), "");
  EXPECT_EQ(world.transmits.at(0).datagram[13 - 1], std::byte{0x46});
  EXPECT_EQ(world.send(kGateway, hex("03000000 55667788 00")), "");
  EXPECT_EQ(world.send(kGateway, hex("03000000 556677")), "bad_length");
}

// R-5.3.3.3-j, R-4.2.1.2-b: "100 000 Requests from random endpoints create no state".
TEST(Relay, KeepsNoStateOfAHundredThousandRequestsAndAnswersThemAll) {
  RelayOptions options = World::options();
  options.gateway_fields = GatewayFieldsPolicy::kAuto;
  World world(options);
  SeededRandom random(3);
  std::vector<TunnelEndpoint> from;
  for (int i = 0; i < 100'000; ++i) {
    from.push_back({{IpAddress::from_v4(random.u32()), static_cast<std::uint16_t>(1 + random.below(65535))}});
  }
  const Octets message = request(0x55667788);
  const AllocationCounter allocations;
  std::size_t answered = 0;
  for (const TunnelEndpoint& one : from) {
    ASSERT_TRUE(world.relay.handle_datagram(world.now, one, local("192.0.2.100"), message));
    while (std::holds_alternative<RelayTransmit>(world.relay.poll_output())) ++answered;
  }
  EXPECT_EQ(allocations.calls(), 0U);
  EXPECT_EQ(answered, from.size());
  EXPECT_EQ(world.relay.tunnel_count(), 0U);
}

// R-5.3.3.3-e, R-5.3.3.8-a, R-5.1.4-e
// X-10-3
TEST(Relay, SetsTheLimitFlagWhenItTakesNoMoreTunnels) {
  RelayOptions options = World::options();
  options.limits.tunnels_max = 1;
  World world(options);
  ASSERT_EQ(world.send(kGateway, request(0x55667788)), "");
  EXPECT_EQ(world.transmits.at(0).datagram[1], std::byte{0x01});
  const Grant grant = world.join(kGateway, {kAllow, ip("232.1.2.3"), {ip("198.51.100.12")}});
  ASSERT_EQ(world.send(endpoint("192.0.2.2", 51000), request(0x55667788)), "");
  EXPECT_EQ(world.transmits.at(0).datagram[1], std::byte{0x03});
  EXPECT_EQ(world.count(RelayCounter::kQueriesSentWithLimit), 1U);
  ASSERT_EQ(world.send(kGateway, request(0x55667799)), "");
  EXPECT_EQ(world.transmits.at(0).datagram[1], std::byte{0x01}) << "one that is served is not sent away";
  ASSERT_EQ(world.send(kGateway, update(grant, report({{kBlock, ip("232.1.2.3"), {ip("198.51.100.12")}}}))), "");
  ASSERT_EQ(world.send(kGateway, request(0x55667788)), "");
  EXPECT_EQ(world.transmits.at(0).datagram[1], std::byte{0x01});
}

// R-6.1-a
TEST(Relay, LimitsRequestsOfOneSourceAndNotOfAnother) {
  RelayOptions options = World::options();
  options.answers.queries_per_address_max = 50;
  World world(options);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(world.send(kGateway, request(0x55667788)), "") << i;
  EXPECT_EQ(world.send(kGateway, request(0x55667788)), "request_rate_limit");
  EXPECT_TRUE(world.transmits.empty());
  // Whoever fills the bucket of one endpoint leaves something to its neighbours, and not without end.
  for (std::uint16_t port = 1; port <= 13; ++port) {
    EXPECT_EQ(world.send(endpoint("192.0.2.1", port), request(0x55667788)), "");
  }
  EXPECT_EQ(world.send(endpoint("192.0.2.1", 14), request(0x55667788)), "request_rate_limit");
  EXPECT_EQ(world.send(endpoint("192.0.2.2", 9), request(0x55667788)), "");
}

// "Default limits leave room for one address: at least 50 Requests and 40 Discoveries a second".
TEST(Relay, LeavesRoomForABusyAddressByDefault) {
  RelayOptions options;
  options.advertise_v4 = ip("192.0.2.100");
  World world(options);
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 50; ++i) ASSERT_EQ(world.send(kGateway, request(0x55667788)), "");
    for (int i = 0; i < 40; ++i) ASSERT_EQ(world.send(kGateway, discovery(1)), "");
    world.pass(seconds(1));
  }
}

}  // namespace
}  // namespace amt
