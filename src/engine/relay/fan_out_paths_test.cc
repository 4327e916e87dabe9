#include "engine/relay/fan_out_fixture.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

TEST_F(FanOutTest, FragmentsInsideWhatANarrowPathDoesNotTake) {  // R-5.3.3.6.2.1-b, X-4.6-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.handle_error(now_, link_takes(800));
  const std::vector<Octets> sent = {datagram(kSource, kGroup, 1316, 1), datagram(kSource, kGroup, 100, 2),
                                    datagram(kSource, kGroup, 742, 3), datagram(kSource, kGroup, 743, 4)};
  replicate(sent);
  Reassembler reassembler;
  std::vector<Octets> whole;
  std::size_t fragments = 0;
  for (const Octets& arrived : received()) {
    EXPECT_LE(arrived.size() + wire::kDataHeaderOctets + 28, 800U);
    const DatagramView view = DatagramView::parse(arrived).value();
    fragments += view.is_fragment() ? 1 : 0;
    if (const auto rebuilt = reassembler.add(now_, view)) whole.emplace_back(rebuilt->begin(), rebuilt->end());
  }
  EXPECT_EQ(fragments, 4U);
  std::vector<Octets> expected;
  std::transform(sent.begin(), sent.end(), std::back_inserter(expected), forwarded);
  EXPECT_EQ(whole, expected);
}

TEST_F(FanOutTest, DropsWhatMayNotBeFragmented) {  // R-5.3.3.6.2.1-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.handle_error(now_, link_takes(800));
  replicate({uncuttable(datagram(kSource, kGroup, 1316, 1))});
  EXPECT_TRUE(received().empty());
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTooBig], 1U);
}

TEST_F(FanOutTest, TellsTheSourceOnceForEachDatagramThatDoesNotFit) {  // R-5.3.3.6.2.1-a,c
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.handle_error(now_, link_takes(800));
  const Octets first = uncuttable(datagram(kSource, kGroup, 743, 1));
  const Octets second = uncuttable(datagram(kSource, kGroup, 1000, 2));
  replicate({uncuttable(datagram(kSource, kGroup, 742, 3)), first, datagram(kSource, kGroup, 1000, 4), second});
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0], std::pair(kSource, write_too_big(*DatagramView::parse(forwarded(first)), 770)));
  EXPECT_EQ(told_[1], std::pair(kSource, write_too_big(*DatagramView::parse(forwarded(second)), 770)));
  // Not again with the next batch.
  replicate({datagram(kSource, kGroup, 100, 5)});
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(FanOutTest, GivesFragmentsTheEcnOfTheWhole) {  // E-9601-g
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.handle_error(now_, link_takes(800));
  replicate({datagram(kSource, kGroup, 1316, 1, 8, Ecn::kEct1)});
  EXPECT_EQ(received().size(), 2U);
  EXPECT_EQ(ecn_, (std::vector{Ecn::kEct1, Ecn::kEct1}));
}

/// Claims of ICMP messages about the gateway.
class FanOutAndIcmp : public FanOutTest {
 protected:
  /// Quotes `quote`, which was sent to `to`.
  SocketError icmp(int code, std::uint32_t mtu_octets, Bytes quote, std::optional<Endpoint> to = std::nullopt) const {
    SocketError error;
    error.to = to.value_or(gateway_socket_.local());
    error.code = code;
    error.mtu_octets = mtu_octets;
    error.is_unreachable = code == ECONNREFUSED;
    error.from_network = true;
    error.quote_length = std::min(quote.size(), SocketError::kQuoteOctetsMax);
    std::copy_n(quote.begin(), error.quote_length, error.quote_octets.begin());
    return error;
  }
  /// What the gateway gets of a datagram that may not be cut.
  bool passes(std::size_t payload_octets) {
    replicate({uncuttable(datagram(kSource, kGroup, payload_octets, 1))});
    return received().size() == 1;
  }
  /// The last octets that the relay sent to the gateway, as whoever has the same channel knows them.
  Octets data() const {
    Octets message(wire::kDataHeader.begin(), wire::kDataHeader.end());
    const Octets inner = forwarded(uncuttable(datagram(kSource, kGroup, 1316, 1)));
    message.insert(message.end(), inner.begin(), inner.end());
    return message;
  }
};

