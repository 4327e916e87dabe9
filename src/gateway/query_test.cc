#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

TEST(GatewayQuery, HandWrittenQueryIsTheVector) {
  EXPECT_EQ((QueryText{.nonce = hex("55667788"), .seen_as = kSeenAs}.igmp()),
            hex("0401a1a2 a3a4a5a6 55667788 46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81"
                "00000000 027d0000 c7380000 00000000 00000000 0000c000 0201"));
}

/// A gateway with one IGMP subscription whose first Request is out.
class Asked : public ::testing::Test {
 protected:
  Asked() { EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"}))); }

  void expect_rejected(const Octets& message, GatewayReject reason, const Endpoint& from = kRelay) {
    const std::uint64_t before = bench.gateway.rejects()[reason];
    const auto result = bench.receive(message, from);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), reason) << counter_name(result.error());
    EXPECT_EQ(bench.gateway.rejects()[reason], before + 1);
    EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kRequesting);
    EXPECT_TRUE(bench.all(kUpdate).empty());
  }
  [[nodiscard]] QueryText query() const { return {.nonce = bench.last(kRequest).nonce()}; }

  Bench bench;
};

TEST_F(Asked, AcceptsTheAnswer) {  // R-5.2.3.5.4-h
  EXPECT_TRUE(bench.receive(query().igmp()));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayAnswers));
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kQueriesReceived], 1U);
}

TEST_F(Asked, OneAnswerIsEnough) {  // R-5.2.3.5.4-a, R-5.2.3.5.4-g
  const Octets answer = query().igmp();
  EXPECT_TRUE(bench.receive(answer));
  bench.forget();
  const auto again = bench.receive(answer);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), GatewayReject::kNotWaiting);
  EXPECT_TRUE(bench.sent.empty());
}

TEST_F(Asked, WrongNonceIsIgnored) {  // R-5.2.3.5.4-b
  QueryText wrong = query();
  wrong.nonce[0] ^= std::byte{0x80};
  expect_rejected(wrong.igmp(), GatewayReject::kWrongNonce);
}

TEST_F(Asked, NonceThatWasNotYetSentIsIgnored) {
  bench.run_for(seconds(1));  // the retry without E
  const Octets plain = bench.last(kRequest).nonce();
  Bench twin;  // the same seed: it will draw the same nonces, and has not sent this one
  EXPECT_TRUE(twin.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_FALSE(twin.receive(QueryText{.nonce = plain}.igmp()));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = plain}.igmp()));
}

TEST_F(Asked, LateAnswerToTheFirstRequestStillCounts) {
  const Octets first = query().igmp();
  bench.run_for(milliseconds(1500));
  EXPECT_TRUE(bench.receive(first));
}

TEST_F(Asked, WrongSourceAddressOrPortIsIgnored) {  // R-5.2.3.5.4-c
  expect_rejected(query().igmp(), GatewayReject::kWrongSource, kOtherRelay);
  expect_rejected(query().igmp(), GatewayReject::kWrongSource, endpoint("192.0.2.9:2269"));
}

TEST_F(Asked, OtherProtocolIsIgnored) {  // R-5.2.3.5.4-d, R-5.2.3.5.2-b
  expect_rejected(query().mld(), GatewayReject::kInnerNotQuery);
}

TEST_F(Asked, OlderQueryIsIgnored) {  // R-5.2.3.5.4-d: an IGMPv2 General Query, 8 octets
  QueryText older = query();
  older.inner = hex("46c00020 00000000 01024417 00000000 e0000001 94040000 1164ee9b 00000000");
  expect_rejected(older.igmp(), GatewayReject::kInnerNotQuery);
}

TEST_F(Asked, SpecificQueryIsIgnored) {  // R-5.2.3.5.4-e: for 232.1.2.3, to that group
  QueryText specific = query();
  specific.inner = hex("46c00024 00000000 01023a10 00000000 e8010203 94040000 1101027d e8010203 027d0000");
  expect_rejected(specific.igmp(), GatewayReject::kInnerNotQuery);
}

TEST_F(Asked, ReportInAQueryIsIgnored) {  // R-5.2.3.5.4-d, P-b: no router part towards the relay
  QueryText report = query();
  report.inner =
      hex("46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8 00000001 05000001 e8010203 c633640c");
  expect_rejected(report.igmp(), GatewayReject::kInnerNotQuery);
}

