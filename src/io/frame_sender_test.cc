#include "io/frame_sender_fixture.hh"

namespace amt {
namespace {

std::string way_name(const testing::TestParamInfo<std::tuple<SendPath, bool>>& one) {
  return std::string(std::get<0>(one.param) == SendPath::kXdp ? "Xdp" : "Orders") +
         (std::get<1>(one.param) ? "Ipv4" : "Ipv6");
}
INSTANTIATE_TEST_SUITE_P(Ways, FrameSenderOn,
                         testing::Combine(testing::Values(SendPath::kXdp, SendPath::kOrders), testing::Bool()),
                         way_name);

/// The Flow Label is each one's own choice.
Octets without_flow_label(Octets frame) {
  if (frame[12] != std::byte{0x86}) return frame;
  std::byte* const ip = frame.data() + kEthernetHeaderOctets;
  ip[1] &= std::byte{0xf0};
  ip[2] = ip[3] = std::byte{0};
  return frame;
}

// E-9601-f, R-5.3.3.6.3.1-a: outer header by outer header.
TEST_P(FrameSenderOn, SendsWhatTheSocketWouldOctetForOctet) {
  warm_up();
  for (const std::size_t octets : {1UL, 2UL, 1345UL, 1346UL}) {
    for (const Ecn ecn : {Ecn::kNotEct, Ecn::kEct1, Ecn::kEct0, Ecn::kCe}) {
      const Octets payload = numbered(octets, 3);
      const Bytes piece(payload);
      const Transmit message{.to = peer(), .pieces = {&piece, 1}, .ecn = ecn, .slot = 0};
      const std::uint64_t before = frames_sent();
      send(payload, ecn);
      EXPECT_EQ(frames_sent(), before + 1);
      EXPECT_EQ(socket_->send({&message, 1}, [](const SendFailure& failure) { ADD_FAILURE() << failure.code; }), 1U);
      const std::vector<Octets> both = frames(2);
      ASSERT_EQ(both.size(), 2U);
      EXPECT_EQ(without_flow_label(both[0]), without_flow_label(both[1])) << octets;
    }
  }
  EXPECT_TRUE(errors_.empty());
}

TEST_P(FrameSenderOn, AsksTheSocketFirstAndAgainNowAndThen) {
  send(numbered(100, 1));
  EXPECT_EQ(frames_sent(), 0U);
  warm_up();
  std::uint64_t by_socket = 0;
  for (int second = 0; second < 100; ++second) {
    const std::uint64_t before = frames_sent();
    send(numbered(100, 1));
    by_socket += frames_sent() == before ? 1U : 0U;
    pass(std::chrono::seconds(1));
  }
  // Every ten seconds; the first of them began while it warmed up.
  static_assert(FrameSender::kPathLifetime == std::chrono::seconds(10));
  EXPECT_GE(by_socket, 9U);
  EXPECT_LE(by_socket, 10U);
  EXPECT_EQ(frames(100).size(), 100U);
}

TEST_P(FrameSenderOn, KeepsTheOrderOfOnePeerWhateverTheWay) {
  warm_up();
  std::vector<Octets> payloads;
  for (unsigned i = 0; i < 12; ++i) payloads.push_back(numbered(200, i));
  const std::vector<Bytes> pieces(payloads.begin(), payloads.end());
  const std::span all(pieces);
  // One by frames, eight by the socket, two that must not overtake them, another.
  const std::array messages = {Transmit{.to = peer(), .pieces = all.first(1), .slot = 0},
                               Transmit{.to = peer(), .pieces = all.subspan(1, 8), .segment_octets = 200, .slot = 0},
                               Transmit{.to = peer(), .pieces = all.subspan(9, 2), .segment_octets = 200, .slot = 0},
                               Transmit{.to = peer(), .pieces = all.subspan(11, 1), .slot = 0}};
  const std::uint64_t before = frames_sent();
  send(messages);
  EXPECT_EQ(frames_sent(), before + 1);
  std::vector<Octets> arrived;
  for (const Octets& frame : frames(12)) {
    // A veth may hand merged datagrams over whole.
    const auto datagram = DatagramView::parse(EthernetFrame::parse(frame)->payload);
    const Bytes payload = datagram->payload.subspan(kUdpHeaderOctets);
    for (std::size_t at = 0; at < payload.size(); at += 200) {
      arrived.emplace_back(payload.begin() + static_cast<std::ptrdiff_t>(at),
                           payload.begin() + static_cast<std::ptrdiff_t>(at + 200));
    }
  }
  EXPECT_EQ(arrived, payloads);
}

TEST_P(FrameSenderOn, SendsEveryDatagramOfManyMessages) {
  warm_up();
  std::vector<Octets> payloads;
  for (unsigned i = 0; i < 6; ++i) payloads.push_back(numbered(i == 5 ? 100 : 300, i));
  const std::vector<Bytes> pieces(payloads.begin(), payloads.end());
  std::vector<Transmit> messages;
  for (int i = 0; i < 1000; ++i) {
    messages.push_back({.to = peer(), .pieces = std::span(pieces).first(2), .segment_octets = 300, .slot = 0});
    messages.push_back({.to = peer(), .pieces = std::span(pieces).subspan(4, 2), .segment_octets = 300, .slot = 0});
  }
  // In parts: a packet socket holds only so much.
  for (std::size_t at = 0; at < messages.size(); at += 20) {
    send(std::span(messages).subspan(at, 20));
    const std::vector<Octets> got = frames(40);
    ASSERT_EQ(got.size(), 40U);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const auto datagram = DatagramView::parse(EthernetFrame::parse(got[i])->payload);
      EXPECT_TRUE(transport_checksum_ok(*datagram));
      const Octets& sent = payloads[i % 4 < 2 ? i % 2 : 4 + i % 2];
      EXPECT_TRUE(std::ranges::equal(UdpView::parse(*datagram)->payload, sent)) << i;
    }
  }
  EXPECT_TRUE(errors_.empty());
  EXPECT_EQ(refusals(), 0U);
}

// R-5.3.3.6.2: never above the MTU; the kernel is the one who says so.
TEST_P(FrameSenderOn, LeavesWhatIsAboveTheMtuToTheSocket) {
  warm_up();
  const std::size_t headers = (is_v4() ? 20 : 40) + kUdpHeaderOctets;
  send(numbered(1500 - headers, 1));
  EXPECT_EQ(frames(1).size(), 1U);
  EXPECT_TRUE(errors_.empty());
  send(numbered(1501 - headers, 1));
  EXPECT_EQ(frames_left(), 0U);
  EXPECT_EQ(errors_, (std::vector<std::pair<std::size_t, int>>{{0, EMSGSIZE}}));
  errors_.clear();

  ASSERT_TRUE(ok(set_link_mtu(find_link("near")->index, 1400)));
  pass(std::chrono::milliseconds(100));
  send(numbered(1401 - headers, 1));
  EXPECT_EQ(frames_left(), 0U);
  EXPECT_EQ(errors_.size(), 1U);
}

TEST_P(FrameSenderOn, GoesByTheSocketWhereItCannotSendFrames) {
  if (path() != SendPath::kXdp) GTEST_SKIP() << "there is no such place";
  warm_up();
  // The interface has one queue, and somebody has it: every message takes the socket.
  const std::unique_ptr<FrameSender> first = std::move(sender_);
  open_sender();
  for (int i = 0; i < 5; ++i) {
    send(numbered(100, 1));
    pass(FrameSender::kRetryInterval);
  }
  EXPECT_EQ(frames(5).size(), 5U);
  EXPECT_TRUE(errors_.empty());
}

TEST_P(FrameSenderOn, NoticesThatASlotHasAnotherPeer) {
  warm_up();
  const Octets payload = numbered(100, 1);
  const Bytes piece(payload);
  const Transmit message{.to = {address(false), kPeerPort + 1}, .pieces = {&piece, 1}, .slot = 0};
  send({&message, 1});
  EXPECT_FALSE(goes_by_frames());
  EXPECT_EQ(frames_left(), 0U);
}

TEST_P(FrameSenderOn, SurvivesTheInterface) {
  warm_up();
  ASSERT_TRUE(ok(set_link_down(find_link("near")->index)));
  send(numbered(100, 1));
  pass(std::chrono::milliseconds(100));
  send(numbered(100, 1));
  EXPECT_FALSE(goes_by_frames());
  // IPv6 addresses go with the link.
  if (is_v4()) {
    ASSERT_TRUE(ok(set_link_up(find_link("near")->index)));
  } else {
    set_up("near", true);
  }
  warm_up();
  send(numbered(100, 9));
  EXPECT_EQ(frames(1).size(), 1U);
}

// More than one order, of peers that have each their own header, ECN and place.
TEST_P(FrameSenderOn, SendsOnePacketToManyPeers) {
  constexpr std::uint32_t kPeers = 100;
  warm_up();
  const Octets payload = numbered(333, 5);
  const Bytes piece(payload);
  std::vector<Transmit> messages;
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    messages.push_back({.to = {address(false), static_cast<std::uint16_t>(kPeerPort + i)},
                        .pieces = {&piece, 1},
                        .ecn = static_cast<Ecn>(i % 4),
                        .slot = i});
  }
  send(messages);
  const std::uint64_t before = frames_sent();
  any_port_ = true;
  static_cast<void>(frames(kPeers));
  send(messages);
  EXPECT_EQ(frames_sent(), before + kPeers);
  const std::vector<Octets> got = frames(kPeers);
  ASSERT_EQ(got.size(), kPeers);
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    const auto datagram = DatagramView::parse(EthernetFrame::parse(got[i])->payload);
    EXPECT_TRUE(transport_checksum_ok(*datagram));
    EXPECT_EQ(static_cast<std::uint32_t>(datagram->ecn()), i % 4);
    EXPECT_EQ(UdpView::parse(*datagram)->destination_port, kPeerPort + i);
    EXPECT_TRUE(std::ranges::equal(UdpView::parse(*datagram)->payload, payload));
  }
}

}  // namespace
}  // namespace amt
