#pragma once
/// A sender of frames in a namespace of its own, and a host behind a veth that sees what comes.

#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <memory>

#include "io/frame_sender.hh"
#include "io/order_sender.hh"
#include "io/xdp_sender.hh"
#include "ip/udp.hh"
#include "sys/clock.hh"
#include "sys/ethtool.hh"
#include "sys/test_namespace.hh"

namespace amt {

using Octets = std::vector<std::byte>;

/// How long a packet may take on a busy machine.
inline constexpr int kPatienceMs = 10'000;

inline constexpr std::uint16_t kPeerPort = 40000;
/// The length of what ends a wait: no other datagram has it.
inline constexpr std::size_t kMarkerOctets = 13;

inline Octets numbered(std::size_t octets, unsigned first) {
  Octets bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>((first + i * 7) & 0xff);
  return bytes;
}

/// `near` here, `far` in a namespace of its own, where a packet socket sees what comes.
class FrameSenderOn : public InTestNamespace, public testing::WithParamInterface<std::tuple<SendPath, bool>> {
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
      if (path() == SendPath::kOrders) take_redirected("far", true);
      captured_ = capture_on("far");
      return 0;
    })));
    set_up("near", true);
    finish_checksums("near");
    SysResult<UdpSocket> socket = UdpSocket::bind({address(true), 0}, {});
    ASSERT_TRUE(ok(socket));
    socket_ = std::make_unique<UdpSocket>(std::move(*socket));
    open_sender();
  }

  void open_sender() {
    if (path() == SendPath::kXdp) {
      SysResult<std::unique_ptr<XdpSender>> sender = XdpSender::open();
      ASSERT_TRUE(ok(sender));
      sender_ = std::move(*sender);
      return;
    }
    SysResult<OrderPort> port = OrderPort::open();
    if (!port) GTEST_SKIP() << port.error().to_string();
    const Result<void, std::string> checked = check_orders(*port);
    ASSERT_TRUE(checked) << checked.error();
    SysResult<std::unique_ptr<OrderSender>> sender = OrderSender::open(std::move(*port));
    ASSERT_TRUE(ok(sender));
    sender_ = std::move(*sender);
  }

  [[nodiscard]] static SendPath path() { return std::get<0>(GetParam()); }
  [[nodiscard]] static bool is_v4() { return std::get<1>(GetParam()); }
  [[nodiscard]] static IpAddress address(bool near) {
    if (is_v4()) return *IpAddress::parse(near ? "192.0.2.1" : "192.0.2.2");
    return *IpAddress::parse(near ? "2001:db8::1" : "2001:db8::2");
  }
  [[nodiscard]] static Endpoint peer() { return {address(false), kPeerPort}; }

  static void set_up(const std::string& name, bool near) {
    const int index = find_link(name)->index;
    ASSERT_TRUE(ok(add_address(index, {address(near), static_cast<std::uint8_t>(is_v4() ? 24 : 64)})));
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
  static void finish_checksums(const std::string& name) { set_feature(name, ETHTOOL_STXCSUM, false); }
  /// A veth takes redirected frames only where its other end has NAPI.
  static void take_redirected(const std::string& name, bool on) { set_feature(name, ETHTOOL_SGRO, on); }

  static void set_feature(const std::string& name, std::uint32_t command, bool on) {
    ethtool_value value{command, on ? 1U : 0U};
    const UniqueFd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(call_driver(any.get(), name, &value));
  }

  static UniqueFd capture_on(const std::string& name) {
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    sockaddr_ll all{};
    all.sll_family = AF_PACKET;
    all.sll_protocol = htons(ETH_P_ALL);
    all.sll_ifindex = find_link(name)->index;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&all), sizeof all), 0);
    // A page and more for each frame; as an ordinary user the usual room has to do.
    constexpr int kRoomOctets = 1 << 21;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoomOctets, sizeof kRoomOctets);
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
      if (udp && (any_port_ || udp->destination_port == kPeerPort)) all.push_back(std::move(frame));
    }
    return all;
  }

  /// How many frames of what was sent before have not been taken yet: those before one that is sent now.
  std::size_t frames_left() {
    send(numbered(kMarkerOctets, 0));
    for (std::size_t count = 0;; ++count) {
      const std::vector<Octets> next = frames(1);
      if (next.empty()) {
        ADD_FAILURE() << "the marker does not come";
        return count;
      }
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
  [[nodiscard]] std::uint64_t frames_sent() const {
    return sender_->statistics().xdp_frames + sender_->statistics().order_copies;
  }
  [[nodiscard]] std::uint64_t refusals() const {
    return sender_->statistics().xdp_drops + sender_->statistics().order_refusals;
  }
  [[nodiscard]] bool goes_by_frames() const { return sender_->path_of(0, peer()) == path(); }

  /// The kernel has resolved the neighbour, and frames are what is sent.
  void warm_up() {
    constexpr int kNeighbourMs = 200;
    for (int tries = 0; tries < 50 && !goes_by_frames(); ++tries) {
      send(numbered(10, 0));
      static_cast<void>(frames(1, kNeighbourMs));
      pass(FrameSender::kRetryInterval);
      ::poll(nullptr, 0, 20);
    }
    ASSERT_TRUE(goes_by_frames());
    pass(-FrameSender::kRetryInterval);
    static_cast<void>(frames_left());
  }

  Instant now_ = monotonic_now();
  std::unique_ptr<NetworkNamespace> far_;
  UniqueFd captured_;
  std::unique_ptr<UdpSocket> socket_;
  std::unique_ptr<FrameSender> sender_;
  std::vector<std::pair<std::size_t, int>> errors_;
  /// `frames` takes what is for other ports, too.
  bool any_port_ = false;
};

}  // namespace amt