TEST_F(Asked, InnerDatagramLongerThanTheMessageIsIgnored) {  // R-5.2.3.5.4-f
  Octets cut = query().igmp();
  cut.resize(cut.size() - 4);
  expect_rejected(cut, GatewayReject::kInnerTruncated);
  // With G the fields are not part of the inner datagram: 18 octets of it are missing here.
  Octets overlapping = query().igmp();
  overlapping[1] = std::byte{1};
  expect_rejected(overlapping, GatewayReject::kInnerTruncated);
}

TEST_F(Asked, DamagedInnerDatagramIsIgnored) {  // R-6.3-a
  Octets bad_header = query().igmp();
  bad_header[12 + 4] ^= std::byte{1};
  expect_rejected(bad_header, GatewayReject::kInnerBadHeaderChecksum);
  Octets bad_igmp = query().igmp();
  bad_igmp[12 + 24 + 8] ^= std::byte{1};
  expect_rejected(bad_igmp, GatewayReject::kInnerBadChecksum);
  Octets bad_version = query().igmp();
  bad_version[12] = std::byte{0x56};
  expect_rejected(bad_version, GatewayReject::kInnerBadHeader);
}

TEST_F(Asked, MessagesOfTheWrongKindAreIgnored) {  // R-5.2.3.2-a, R-5.1-b
  expect_rejected({}, GatewayReject::kEmpty);
  expect_rejected(hex("14000000"), GatewayReject::kBadVersion);
  expect_rejected(hex("08000000"), GatewayReject::kUnknownType);
  expect_rejected(hex("04000000"), GatewayReject::kBadLength);
  expect_rejected(hex("01000000 11223344"), GatewayReject::kWrongRole);
  expect_rejected(hex("03000000 11223344"), GatewayReject::kWrongRole);
}

TEST_F(Asked, AnyInnerSourceAddressWillDo) {  // R-5.2.1-g, X-3.4-b, X-10-6
  QueryText query_from_host = query();
  // 10.1.1.1 instead of 0.0.0.0.
  query_from_host.inner = hex("46c00024 00000000 01023911 0a010101 e0000001 94040000 1101ec81 00000000 027d0000");
  EXPECT_TRUE(bench.receive(query_from_host.igmp()));
}

TEST_F(Asked, RouterAlertIsNotDemanded) {
  QueryText without = query();
  without.inner = hex("45c00020 00000000 0102d91b 00000000 e0000001 1101ec81 00000000 027d0000");
  EXPECT_TRUE(bench.receive(without.igmp()));
}

TEST_F(Asked, SurplusOctetsAreNotPartOfTheQuery) {  // R-5.2.3.5.4-i, R-5.1.4-b
  QueryText padded = query();
  padded.surplus = "dead beef 00";
  padded.seen_as = kSeenAs;
  EXPECT_TRUE(bench.receive(padded.igmp()));
  bench.shut_down();
  EXPECT_EQ(bench.last(kTeardown).from(12), hex("c738 00000000 00000000 00000000 c0000201"));
}

// R-5.2.3.7.2-a: a Teardown has the gateway fields of the Query, in the form that the relay gave them: it may compare
// octets, as the MAC does.
TEST_F(Asked, TeardownRepeatsAMappedAddressAsItCame) {
  QueryText mapped = query();
  mapped.seen_as = kSeenAs;
  mapped.mapped = true;
  EXPECT_TRUE(bench.receive(mapped.igmp()));
  bench.shut_down();
  EXPECT_EQ(bench.last(kTeardown).from(12), hex("c738 00000000 00000000 0000ffff c0000201"));
}

TEST_F(Asked, ReservedBitsAreNotLookedAt) {
  Octets message = query().igmp();
  message[1] = std::byte{0xfc};
  EXPECT_TRUE(bench.receive(message));
}

TEST_F(Asked, QueryIntervalZeroMeansTheDefault) {  // X-3.4-a
  EXPECT_TRUE(bench.answer_igmp({.qqic = 0}));
  bench.forget();
  bench.run_for(seconds(125) - milliseconds(1));
  EXPECT_TRUE(bench.all(kRequest).empty());
  bench.run_for(milliseconds(1));
  EXPECT_EQ(bench.all(kRequest).size(), 1U);
}

TEST_F(Asked, QueryIntervalIsDecoded) {  // R-5.2.3.5.4-j: 0x8f is 248 s
  EXPECT_TRUE(bench.answer_igmp({.qqic = 0x8f}));
  bench.forget();
  bench.run_for(seconds(248) - milliseconds(1));
  EXPECT_TRUE(bench.all(kRequest).empty());
  bench.run_for(milliseconds(1));
  EXPECT_EQ(bench.all(kRequest).size(), 1U);
}

