#include "io/tun_device.hh"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "io/packet_ring.hh"
#include "ip/udp.hh"
#include "sys/socket_address.hh"
#include "sys/stable_mac.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// So long without anything: nothing more comes. A busy machine delivers a packet some hundred milliseconds late.
constexpr int kQuietMs = 1000;

class TunDeviceOn : public InTestNamespace, public ::testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << SysError::last("open", "/dev/net/tun").to_string();
  }

  static bool v4() { return GetParam() == Family::kIpv4; }
  static IpAddress group() { return *IpAddress::parse(v4() ? "232.1.2.3" : "ff3e::1:2:3"); }
  static IpAddress source() { return *IpAddress::parse(v4() ? "198.51.100.10" : "2001:db8:a::10"); }
  static constexpr std::uint16_t kPort = 5000;

  static TunDevice create(const TunOptions& options = {}) {
    SysResult<TunDevice> device = TunDevice::create(options);
    if (!device) throw std::runtime_error(device.error().to_string());
    EXPECT_TRUE(ok(set_link_up(device->index())));
    EXPECT_TRUE(ok(set_reverse_path_filter(device->index(), 0)));
    return std::move(*device);
  }

  /// An ordinary program that joined the group on the interface.
  static UniqueFd listener(int index) {
    UniqueFd socket(::socket(address_family(GetParam()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const SocketAddress local({group(), kPort});
    EXPECT_EQ(::bind(socket.get(), local.data(), local.size()), 0);
    const int buffer = 4 << 20;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    group_req request{};
    request.gr_interface = static_cast<std::uint32_t>(index);
    std::memcpy(&request.gr_group, local.data(), local.size());
    EXPECT_EQ(::setsockopt(socket.get(), v4() ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, &request, sizeof request),
              0);
    return socket;
  }

  static Octets datagram(std::size_t payload_octets, unsigned first, std::uint16_t identification = 0,
                         std::uint16_t port = kPort) {
    Octets payload(payload_octets);
    for (std::size_t i = 0; i < payload_octets; ++i) payload[i] = static_cast<std::byte>((first + i * 5) & 0xff);
    HeaderFields header;
    header.source = source();
    header.destination = group();
    header.hop_limit = 7;
    header.identification = identification;
    Octets out(payload_octets + 60);
    out.resize(write_udp_datagram(out, header, 4000, port, payload));
    return out;
  }

  static std::vector<Octets> collect(int socket, std::size_t wanted) {
    std::vector<Octets> all;
    while (all.size() < wanted) {
      pollfd ready{socket, POLLIN, 0};
      if (::poll(&ready, 1, kQuietMs) == 0) break;
      Octets bytes(65'536);
      const ssize_t octets = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (octets < 0) break;
      bytes.resize(static_cast<std::size_t>(octets));
      all.push_back(bytes);
    }
    return all;
  }

  static std::vector<Octets> captured(PacketRing& ring, std::size_t wanted) {
    std::vector<Octets> all;
    for (int round = 0; round < 100 && all.size() < wanted; ++round) {
      std::vector<CapturedDatagram> datagrams;
      pollfd ready{ring.fd(), POLLIN, 0};
      if (::poll(&ready, 1, kQuietMs) == 0) break;
      ring.receive(datagrams, 1000);
      for (const CapturedDatagram& d : datagrams) all.emplace_back(d.bytes.begin(), d.bytes.end());
      ring.release();
    }
    return all;
  }

  static std::vector<Bytes> spans(const std::vector<Octets>& datagrams) { return {datagrams.begin(), datagrams.end()}; }
};

TEST_P(TunDeviceOn, DeliversEveryDatagramByItself) {
  TunDevice device = create();
  const UniqueFd listening = listener(device.index());
  SysResult<PacketRing> ring = PacketRing::open(device.name(), {});
  ASSERT_TRUE(ok(ring));
  std::vector<Octets> sent;
  std::uint16_t id = 65'500;  // wraps
  for (unsigned i = 0; i < 100; ++i) sent.push_back(datagram(1316, i, id++));
  sent.push_back(datagram(77, 200, id++));  // shorter: ends a merged packet
  sent.push_back(datagram(1316, 201, id++));
  sent.push_back(datagram(1400, 202, id++));  // longer: not in one with the one before
  sent.push_back(datagram(1400, 203, 9));     // identification jumps
  sent.push_back(datagram(0, 204, 10));
  EXPECT_EQ(device.send(spans(sent)).datagrams, sent.size());
  EXPECT_EQ(device.send_drops(), 0U);

  // Byte for byte what was written, identification and checksums included.
  EXPECT_EQ(captured(*ring, sent.size()), sent);
  EXPECT_EQ(ring->statistics().malformed, 0U);
  if (ring->statistics().segmented == 0) std::puts("note: this kernel takes no merged writes");
  const std::vector<Octets> got = collect(listening.get(), sent.size());
  ASSERT_EQ(got.size(), sent.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Bytes payload = UdpView::parse(*DatagramView::parse(sent[i]))->payload;
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), got[i].begin(), got[i].end())) << i;
  }
}

