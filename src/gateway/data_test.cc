#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

/// 198.51.100.12@232.1.2.3 is reported.
class Receiving : public ::testing::Test {
 protected:
  Receiving() {
    EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
    EXPECT_TRUE(bench.answer_igmp());
  }
  void expect_rejected(const Octets& message, GatewayReject reason, const Endpoint& from = kRelay) {
    const auto result = bench.data(message, from);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), reason) << counter_name(result.error());
    EXPECT_EQ(bench.gateway.rejects()[reason], 1U);
    EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kDataReceived], 0U);
  }
  static Octets wanted(unsigned ecn = 0) { return udp_data("198.51.100.12", "232.1.2.3", ecn); }

  Bench bench;
};

TEST_F(Receiving, GivesTheInnerDatagramUnchanged) {  // R-5.2.3.3-f
  const Octets message = wanted();
  const auto inner = bench.data(message);
  ASSERT_TRUE(inner);
  EXPECT_EQ(Octets(inner->datagram.begin(), inner->datagram.end()), Octets(message.begin() + 2, message.end()));
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kDataReceived], 1U);
  EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kDataBytesReceived], 32U);
}

TEST_F(Receiving, SurplusAfterTheInnerDatagramIsCutOff) {
  Octets message = wanted();
  message.push_back(std::byte{0xff});
  const auto inner = bench.data(message);
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->datagram.size(), 32U);
}

TEST_F(Receiving, DataFromElsewhereIsIgnored) {  // R-5.2.3.3-b
  expect_rejected(wanted(), GatewayReject::kWrongSource, kOtherRelay);
}
TEST_F(Receiving, DataFromAnotherPortIsIgnored) {  // R-5.2.3.3-b
  expect_rejected(wanted(), GatewayReject::kWrongSource, endpoint("192.0.2.9:2269"));
}
TEST_F(Receiving, UnicastInsideIsIgnored) {  // R-5.2.3.3-c
  expect_rejected(udp_data("198.51.100.12", "192.0.2.1"), GatewayReject::kDataNotMulticast);
}
TEST_F(Receiving, GroupThatNobodyWantsIsIgnored) {  // R-6.2-a
  expect_rejected(udp_data("198.51.100.12", "232.1.2.4"), GatewayReject::kDataNotWanted);
}
TEST_F(Receiving, SourceThatNobodyWantsIsIgnored) {  // R-6.2-a
  expect_rejected(udp_data("198.51.100.13", "232.1.2.3"), GatewayReject::kDataNotWanted);
}
TEST_F(Receiving, WrongHeaderChecksumIsIgnored) {  // R-6.3-a
  Octets message = wanted();
  message[2 + 4] ^= std::byte{1};
  expect_rejected(message, GatewayReject::kInnerBadHeaderChecksum);
}
TEST_F(Receiving, TruncatedDatagramIsIgnored) {  // R-6.3-a
  Octets message = wanted();
  message.pop_back();
  expect_rejected(message, GatewayReject::kInnerTruncated);
}
TEST_F(Receiving, NoDatagramAtAllIsIgnored) { expect_rejected(hex("0600"), GatewayReject::kInnerTruncated); }
TEST_F(Receiving, ControlIsNoData) { expect_rejected(hex("03000000 00000000"), GatewayReject::kWrongRole); }
TEST_F(Receiving, OtherVersionIsIgnored) {  // R-5.1-b
  Octets message = wanted();
  message[0] = std::byte{0x16};
  expect_rejected(message, GatewayReject::kBadVersion);
}

TEST_F(Receiving, WrongTransportChecksumIsIgnoredIfAsked) {  // R-6.3-a
  Octets message = wanted();
  message[2 + 26] = std::byte{0x12};  // UDP checksum 1234
  message[2 + 27] = std::byte{0x34};
  Octets copy = message;
  const auto unchecked = bench.gateway.accept_data(bench.now, kRelay, Ecn::kNotEct, copy, false);
  EXPECT_TRUE(unchecked);
  const auto checked = bench.data(message);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error(), GatewayReject::kDataBadChecksum);
}

TEST_F(Receiving, ZeroUdpChecksumIsFine) {  // R-5.2.3.3-d
  EXPECT_TRUE(bench.data(wanted()));
}

TEST_F(Receiving, FragmentsPassByAddressAlone) {  // X-3.2-a
  // The second fragment of a datagram: offset 8 octets, no ports, and no checksum to check.
  Octets message =
      joined({hex("0600"), hex("45000020 00010001 05110000 c633640c e8010203 deadbeef deadbeef deadbeef")});
  put_u16(message, 2 + 10, 0xa187);
  const auto datagram = DatagramView::parse(Bytes(message).subspan(2));
  ASSERT_TRUE(datagram) << "the header checksum of the test's own datagram";
  EXPECT_TRUE(bench.data(message));
}

