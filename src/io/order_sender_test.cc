#include "io/order_sender.hh"

#include "io/frame_sender_fixture.hh"

namespace amt {
namespace {

class OrderSenderOn : public FrameSenderOn {};
INSTANTIATE_TEST_SUITE_P(Families, OrderSenderOn, testing::Combine(testing::Values(SendPath::kOrders), testing::Bool()),
                         [](const auto& one) { return std::get<1>(one.param) ? "Ipv4" : "Ipv6"; });

TEST_P(OrderSenderOn, LosesNothingThatTheDeviceDoesNotTake) {
  warm_up();
  ASSERT_TRUE(ok(far_->run([&] {
    take_redirected("far", false);
    return 0;
  })));
  std::vector<Octets> payloads;
  for (unsigned i = 0; i < 3; ++i) payloads.push_back(numbered(200, i));
  const std::vector<Bytes> pieces(payloads.begin(), payloads.end());
  const Transmit message{.to = peer(), .pieces = pieces, .segment_octets = 200, .slot = 0};
  send({&message, 1});
  EXPECT_EQ(refusals(), 1U);
  EXPECT_FALSE(goes_by_frames());
  EXPECT_TRUE(errors_.empty());
  std::size_t octets = 0;
  while (octets < 600) {
    const std::vector<Octets> next = frames(1);
    ASSERT_EQ(next.size(), 1U);
    octets += DatagramView::parse(EthernetFrame::parse(next[0])->payload)->payload.size() - kUdpHeaderOctets;
  }
  EXPECT_EQ(octets, 600U);
  // The rest gets longer, and the device is tried again after it.
  pass(OrderSender::kRestMin);
  send(payloads[0]);
  EXPECT_EQ(refusals(), 2U);
  pass(OrderSender::kRestMin);
  send(payloads[0]);
  EXPECT_EQ(refusals(), 2U);
  ASSERT_TRUE(ok(far_->run([&] {
    take_redirected("far", true);
    return 0;
  })));
  pass(OrderSender::kRestMin);
  const std::uint64_t before = frames_sent();
  send(payloads[0]);
  EXPECT_EQ(frames_sent(), before + 1);
  EXPECT_EQ(frames(3).size(), 3U);
}

}  // namespace
}  // namespace amt
