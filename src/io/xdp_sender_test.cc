#include "io/xdp_sender.hh"

#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "ip/udp.hh"
#include "sys/clock.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// How long a packet may take on a busy machine.
constexpr int kPatienceMs = 10'000;

constexpr std::uint16_t kPeerPort = 40000;
/// The length of what ends a wait: no other datagram has it.
constexpr std::size_t kMarkerOctets = 13;

Octets numbered(std::size_t octets, unsigned first) {
  Octets bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>((first + i * 7) & 0xff);
  return bytes;
}

/// `near` here, `far` in a namespace of its own, where a packet socket sees what comes.
class XdpSenderOn : public InTestNamespace, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    SysResult<NetworkNamespace> made = NetworkNamespace::create();
    ASSERT_TRUE(ok(made));
    far_ = std::make_unique<NetworkNamespace>(std::move(*made));
    no_address_detection();
    ASSERT_TRUE(ok(create_veth("near", "far", far_->fd())));
    ASSERT_TRUE(ok(far_->run([&] {
      no_address_detection();
      set_up("far", false);
      captured_ = capture_on("far");
      return 0;
    })));
    set_up("near", true);
    finish_checksums("near");
    SysResult<UdpSocket> socket = UdpSocket::bind({address(true), 0}, {});
    ASSERT_TRUE(ok(socket));
    socket_ = std::make_unique<UdpSocket>(std::move(*socket));
    SysResult<std::unique_ptr<XdpSender>> sender = XdpSender::open();
    ASSERT_TRUE(ok(sender));
    sender_ = std::move(*sender);
  }

  [[nodiscard]] static IpAddress address(bool near) {
    if (GetParam()) return *IpAddress::parse(near ? "192.0.2.1" : "192.0.2.2");
    return *IpAddress::parse(near ? "2001:db8::1" : "2001:db8::2");
  }
  [[nodiscard]] static Endpoint peer() { return {address(false), kPeerPort}; }

  static void set_up(const std::string& name, bool near) {
    const int index = find_link(name)->index;
    ASSERT_TRUE(ok(add_address(index, {address(near), static_cast<std::uint8_t>(GetParam() ? 24 : 64)})));
    ASSERT_TRUE(ok(set_link_up(index)));
    const auto is_tentative = [](const LinkAddress& one) { return one.tentative; };
    for (int tries = 0; tries < 100; ++tries) {
      const SysResult<std::vector<LinkAddress>> all = list_addresses(index);
      if (all && std::ranges::none_of(*all, is_tentative)) return;
      ::poll(nullptr, 0, 50);
    }
  }

  /// Of interfaces that are made from now on: duplicate address detection takes two seconds.
  static void no_address_detection() { std::ofstream("/proc/sys/net/ipv6/conf/default/accept_dad") << 0; }

  /// Or the kernel leaves them to the device, and they are not to be seen on a veth.
  static void finish_checksums(const std::string& name) {
    ethtool_value off{ETHTOOL_STXCSUM, 0};
    ifreq request{};
    std::ranges::copy(name, request.ifr_name);
    request.ifr_data = reinterpret_cast<char*>(&off);
    const UniqueFd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::ioctl(any.get(), SIOCETHTOOL, &request), 0);
  }

  static UniqueFd capture_on(const std::string& name) {
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(ETH_P_ALL);
    all.sll_ifindex = find_link(name)->index;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&all), sizeof all), 0);
    return fd;
  }

  /// Frames with UDP for the peer's port, until there are so many.
  std::vector<Octets> frames(std::size_t wanted, int patience_ms = kPatienceMs) {
    std::vector<Octets> all;
    for (int rounds = 0; rounds < 1000 && all.size() < wanted; ++rounds) {
      pollfd ready{captured_.get(), POLLIN, 0};
      if (::poll(&ready, 1, patience_ms) == 0) break;
      Octets frame(65536);
      const ssize_t octets = ::recv(captured_.get(), frame.data(), frame.size(), 0);
      if (octets <= 0) break;
      frame.resize(static_cast<std::size_t>(octets));
      const auto ethernet = EthernetFrame::parse(frame);
      const auto datagram = ethernet ? DatagramView::parse(ethernet->payload) : tl::unexpected(IpError{});
      if (!datagram || datagram->protocol != kProtocolUdp) continue;
      const auto udp = UdpView::parse(*datagram);
      if (udp && udp->destination_port == kPeerPort) all.push_back(std::move(frame));
    }
    return all;
  }

  /// How many frames of what was sent before have not been taken yet: those before one that is sent now.
  std::size_t frames_left() {
    send(numbered(kMarkerOctets, 0));
    for (std::size_t count = 0;; ++count) {
      const std::vector<Octets> next = frames(1);
      if (next.empty()) throw std::runtime_error("the marker does not come");
      const auto datagram = DatagramView::parse(EthernetFrame::parse(next[0])->payload);
      if (UdpView::parse(*datagram)->payload.size() == kMarkerOctets) return count;
    }
  }

  void send(std::span<const Transmit> messages) {
    sender_->send(now_, *socket_, messages,
                  [&](const SendFailure& failure) { errors_.emplace_back(failure.index, failure.code); });
  }
  void send(const Octets& payload, Ecn ecn = Ecn::kNotEct) {
    const Bytes piece(payload);
    const Transmit message{.to = peer(), .pieces = {&piece, 1}, .ecn = ecn, .slot = 0};
    send({&message, 1});
  }
  void pass(Duration time) { now_ += time; }
  [[nodiscard]] bool goes_by_frames() const { return sender_->path_of(0, peer()) == SendPath::kXdp; }

  /// The kernel has resolved the neighbour, and frames are what is sent.
  void warm_up() {
    constexpr int kNeighbourMs = 200;
    for (int tries = 0; tries < 50 && !goes_by_frames(); ++tries) {
      send(numbered(10, 0));
      static_cast<void>(frames(1, kNeighbourMs));
      pass(XdpSender::kRetryInterval);
      ::poll(nullptr, 0, 20);
    }
    ASSERT_TRUE(goes_by_frames());
    pass(-XdpSender::kRetryInterval);
    static_cast<void>(frames_left());
  }

  Instant now_ = monotonic_now();
  std::unique_ptr<NetworkNamespace> far_;
  UniqueFd captured_;
  std::unique_ptr<UdpSocket> socket_;
  std::unique_ptr<XdpSender> sender_;
  std::vector<std::pair<std::size_t, int>> errors_;
};
INSTANTIATE_TEST_SUITE_P(Families, XdpSenderOn, testing::Values(true, false),
                         [](const auto& one) { return one.param ? "Ipv4" : "Ipv6"; });