TEST_F(Receiving, ExcludedSourceIsIgnoredAndOthersPass) {  // R-6.2-a, R-5.3.3.4-n
  EXPECT_TRUE(bench.set("239.1.1.1", exclude({"198.51.100.66"})));
  EXPECT_TRUE(bench.data(udp_data("198.51.100.1", "239.1.1.1")));
  EXPECT_FALSE(bench.data(udp_data("198.51.100.66", "239.1.1.1")));
}

TEST_F(Receiving, AfterTheLeaveNothingPasses) {  // R-5.2.3.3-a
  EXPECT_TRUE(bench.set("232.1.2.3", include({})));
  expect_rejected(wanted(), GatewayReject::kDataNotWanted);
}

TEST_F(Receiving, DataGoesOnWhileAQueryIsAwaited) {
  bench.run_for(seconds(126));
  EXPECT_TRUE(bench.data(wanted()));
}

TEST_F(Receiving, EcnIsCombinedByTheTable) {  // E-6040-b, E-6040-c: all sixteen
  struct Row {
    Ecn inner;
    Ecn outer;
    std::optional<Ecn> out;
    bool mismatch;
  };
  constexpr Ecn kN = Ecn::kNotEct;
  constexpr Ecn k0 = Ecn::kEct0;
  constexpr Ecn k1 = Ecn::kEct1;
  constexpr Ecn kC = Ecn::kCe;
  const std::array<Row, 16> rows{{
      {kN, kN, kN, false},
      {kN, k0, kN, true},
      {kN, k1, kN, true},
      {kN, kC, std::nullopt, true},
      {k0, kN, k0, false},
      {k0, k0, k0, false},
      {k0, k1, k1, false},
      {k0, kC, kC, false},
      {k1, kN, k1, false},
      {k1, k0, k1, true},
      {k1, k1, k1, false},
      {k1, kC, kC, false},
      {kC, kN, kC, false},
      {kC, k0, kC, false},
      {kC, k1, kC, true},
      {kC, kC, kC, false},
  }};
  for (const Row& row : rows) {
    SCOPED_TRACE(std::to_string(static_cast<int>(row.inner)) + " in " + std::to_string(static_cast<int>(row.outer)));
    const std::uint64_t before = bench.gateway.counters()[GatewayCounter::kEcnMismatch];
    const auto inner = bench.data(wanted(static_cast<unsigned>(row.inner)), kRelay, row.outer);
    EXPECT_EQ(bench.gateway.counters()[GatewayCounter::kEcnMismatch] - before, row.mismatch ? 1U : 0U);
    ASSERT_EQ(inner.has_value(), row.out.has_value());
    if (!inner) {
      EXPECT_EQ(inner.error(), GatewayReject::kDataEcnDrop);
      continue;
    }
    const auto parsed = DatagramView::parse(inner->datagram);  // with a right header checksum
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->ecn(), *row.out);
  }
}

TEST(GatewayData, NothingIsTakenBeforeAnUpdate) {  // R-5.2.3.3-b
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  const auto result = bench.data(udp_data("198.51.100.12", "232.1.2.3"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), GatewayReject::kWrongSource);
}

TEST(GatewayData, AfterAMoveTheOldRelayIsNotHeard) {  // R-5.2.3.3-b, D-3.1.3-a: one relay at a time
  Bench bench(Bench::with_relays({kRelay, kOtherRelay}));
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp({.qqic = 10}));
  for (int i = 0; i < 30 && bench.gateway.relay() == kRelay; ++i) bench.run_for(seconds(1));
  ASSERT_EQ(bench.gateway.relay(), kOtherRelay);
  EXPECT_TRUE(bench.answer_igmp({}, kOtherRelay));
  EXPECT_FALSE(bench.data(udp_data("198.51.100.12", "232.1.2.3"), kRelay));
  EXPECT_TRUE(bench.data(udp_data("198.51.100.12", "232.1.2.3"), kOtherRelay));
}

TEST(GatewayData, CountersHaveTheirNames) {
  EXPECT_EQ(counter_name(GatewayCounter::kRequestsSent), "requests_sent");
  EXPECT_EQ(counter_name(GatewayCounter::kEcnMismatch), "ecn_mismatches");
  EXPECT_EQ(counter_name(GatewayReject::kWrongNonce), "reject_wrong_nonce");
  EXPECT_EQ(counter_name(GatewayReject::kDataEcnDrop), "reject_data_ecn_drop");
}

}  // namespace
}  // namespace amt::test
