/// What a client says of itself: why nothing comes, and what it noticed.

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

class Reports : public testing::Test {
 protected:
  Reports() {
    world.options.gateway = Bench::with_relays({endpoint(kFirst)});
    world.relay(kFirst);
  }
  void watch(std::string_view group = kGroup) {
    world.start();
    world.join(group, include({kSource}));
    world.run_for(seconds(5));
  }
  /// To the socket of the first tunnel.
  void receive(Octets message, Ecn outer = Ecn::kNotEct) {
    Received received;
    received.from = endpoint(kFirst);
    received.bytes = message;
    received.ecn = outer;
    world.client->handle_datagrams(world.now, world.sockets.begin()->first, {&received, 1});
    world.drain();
  }
  [[nodiscard]] bool reason_has(std::string_view text) const {
    return world.client->reason_of_silence().find(text) != std::string::npos;
  }

  World world;
};

TEST_F(Reports, ASourceThatSendsNothing) {
  watch();
  EXPECT_TRUE(reason_has("relay 192.0.2.1:2268 answers, but nothing that is wanted comes through it"));
}

TEST_F(Reports, ASourceThatPauses) {
  watch();
  world.send(kSource, kGroup);
  world.run_for(seconds(1));
  EXPECT_TRUE(reason_has("answers; the source may have paused"));
}

TEST_F(Reports, AnotherGroupThanTheWantedOne) {
  watch();
  receive(udp_data(kSource, "232.9.9.9"));
  EXPECT_TRUE(reason_has("what comes is of other groups or sources"));
}

TEST_F(Reports, DamagedData) {
  watch();
  Octets message = udp_data(kSource, kGroup);
  // A UDP checksum that is there, and wrong.
  put_u16(message, message.size() - 6, 0x1234);
  receive(message);
  EXPECT_TRUE(reason_has("the checksums of what comes are wrong"));
}

TEST_F(Reports, ARelayThatDoesNotAnswer) {
  world.relay(kFirst).answers = false;
  watch();
  EXPECT_TRUE(reason_has("relay 192.0.2.1:2268 does not answer"));
}

TEST_F(Reports, AWayThatIsNotThere) {
  world.send_problem = "Network is unreachable";
  watch();
  EXPECT_TRUE(reason_has("cannot be reached from here: Network is unreachable"));
}

TEST_F(Reports, ARelayThatRefuses) {
  world.relay(kFirst).limit = true;
  watch();
  EXPECT_TRUE(reason_has("refuses new gateways (L flag)")) << world.client->reason_of_silence();
  EXPECT_TRUE(world.said("relay 192.0.2.1:2268 refuses new gateways (L flag)"));
}

TEST_F(Reports, ADiscoveryThatNobodyAnswers) {
  world.options.gateway.candidates = {{RelayCandidate::Kind::kDiscovery, endpoint(kFirst)}};
  world.relay(kFirst).answers = false;
  watch();
  EXPECT_TRUE(world.said("looking for a relay at 192.0.2.1:2268")) << world.log;
  EXPECT_TRUE(reason_has("no relay answers Relay Discovery")) << world.client->reason_of_silence();
}

TEST_F(Reports, TheRelayThatADiscoveryFound) {
  world.options.gateway.candidates = {{RelayCandidate::Kind::kDiscovery, endpoint(kFirst)}};
  world.relay(kFirst).advertised = address(kSecond);
  world.relay(kSecond);
  watch();
  EXPECT_TRUE(world.said("relay 192.0.2.2:2268 found")) << world.log;
  EXPECT_TRUE(world.said("relay 192.0.2.2:2268 answers"));
}

// RFC 6040 §4.2: an alarm, and no more than one a minute.
TEST_F(Reports, CongestionMarksThatShouldNotOccurTogether) {
  watch();
  // Inner Not-ECT, outer CE: such a datagram is dropped, the queue on the way would have dropped it.
  for (int i = 0; i < 5; ++i) receive(udp_data(kSource, kGroup, 0), Ecn::kCe);
  for (int i = 0; i < 5; ++i) receive(udp_data(kSource, kGroup, 2), Ecn::kEct1);
  EXPECT_EQ(world.times_said("congestion marks that should not occur together"), 1U) << world.log;
  world.run_for(seconds(61));
  receive(udp_data(kSource, kGroup, 0), Ecn::kCe);
  EXPECT_EQ(world.times_said("congestion marks that should not occur together"), 2U) << world.log;
}

/// Both ways at once, as payloads.
TEST_F(Reports, APayloadThatComesByBothWaysIsHandedOnOnce) {
  world.options.native = true;
  world.options.payloads = true;
  world.start();
  world.join(kGroup, include({kSource}));
  ASSERT_EQ(world.natively.size(), 1U);
  const Octets content = hex("74657374");
  const Payload payload{content, endpoint("198.51.100.1:5000"), endpoint("232.1.1.1:5001")};
  for (int i = 0; i < 3; ++i) {
    world.client->handle_native(world.now, std::span(&payload, 1));
    world.drain();
    world.run_for(milliseconds(10));
  }
  EXPECT_EQ(world.payload_sources.size(), 3U);
  EXPECT_EQ(world.client->native_packets(), 3U);
  // Datagrams are not what this client asked for.
  const Octets message = udp_data(kSource, kGroup);
  const Bytes datagram = Bytes(message).subspan(2);
  world.client->handle_native(world.now, std::span(&datagram, 1));
  world.drain();
  EXPECT_EQ(world.client->native_packets(), 3U);
  std::size_t channels = 0;
  world.client->for_each_channel([&](const Channel& channel, ServedBy served) {
    ++channels;
    EXPECT_EQ(channel.group, address(kGroup));
    EXPECT_EQ(served, ServedBy::kNative);
  });
  EXPECT_EQ(channels, 1U);
}

}  // namespace
}  // namespace amt::test