TEST_P(TunDeviceOn, MergesNothingElse) {
  TunDevice device = create();
  SysResult<PacketRing> ring = PacketRing::open(device.name(), {});
  ASSERT_TRUE(ok(ring));
  std::vector<Octets> sent;
  sent.push_back(datagram(100, 1, 1));
  sent.push_back(datagram(100, 2, 2, kPort + 1));  // another flow
  Octets without = datagram(100, 3, 3, kPort + 1);
  const std::size_t udp_at = v4() ? 20 : 40;
  without[udp_at + 6] = without[udp_at + 7] = std::byte{0};  // no checksum: cutting would make one
  sent.push_back(without);
  sent.push_back(without);
  Octets raw = datagram(100, 4, 4);
  raw[v4() ? 9 : 6] = std::byte{253};  // another protocol
  sent.push_back(raw);
  sent.push_back(raw);
  EXPECT_EQ(device.send(spans(sent)).datagrams, sent.size());
  EXPECT_EQ(captured(*ring, sent.size()), sent);
  EXPECT_EQ(ring->statistics().segmented, 0U);
}

TEST_P(TunDeviceOn, ReadsTheKernelsReports) {
  TunDevice device = create();
  const UniqueFd listening = listener(device.index());
  bool reported = false;
  for (int round = 0; round < 20 && !reported; ++round) {
    pollfd ready{device.fd(), POLLIN, 0};
    ::poll(&ready, 1, 200);
    const SysResult<std::span<const MutableBytes>> read = device.receive();
    ASSERT_TRUE(ok(read));
    for (const Bytes bytes : *read) {
      const Result<DatagramView, IpError> view = DatagramView::parse(bytes);
      ASSERT_TRUE(view.has_value());
      EXPECT_TRUE(transport_checksum_ok(*view));
      reported |= view->destination == *IpAddress::parse(v4() ? "224.0.0.22" : "ff02::16") && view->router_alert;
    }
  }
  EXPECT_TRUE(reported);
}

TEST_P(TunDeviceOn, CountsWhatAnInterfaceThatIsDownDoesNotTake) {
  SysResult<TunDevice> device = TunDevice::create({});
  ASSERT_TRUE(ok(device));
  const std::vector<Octets> sent = {datagram(10, 1, 1), datagram(10, 2, 2), datagram(50, 3, 3)};
  EXPECT_EQ(device->send(spans(sent)).datagrams, 0U);
  EXPECT_EQ(device->send_drops(), 3U);
  EXPECT_TRUE(device->receive()->empty());
}

TEST_P(TunDeviceOn, AsTapWritesFramesToTheGroupsAddressAndReadsFrames) {
  TunDevice device = create({.name = "tap7", .tap = true});
  const UniqueFd socket = listener(device.index());
  const std::vector<Octets> sent = {datagram(10, 1, 1), datagram(900, 2, 2), Octets{}};
  const std::size_t head = v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  const std::array<SplitDatagram, 3> split = {
      {{Bytes(sent[0]).first(head), Bytes(sent[0]).subspan(head)}, {Bytes(sent[1]), {}}, {Bytes(sent[2]), {}}}};
  EXPECT_EQ(device.send_frames(stable_mac("tap7"), split).datagrams, 2U);
  EXPECT_EQ(device.send_drops(), 1U);
  std::array<std::byte, 2048> buffer{};
  for (const ssize_t expected : {10, 900}) {
    pollfd ready{socket.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
    EXPECT_EQ(::recv(socket.get(), buffer.data(), buffer.size(), 0), expected);
  }
  // The kernel's own report comes as a frame to the reports' address.
  const MacAddress reports = multicast_mac(*IpAddress::parse(v4() ? "224.0.0.22" : "ff02::16"));
  bool reported = false;
  for (int round = 0; round < 50 && !reported; ++round) {
    pollfd ready{device.fd(), POLLIN, 0};
    if (::poll(&ready, 1, kQuietMs) == 0) break;
    const auto frames = device.receive();
    ASSERT_TRUE(frames);
    for (const Bytes octets : *frames) {
      const std::optional<EthernetFrame> frame = EthernetFrame::parse(octets);
      ASSERT_TRUE(frame);
      reported |= frame->destination == reports && frame->ethertype == ethertype_of(GetParam());
    }
  }
  EXPECT_TRUE(reported);
}

TEST_P(TunDeviceOn, GoesWhenItsOwnerGoes) {
  TunOptions options;
  options.name = "amt7";
  options.mtu_octets = 1432;
  {
    TunDevice device = create(options);
    EXPECT_EQ(device.name(), "amt7");
    EXPECT_EQ(find_link("amt7")->mtu_octets, 1432U);
    EXPECT_EQ(find_link("amt7")->index, device.index());
    EXPECT_EQ(TunDevice::create(options).error().to_string(), "create interface amt7: Device or resource busy");
  }
  EXPECT_EQ(find_link("amt7").error().code, ENODEV);
  options.name = "lo";
  EXPECT_EQ(TunDevice::create(options).error().code, EBUSY);
  options.name = "a-name-that-is-too-long";
  EXPECT_EQ(TunDevice::create(options).error().code, ENAMETOOLONG);
}

INSTANTIATE_TEST_SUITE_P(Families, TunDeviceOn, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) { return each.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace amt