TEST_F(FanOutAndIcmp, BelievesAPathMtuWhenThePathSaysItOfAProbe) {  // R-5.3.3.6.1-b, C-6936-4.10
  join(kGroup, {FilterMode::kInclude, {kSource}});
  // Of a gateway without a tunnel nothing is asked.
  const Endpoint other{kLoopback, static_cast<std::uint16_t>(gateway_socket_.local().port ^ 1)};
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, data(), other));
  // A quote that is right to the last octet proves nothing.
  EXPECT_TRUE(passes(1316));
  EXPECT_TRUE(probes_.empty());
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, data()));
  EXPECT_TRUE(passes(1316));
  ASSERT_EQ(probes_.size(), 1U);
  EXPECT_EQ(probes_[0].size() + kIpv4HeaderOctets + kUdpHeaderOctets, 801U);
  // Nor does a probe that was changed, was sent to somebody else, or is old.
  Octets changed = probes_[0];
  changed[11] ^= std::byte{1};
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, changed));
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, probes_[0], other));
  now_ += PathProbes::kAnswerWithin + std::chrono::seconds(1);
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, probes_[0]));
  EXPECT_TRUE(passes(1316));
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, probes_.back()));
  EXPECT_FALSE(passes(743));
  EXPECT_TRUE(passes(742));
  EXPECT_EQ(relay_.counters()[RelayCounter::kIcmpProven], 1U);
  // The relay itself knows nothing of it: no source is told (R-5.3.3.6.2.1-a, departure).
  EXPECT_TRUE(told_.empty());
  // A claim that makes no difference is not followed up.
  const std::uint64_t sent = relay_.counters()[RelayCounter::kPathProbesSent];
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, data()));
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 1400, data()));
  EXPECT_EQ(relay_.counters()[RelayCounter::kPathProbesSent], sent);
}

TEST_F(FanOutAndIcmp, AsksAgainBeforeWhatThePathSaidIsTooOld) {
  join(kGroup, {FilterMode::kInclude, {kSource}});
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, data()));
  EXPECT_TRUE(received().empty());
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, probes_.at(0)));
  now_ += NarrowPaths::kLifetime - NarrowPaths::kAskBefore;
  EXPECT_FALSE(passes(743));
  EXPECT_FALSE(passes(743));
  ASSERT_EQ(probes_.size(), 2U);
  fan_out_.handle_error(now_, icmp(EMSGSIZE, 800, probes_.at(1)));
  now_ += NarrowPaths::kAskBefore;
  EXPECT_FALSE(passes(743));
  // Nobody says it again.
  now_ += NarrowPaths::kLifetime;
  EXPECT_TRUE(passes(743));
}

TEST_F(FanOutAndIcmp, TellsSourcesOfAPathWhereTheOperatorWantsIt) {  // R-5.3.3.6.2.1-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  FanOut telling(relay_, sockets_, back_end_, random_, {.tell_sources = true}, &too_big_);
  telling.handle_error(now_, icmp(EMSGSIZE, 800, data()));
  EXPECT_TRUE(received().empty());
  telling.handle_error(now_, icmp(EMSGSIZE, 800, probes_.at(0)));
  const Octets refused = uncuttable(datagram(kSource, kGroup, 743, 1));
  replicate({refused}, HopLimit::kLower, &telling);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].second, write_too_big(*DatagramView::parse(forwarded(refused)), 770));
}

TEST_F(FanOutAndIcmp, EndsATunnelOnlyWhenAProbeIsUnreachable) {  // R-5.3.3.6.4-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  for (int i = 0; i < 100; ++i) {
    now_ += std::chrono::milliseconds(100);
    fan_out_.handle_error(now_, icmp(ECONNREFUSED, 0, data()));
  }
  EXPECT_EQ(relay_.tunnel_count(), 1U);
  EXPECT_TRUE(received().empty());
  fan_out_.handle_error(now_, icmp(ECONNREFUSED, 0, probes_.back()));
  EXPECT_EQ(relay_.tunnel_count(), 0U);
}

