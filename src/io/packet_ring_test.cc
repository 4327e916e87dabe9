#include "io/packet_ring.hh"

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "io/udp_socket.hh"
#include "ip/udp.hh"
#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// How long a packet may take on a busy machine.
constexpr int kPatienceMs = 10'000;

Octets numbered(std::size_t octets, unsigned first = 0) {
  Octets bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>((first + i * 7) & 0xff);
  return bytes;
}

/// Two ends of a cable, both in this namespace: what leaves by `near` arrives at `far`.
class PacketRingOn : public InTestNamespace, public ::testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
    const int near = find_link("near")->index;
    ASSERT_TRUE(ok(add_address(near, {source(), v4() ? std::uint8_t{24} : std::uint8_t{64}})));
    ASSERT_TRUE(ok(set_link_up(near)));
    ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
  }

  static bool v4() { return GetParam() == Family::kIpv4; }
  static IpAddress source() { return *IpAddress::parse(v4() ? "198.51.100.10" : "2001:db8:a::10"); }
  static IpAddress group() { return *IpAddress::parse(v4() ? "232.1.2.3" : "ff3e::1:2:3"); }

  static PacketRing open(const std::string& interface, const PacketRingOptions& options = {}) {
    SysResult<PacketRing> ring = PacketRing::open(interface, options);
    if (!ring) throw std::runtime_error(ring.error().to_string());
    return std::move(*ring);
  }

  /// A copy of every datagram until there are so many, taken `at_once` at a time.
  static std::vector<Octets> collect(PacketRing& ring, std::size_t wanted, std::size_t at_once = 1000,
                                     int patience_ms = kPatienceMs) {
    std::vector<Octets> all;
    std::vector<CapturedDatagram> datagrams;
    for (int round = 0; round < 1000 && all.size() < wanted; ++round) {
      datagrams.clear();
      if (ring.receive(datagrams, at_once) == 0) {
        pollfd ready{ring.fd(), POLLIN, 0};
        if (::poll(&ready, 1, patience_ms) == 0) break;
      }
      EXPECT_LE(datagrams.size(), at_once + 64);
      for (const CapturedDatagram& datagram : datagrams) {
        // The headroom belongs to us: an AMT Data header must not harm this or any other datagram.
        datagram.with_headroom()[0] = std::byte{6};
        datagram.with_headroom()[1] = std::byte{0xff};
      }
      for (const CapturedDatagram& datagram : datagrams) {
        all.emplace_back(datagram.bytes.begin(), datagram.bytes.end());
      }
      ring.release();
    }
    return all;
  }

  /// What has come before a datagram that is put onto the link now, by its end `other`.
  static std::vector<Octets> collect_rest(PacketRing& ring, const std::string& other) {
    const Octets marker = udp_datagram(numbered(13));
    inject(other, marker, std::nullopt);
    std::vector<Octets> all;
    for (;;) {
      std::vector<Octets> next = collect(ring, 1, 1);
      EXPECT_FALSE(next.empty()) << "the last one does not come";
      for (Octets& one : next) {
        if (one == marker) return all;
        all.push_back(std::move(one));
      }
      if (next.empty()) return all;
    }
  }
  static bool has_nothing(PacketRing& ring, const std::string& other) { return collect_rest(ring, other).empty(); }

  /// Packets that the kernel dropped between two interfaces of this machine, for want of room in a processor's queue:
  /// other programs fill that, too.
  static std::uint64_t softnet_drops() {
    std::ifstream file("/proc/net/softnet_stat");
    std::uint64_t drops = 0;
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      std::uint64_t processed = 0;
      std::uint64_t dropped = 0;
      fields >> std::hex >> processed >> dropped;
      drops += dropped;
    }
    return drops;
  }

  /// What `attempt` collects, of the first time that nothing was lost on the way to the ring.
  template <typename Attempt>
  static std::vector<Octets> undisturbed(Attempt attempt) {
    constexpr int kTriesMax = 20;
    std::vector<Octets> got;
    for (int i = 0; i < kTriesMax; ++i) {
      const std::uint64_t before = softnet_drops();
      got = attempt();
      if (softnet_drops() == before) break;
    }
    return got;
  }

  void expect_udp(const Octets& bytes, Bytes payload) {
    const Result<DatagramView, IpError> view = DatagramView::parse(bytes);
    ASSERT_TRUE(view.has_value()) << to_string(view.error());
    EXPECT_EQ(view->bytes.size(), bytes.size());
    EXPECT_EQ(view->destination, group());
    const Result<UdpView, UdpError> udp = UdpView::parse(*view);
    ASSERT_TRUE(udp.has_value()) << to_string(udp.error());
    EXPECT_TRUE(transport_checksum_ok(*view));
    EXPECT_TRUE(view->payload[6] != std::byte{0} || view->payload[7] != std::byte{0}) << "no checksum";
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), udp->payload.begin(), udp->payload.end()));
  }

  static Octets udp_datagram(Bytes payload) {
    Octets datagram(1500);
    HeaderFields header;
    header.source = source();
    header.destination = group();
    datagram.resize(write_udp_datagram(datagram, header, 1, 2, payload));
    return datagram;
  }

  /// An Ethernet frame, with an IEEE 802.1Q tag if `tag` says so.
  static void inject(const std::string& interface, Bytes datagram, std::optional<std::uint16_t> tag) {
    const UniqueFd raw(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = find_link(interface)->index;
    Octets frame(tag ? 18 : 14);
    ByteWriter header(frame);
    for (int i = 0; i < 6; ++i) header.u8(0xff);
    header.zeros(6);
    if (tag) {
      header.u16(ETH_P_8021Q);
      header.u16(*tag);
    }
    header.u16(v4() ? ETH_P_IP : ETH_P_IPV6);
    frame.insert(frame.end(), datagram.begin(), datagram.end());
    ASSERT_GT(::sendto(raw.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }

  /// Through the kernel's own UDP: checksums are left to the "hardware", `segment_octets` leaves merged packets.
  static void send(const std::string& interface, const IpAddress& to, Bytes payload, std::size_t segment_octets = 0) {
    UdpOptions options;
    options.interface = interface;
    SysResult<UdpSocket> socket = UdpSocket::bind({IpAddress::unspecified(to.family()), 0}, options);
    ASSERT_TRUE(ok(socket));
    const std::array<Bytes, 1> pieces = {payload};
    const std::array<Transmit, 1> messages = {Transmit{{to, 5000}, pieces, segment_octets, Ecn::kNotEct}};
    // The kernel puts up an interface's IPv6 routes a little after the interface.
    int code = ENETUNREACH;
    for (int tries = 0; tries < 1000 && code == ENETUNREACH; ++tries) {
      if (tries > 0) ::usleep(10'000);
      code = 0;
      socket->send(messages, [&code](const SendFailure& failure) { code = failure.code; });
    }
    EXPECT_EQ(code, 0);
  }
};

TEST_P(PacketRingOn, FinishesChecksums) {
  PacketRing ring = open("far");
  for (const std::size_t octets : {0UL, 1UL, 7UL, 1316UL, 1452UL}) {
    const Octets payload = numbered(octets, 3);
    send("near", group(), payload);
    const std::vector<Octets> got = collect(ring, 1);
    ASSERT_EQ(got.size(), 1U);
    expect_udp(got[0], payload);
  }
  EXPECT_EQ(ring.statistics().malformed, 0U);
}

TEST_P(PacketRingOn, CutsMergedPackets) {
  PacketRing ring = open("far");
  const Octets stream = numbered(47 * 1316 + 99);
  send("near", group(), stream, 1316);
  send("near", group(), numbered(5));
  const std::vector<Octets> got = collect(ring, 49);
  ASSERT_EQ(got.size(), 49U);
  for (std::size_t i = 0; i < 48; ++i) {
    expect_udp(got[i], Bytes(stream).subspan(i * 1316, i < 47 ? 1316 : 99));
  }
  expect_udp(got[48], numbered(5));
  EXPECT_EQ(ring.statistics().segmented, 1U);
  if (v4()) {  // as the kernel's own segmentation counts
    const std::uint32_t first = DatagramView::parse(got[0])->identification;
    for (std::size_t i = 1; i < 48; ++i) {
      EXPECT_EQ(DatagramView::parse(got[i])->identification, (first + i) & 0xffff);
    }
  }
}

TEST_P(PacketRingOn, TakesWhatDoesNotFitASlotInItsPlace) {
  PacketRing ring = open("far");
  for (const char* end : {"near", "far"}) ASSERT_TRUE(ok(set_link_mtu(find_link(end)->index, 9000)));
  for (unsigned i = 0; i < 20; ++i) send("near", group(), numbered(i % 2 == 0 ? 100 : 8000, i));
  const std::vector<Octets> got = collect(ring, 20);
  ASSERT_EQ(got.size(), 20U);
  for (unsigned i = 0; i < 20; ++i) expect_udp(got[i], numbered(i % 2 == 0 ? 100 : 8000, i));
  EXPECT_EQ(ring.statistics().kernel_drops, 0U);
}

TEST_P(PacketRingOn, HasSlotsForJumboFrames) {
  for (const char* end : {"near", "far"}) ASSERT_TRUE(ok(set_link_mtu(find_link(end)->index, 9000)));
  PacketRing ring = open("far");
  for (unsigned i = 0; i < 20; ++i) send("near", group(), numbered(8900, i));
  EXPECT_TRUE(ring.has_waiting(20));
  EXPECT_FALSE(ring.has_waiting(21));
  const std::vector<Octets> got = collect(ring, 20);
  ASSERT_EQ(got.size(), 20U);
  for (unsigned i = 0; i < 20; ++i) expect_udp(got[i], numbered(8900, i));
}

TEST_P(PacketRingOn, RemembersWhereItStopped) {
  const std::vector<Octets> got = undisturbed([] {
    PacketRing ring = open("far");
    for (unsigned i = 0; i < 200; ++i) send("near", group(), numbered(100, i));
    std::vector<Octets> all = collect(ring, 200, 7);
    EXPECT_EQ(ring.statistics().kernel_drops, 0U);
    return all;
  });
  ASSERT_EQ(got.size(), 200U);
  for (unsigned i = 0; i < 200; ++i) expect_udp(got[i], numbered(100, i));
}

/// As one process does that takes over from another, whose ring goes at some time afterwards.
TEST_P(PacketRingOn, GoesOnWhereAnotherReaderStopped) {
  const std::vector<Octets> got = undisturbed([] {
    std::optional<PacketRing> first = open("far");
    for (const char* end : {"near", "far"}) EXPECT_TRUE(ok(set_link_mtu(find_link(end)->index, 9000)));
    for (unsigned i = 0; i < 60; ++i) send("near", group(), numbered(i % 2 == 0 ? 100 : 8000, i));
    std::vector<Octets> all = collect(*first, 25, 25);
    SysResult<PacketRing> second = PacketRing::adopt(UniqueFd(::dup(first->fd())), "far", first->place());
    if (!second) throw std::runtime_error(second.error().to_string());
    for (unsigned i = 60; i < 80; ++i) send("near", group(), numbered(100, i));
    for (Octets& octets : collect(*second, 80 - all.size())) all.push_back(std::move(octets));
    first.reset();
    for (unsigned i = 80; i < 90; ++i) send("near", group(), numbered(100, i));
    for (Octets& octets : collect(*second, 90 - all.size())) all.push_back(std::move(octets));
    EXPECT_EQ(second->statistics().kernel_drops, 0U);
    return all;
  });
  ASSERT_EQ(got.size(), 90U);
  for (unsigned i = 0; i < 90; ++i) expect_udp(got[i], numbered(i < 60 && i % 2 == 1 ? 8000 : 100, i));
}

TEST_P(PacketRingOn, TakesNoOthersPlaceOnTrust) {
  PacketRing ring = open("far");
  const PacketRingPlace place = ring.place();
  for (const PacketRingPlace& wrong :
       {PacketRingPlace{place.slots, place.slot_octets, place.slots}, PacketRingPlace{place.slots, 100, 0},
        PacketRingPlace{place.slots / 2, place.slot_octets, 0}, PacketRingPlace{SIZE_MAX, place.slot_octets, 0},
        PacketRingPlace{}}) {
    EXPECT_FALSE(PacketRing::adopt(UniqueFd(::dup(ring.fd())), "far", wrong));
  }
}

TEST_P(PacketRingOn, KeepsABurstThatNobodyReadsYet) {
  const std::vector<Octets> got = undisturbed([] {
    PacketRing ring = open("far");
    for (unsigned i = 0; i < 64; ++i) send("near", group(), numbered(100, i));
    return collect(ring, 64);
  });
  EXPECT_EQ(got.size(), 64U);
}

TEST_P(PacketRingOn, GoesOnAfterTheRingWasFull) {
  PacketRingOptions options;
  options.octets = std::size_t{64} << 10;
  PacketRing ring = open("far", options);
  for (unsigned i = 0; i < 40; ++i) send("near", group(), numbered(40 * 1000, i), 1000);
  std::vector<CapturedDatagram> datagrams;
  for (int i = 0; i < 50; ++i) ring.receive(datagrams, 100'000);  // without release: ends when every slot is held
  const std::size_t first = datagrams.size();
  EXPECT_GT(first, 0U);
  EXPECT_GT(ring.statistics().kernel_drops, 0U);
  ring.release();
  collect_rest(ring, "near");
  const std::vector<Octets> got = undisturbed([&] {
    send("near", group(), numbered(11));
    return collect(ring, 1);
  });
  ASSERT_EQ(got.size(), 1U);
  expect_udp(got[0], numbered(11));
}

TEST_P(PacketRingOn, TakesOtherProtocolsAndFragmentsAsTheyAre) {
  PacketRing ring = open("far");
  const int family = address_family(GetParam());
  const SocketAddress to({group(), 0});
  const UniqueFd raw(::socket(family, SOCK_RAW | SOCK_CLOEXEC, 253));
  ASSERT_EQ(::setsockopt(raw.get(), SOL_SOCKET, SO_BINDTODEVICE, "near", 5), 0);
  const Octets small = numbered(100);
  ASSERT_EQ(::sendto(raw.get(), small.data(), small.size(), 0, to.data(), to.size()), 100);
  const Octets large = numbered(4000);
  ASSERT_EQ(::sendto(raw.get(), large.data(), large.size(), 0, to.data(), to.size()), 4000);
  const std::vector<Octets> got = collect(ring, 4);
  ASSERT_EQ(got.size(), 4U);
  const Result<DatagramView, IpError> whole = DatagramView::parse(got[0]);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->protocol, 253);
  EXPECT_TRUE(std::equal(small.begin(), small.end(), whole->payload.begin(), whole->payload.end()));
  Octets joined;
  for (std::size_t i = 1; i < 4; ++i) {
    const Result<DatagramView, IpError> fragment = DatagramView::parse(got[i]);
    ASSERT_TRUE(fragment.has_value());
    EXPECT_TRUE(fragment->is_fragment());
    EXPECT_EQ(fragment->fragment_offset, joined.size());
    EXPECT_EQ(fragment->more_fragments, i < 3);
    joined.insert(joined.end(), fragment->payload.begin(), fragment->payload.end());
  }
  EXPECT_EQ(joined, large);
}

TEST_P(PacketRingOn, SeesEachPacketOnLoopbackOnce) {
  PacketRing ring = open("lo", {.local_senders = true});
  // IPv6 has no multicast route out of loopback; the frames as UDP would have made them.
  for (unsigned i = 0; i < 10; ++i) {
    if (v4()) send("lo", group(), numbered(100, i));
    if (!v4()) inject("lo", udp_datagram(numbered(100, i)), std::nullopt);
  }
  const std::vector<Octets> got = collect_rest(ring, "lo");
  ASSERT_EQ(got.size(), 10U);
  for (unsigned i = 0; i < 10; ++i) expect_udp(got[i], numbered(100, i));
}

TEST_P(PacketRingOn, SeesWhatThisHostSendsOnce) {
  PacketRing ring = open("near");
  send("near", group(), numbered(100));
  EXPECT_TRUE(has_nothing(ring, "far")) << "only on demand";
  ASSERT_TRUE(ok(ring.set_local_senders(true)));
  EXPECT_FALSE(ring.took_local());
  const Octets stream = numbered(47 * 1316 + 99);
  send("near", group(), numbered(100));
  send("near", group(), stream, 1316);
  const std::vector<Octets> got = collect(ring, 49);
  ASSERT_EQ(got.size(), 49U);
  expect_udp(got[0], numbered(100));
  for (std::size_t i = 0; i < 48; ++i) {
    expect_udp(got[i + 1], Bytes(stream).subspan(i * 1316, i < 47 ? 1316 : 99));
  }
  EXPECT_TRUE(ring.took_local());
  EXPECT_FALSE(ring.took_local());
  // What arrives is nobody's of this host.
  PacketRing far = open("far");
  send("near", group(), numbered(100));
  EXPECT_EQ(collect(far, 1).size(), 1U);
  EXPECT_FALSE(far.took_local());
}

TEST_P(PacketRingOn, SeesNeitherLinkScopeNorUnicast) {  // I-o, R-5.3.3.6-b
  PacketRing far = open("far");
  for (const char* group : {"224.0.0.5", "224.0.0.255", "224.0.1.0", "239.255.255.255"}) {
    if (v4()) send("near", *IpAddress::parse(group), numbered(10));
  }
  for (const char* group : {"ff02::5", "ff12::5", "ff01::5", "ff03::5", "ff1e::5"}) {
    if (!v4()) send("near", *IpAddress::parse(group), numbered(10));
  }
  std::vector<std::string> seen;
  // The last one comes: what should not have come would have come before it.
  for (const Octets& bytes : collect(far, 2)) seen.push_back(DatagramView::parse(bytes)->destination.to_string());
  EXPECT_EQ(seen, v4() ? (std::vector<std::string>{"224.0.1.0", "239.255.255.255"})
                       : (std::vector<std::string>{"ff03::5", "ff1e::5"}));
  // Unicast, on loopback where it arrives without an address resolution.
  PacketRing loopback = open("lo");
  send("lo", *IpAddress::parse(v4() ? "127.0.0.1" : "::1"), numbered(10));
  EXPECT_TRUE(has_nothing(loopback, "lo"));
}

TEST_P(PacketRingOn, LeavesTaggedFramesToTheirVlan) {
  PacketRing ring = open("far");
  const Octets datagram = udp_datagram(numbered(64));
  inject("near", datagram, 5);
  inject("near", datagram, 0xe000);  // priority 7 without a VLAN
  const std::vector<Octets> got = collect(ring, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0], datagram);
  EXPECT_TRUE(has_nothing(ring, "near"));
}

TEST_P(PacketRingOn, SurvivesAnInterfaceThatGoesDown) {
  PacketRing ring = open("far");
  ASSERT_TRUE(ok(set_link_down(find_link("far")->index)));
  constexpr int kMomentMs = 100;
  EXPECT_TRUE(collect(ring, 1, 1, kMomentMs).empty());
  pollfd ready{ring.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0) << "stays ready without a packet";
  ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
  // The other end notices its carrier some time later.
  std::size_t seen = 0;
  for (int i = 0; i < 200 && seen == 0; ++i) {
    send("near", group(), numbered(30));
    seen = collect(ring, 1, 1, kMomentMs).size();
  }
  EXPECT_EQ(seen, 1U);
}

INSTANTIATE_TEST_SUITE_P(Families, PacketRingOn, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) { return each.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

class PacketRingErrors : public InTestNamespace {};

TEST_F(PacketRingErrors, NameTheInterface) {
  EXPECT_EQ(PacketRing::open("nowhere", {}).error().to_string(), "capture on nowhere: No such device");
}

}  // namespace
}  // namespace amt