/// The Flow Label is each one's own choice.
Octets without_flow_label(Octets frame) {
  if (frame[12] != std::byte{0x86}) return frame;
  std::byte* const ip = frame.data() + kEthernetHeaderOctets;
  ip[1] &= std::byte{0xf0};
  ip[2] = ip[3] = std::byte{0};
  return frame;
}

// E-9601-f, R-5.3.3.6.3.1-a: outer header by outer header.
TEST_P(XdpSenderOn, SendsWhatTheSocketWouldOctetForOctet) {
  warm_up();
  for (const std::size_t octets : {1UL, 2UL, 1345UL, 1346UL}) {
    for (const Ecn ecn : {Ecn::kNotEct, Ecn::kEct1, Ecn::kEct0, Ecn::kCe}) {
      const Octets payload = numbered(octets, 3);
      const Bytes piece(payload);
      const Transmit message{.to = peer(), .pieces = {&piece, 1}, .ecn = ecn, .slot = 0};
      const std::uint64_t before = sender_->statistics().xdp_frames;
      send(payload, ecn);
      EXPECT_EQ(sender_->statistics().xdp_frames, before + 1);
      EXPECT_EQ(socket_->send({&message, 1}, [](const SendFailure& failure) { ADD_FAILURE() << failure.code; }), 1U);
      const std::vector<Octets> both = frames(2);
      ASSERT_EQ(both.size(), 2U);
      EXPECT_EQ(without_flow_label(both[0]), without_flow_label(both[1])) << octets;
    }
  }
  EXPECT_TRUE(errors_.empty());
}

TEST_P(XdpSenderOn, AsksTheSocketFirstAndAgainNowAndThen) {
  send(numbered(100, 1));
  EXPECT_EQ(sender_->statistics().xdp_frames, 0U);
  warm_up();
  std::uint64_t by_socket = 0;
  for (int second = 0; second < 100; ++second) {
    const std::uint64_t before = sender_->statistics().xdp_frames;
    send(numbered(100, 1));
    by_socket += sender_->statistics().xdp_frames == before ? 1U : 0U;
    pass(std::chrono::seconds(1));
  }
  // Every ten seconds; the first of them began while it warmed up.
  static_assert(XdpSender::kPathLifetime == std::chrono::seconds(10));
  EXPECT_GE(by_socket, 9U);
  EXPECT_LE(by_socket, 10U);
  EXPECT_EQ(frames(100).size(), 100U);
}

TEST_P(XdpSenderOn, KeepsTheOrderOfOnePeerWhateverTheWay) {
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
  const std::uint64_t before = sender_->statistics().xdp_frames;
  send(messages);
  EXPECT_EQ(sender_->statistics().xdp_frames, before + 1);
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

TEST_P(XdpSenderOn, SendsEveryDatagramOfManyMessages) {
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
  EXPECT_EQ(sender_->statistics().xdp_drops, 0U);
}

// R-5.3.3.6.2: never above the MTU; the kernel is the one who says so.
TEST_P(XdpSenderOn, LeavesWhatIsAboveTheMtuToTheSocket) {
  warm_up();
  const std::size_t headers = (GetParam() ? 20 : 40) + kUdpHeaderOctets;
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

TEST_P(XdpSenderOn, GoesByTheSocketWhereItCannotSendFrames) {
  warm_up();
  // The interface has one queue, and somebody has it: every message takes the socket.
  const std::unique_ptr<XdpSender> first = std::move(sender_);
  sender_ = XdpSender::open().value();
  for (int i = 0; i < 5; ++i) {
    send(numbered(100, 1));
    pass(XdpSender::kRetryInterval);
  }
  EXPECT_EQ(frames(5).size(), 5U);
  EXPECT_TRUE(errors_.empty());
}

TEST_P(XdpSenderOn, NoticesThatASlotHasAnotherPeer) {
  warm_up();
  const Octets payload = numbered(100, 1);
  const Bytes piece(payload);
  const Transmit message{.to = {address(false), kPeerPort + 1}, .pieces = {&piece, 1}, .slot = 0};
  send({&message, 1});
  EXPECT_FALSE(goes_by_frames());
  EXPECT_EQ(frames_left(), 0U);
}

TEST_P(XdpSenderOn, SurvivesTheInterface) {
  warm_up();
  ASSERT_TRUE(ok(set_link_down(find_link("near")->index)));
  send(numbered(100, 1));
  pass(std::chrono::milliseconds(100));
  send(numbered(100, 1));
  EXPECT_FALSE(goes_by_frames());
  // IPv6 addresses go with the link.
  if (GetParam()) {
    ASSERT_TRUE(ok(set_link_up(find_link("near")->index)));
  } else {
    set_up("near", true);
  }
  warm_up();
  send(numbered(100, 9));
  EXPECT_EQ(frames(1).size(), 1U);
}

}  // namespace
}  // namespace amt