/// On a network of its own, whose loopback interface may get narrower.
class OwnNetwork {
 protected:
  OwnNetwork() {
    is_here_ = ::unshare(CLONE_NEWNET) == 0 || enter_user_namespace().has_value();
    if (!is_here_) return;
    EXPECT_TRUE(ok(set_link_up(find_link("lo")->index)));
  }
  bool is_here_ = false;
};

class FanOutOnALink : protected OwnNetwork, public FanOutTest {
 protected:
  void SetUp() override {
    if (!is_here_) GTEST_SKIP() << "no namespaces here";
  }
  static void narrow(unsigned mtu_octets) { ASSERT_TRUE(ok(set_link_mtu(find_link("lo")->index, mtu_octets))); }
  /// All that arrived, put together again; the number of messages.
  std::size_t arrived(std::vector<Octets>& whole) {
    Reassembler reassembler;
    const std::vector<Octets> pieces = received();
    for (const Octets& piece : pieces) {
      if (const auto one = reassembler.add(now_, DatagramView::parse(piece).value())) {
        whole.emplace_back(one->begin(), one->end());
      }
    }
    return pieces.size();
  }
};

TEST_F(FanOutOnALink, SendsWhatANarrowerLinkRefusesOnceMoreAndNotOftener) {  // R-5.3.3.6.2.1-b
  join(kGroup, {FilterMode::kInclude, {kSource}});
  std::vector<Octets> sent;
  std::vector<Octets> expected;
  for (unsigned i = 0; i < 32; ++i) {
    sent.push_back(datagram(kSource, kGroup, 1316, static_cast<std::uint8_t>(i)));
    // Each is another datagram for who puts them together.
    put_u16_at(sent.back(), 4, static_cast<std::uint16_t>(i + 1));
    put_u16_at(sent.back(), 10, 0);
    put_u16_at(sent.back(), 10, internet_checksum(Bytes(sent.back()).first(kIpv4HeaderOctets)));
    expected.push_back(forwarded(sent.back()));
  }
  // The last of the run is shorter, and passes each time.
  sent.push_back(datagram(kSource, kGroup, 400, 99));
  expected.push_back(forwarded(sent.back()));
  std::ranges::sort(expected);
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
  for (const unsigned mtu : {1400U, 1000U, 600U, 600U}) {
    narrow(mtu);
    replicate(sent);
    std::vector<Octets> whole;
    const std::size_t pieces = arrived(whole);
    std::ranges::sort(whole);
    EXPECT_EQ(whole, expected) << mtu;
    const std::size_t each = mtu == 1400 ? 1 : mtu == 1000 ? 2 : 3;
    EXPECT_EQ(pieces, 32 * each + 1) << mtu;
    messages += pieces;
    octets += 33 * (kIpv4HeaderOctets + kUdpHeaderOctets) + 32 * (1316 + (each - 1) * kIpv4HeaderOctets) + 400;
    EXPECT_EQ(relay_.counters()[RelayCounter::kDataPacketsSent], messages) << mtu;
    EXPECT_EQ(relay_.counters()[RelayCounter::kDataBytesSent], octets) << mtu;
    EXPECT_EQ(relay_.counters()[RelayCounter::kDataTooBig], 0U) << mtu;
  }
}

TEST_F(FanOutOnALink, CountsNoOctetOfWhatItDrops) {  // R-5.3.3.6.2.1-a
  join(kGroup, {FilterMode::kInclude, {kSource}});
  narrow(1000);
  std::vector<Octets> sent(10, uncuttable(datagram(kSource, kGroup, 1316, 1)));
  sent.push_back(uncuttable(datagram(kSource, kGroup, 400, 2)));
  replicate(sent);
  EXPECT_EQ(received(), (std::vector<Octets>{forwarded(sent.back())}));
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataTooBig], 10U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataPacketsSent], 1U);
  EXPECT_EQ(relay_.counters()[RelayCounter::kDataBytesSent], sent.back().size());
  relay_.for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState&, Instant) {
    EXPECT_EQ(tunnel.packets, 1U);
    EXPECT_EQ(tunnel.bytes, sent.back().size());
  });
}

}  // namespace
}  // namespace amt