TEST(GatewayQuery, MldAnswerFromAnyAddress) {  // R-5.2.1-g, R-5.1-c: MLD inside, IPv4 outside
  Bench bench;
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = bench.requests(true)[0].nonce()}.mld()));
  ASSERT_EQ(bench.all(kUpdate).size(), 1U);
}

TEST(GatewayQuery, IgmpOverIpv6) {  // R-5.1-c
  const Endpoint relay = endpoint("[2001:db8::9]:2268");
  Bench bench(Bench::with_relays({relay}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.seen_as = endpoint("[2001:db8::1]:51000")}, relay));
  EXPECT_EQ(bench.last(kUpdate).to, relay);
  bench.shut_down();
  EXPECT_EQ(bench.last(kTeardown).from(12), hex("c738 20010db8 00000000 00000000 00000001"));
}

TEST(GatewayQuery, EachProtocolKeepsItsOwnNonceAndMac) {  // R-4.2.1.2-a, R-5.2.3.6.2-b
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.set("ff3e::8000:d", include({"2001:db8::a"})));
  const Octets nonce = bench.last(kRequest).nonce();
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce, .mac = "010101010101"}.igmp()));
  EXPECT_TRUE(bench.receive(QueryText{.nonce = nonce, .mac = "020202020202"}.mld()));
  bench.run_for(seconds(10));
  bench.forget();
  EXPECT_TRUE(bench.set("232.1.2.4", include({"198.51.100.12"})));
  EXPECT_EQ(bench.last(kUpdate).mac(), hex("010101010101"));
  EXPECT_TRUE(bench.set("ff3e::8000:e", include({"2001:db8::a"})));
  EXPECT_EQ(bench.last(kUpdate).mac(), hex("020202020202"));
}

TEST(GatewayQuery, LimitWithNothingReportedEndsTheCycle) {  // R-5.2.3.5.4-m, R-5.1.4-e, X-10-3
  Bench bench(Bench::with_discovery());
  const Octets nonce = bench.last(kDiscovery).nonce();
  EXPECT_TRUE(bench.receive(advertisement(nonce, "192.0.2.9"), kAnycast));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.forget();
  // Wanted, but nothing reported to this relay yet: it would ignore the Update.
  bench.forget();
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.answer_igmp({.limit = true}));
  EXPECT_TRUE(bench.told(GatewayEvent::Kind::kRelayLimit));
  EXPECT_TRUE(bench.all(kUpdate).empty());
  bench.forget();
  bench.run_for(seconds(20));
  EXPECT_TRUE(bench.all(kRequest).empty());
  ASSERT_FALSE(bench.all(kDiscovery).empty());
  EXPECT_NE(bench.all(kDiscovery)[0].nonce(), nonce);
}

TEST(GatewayQuery, LimitIsNoReasonForAStorm) {  // R-5.2.3.5.4-m
  Bench bench;
  for (int i = 0; i < 600; ++i) {
    if (!bench.sent.empty()) {
      static_cast<void>(bench.answer_igmp({.limit = true}));
    }
    bench.run_for(seconds(1));
  }
  EXPECT_GT(bench.all(kRequest).size(), 5U);
  EXPECT_LT(bench.all(kRequest).size(), 40U);
  EXPECT_TRUE(bench.all(kUpdate).empty());
}

TEST(GatewayQuery, LimitSendsToTheNextCandidate) {  // R-5.2.3.5.4-m
  Bench bench(Bench::with_relays({kRelay, kOtherRelay}));
  EXPECT_TRUE(bench.answer_igmp({.limit = true}));
  EXPECT_EQ(bench.gateway.relay(), kOtherRelay);
  EXPECT_EQ(bench.last(kRequest).to, kOtherRelay);
}

TEST(GatewayQuery, LimitWithStateAtTheRelayChangesNothing) {  // R-5.2.3.5.4-n, R-5.1.4-f
  Bench bench(Bench::with_relays({kRelay, kOtherRelay}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10, .seen_as = kSeenAs}));
  bench.run_for(seconds(10));
  bench.forget();
  // The query timer's Request was sent just now.
  Bench* const b = &bench;
  b->run_for(seconds(1));
  EXPECT_TRUE(bench.answer_igmp({.limit = true, .seen_as = kSeenAs}));
  EXPECT_EQ(bench.gateway.relay(), kRelay);
  EXPECT_EQ(bench.all(kUpdate).size(), 1U);
}

}  // namespace
}  // namespace amt::test
