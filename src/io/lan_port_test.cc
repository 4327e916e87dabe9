#include "io/lan_port.hh"

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ip/ethernet.hh"
#include "ip/udp.hh"
#include "membership/message.hh"
#include "sys/test_namespace.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// So long without anything: nothing more comes. A busy machine delivers a packet some hundred milliseconds late.
constexpr int kQuietMs = 1000;

Octets copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Octets report(const char* source, const char* group) {
  const GroupRecord record{RecordType::kChangeToExclude, *IpAddress::parse(group), {}};
  return write_report(*IpAddress::parse(source), {&record, 1});
}

Octets udp_datagram(const char* source, const char* group) {
  Octets datagram(200);
  const std::array<std::byte, 4> payload{};
  datagram.resize(write_udp_datagram(datagram,
                                     {.source = *IpAddress::parse(source),
                                      .destination = *IpAddress::parse(group),
                                      .protocol = kProtocolUdp,
                                      .hop_limit = 8},
                                     4000, 5000, payload));
  return datagram;
}

/// Two ends of a cable in one namespace: `lan0` is the router's, `host0` the other's.
class LanPortOn : public InTestNamespace {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(ok(create_veth("lan0", "host0", std::nullopt)));
    ASSERT_TRUE(ok(set_link_up(find_link("lan0")->index)));
    ASSERT_TRUE(ok(set_link_up(find_link("host0")->index)));
  }

  /// A packet socket with whole frames.
  static UniqueFd frames_on(const std::string& interface) {
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = find_link(interface)->index;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  static void put_frame(const UniqueFd& host, Bytes datagram, const MacAddress& to) {
    const std::uint16_t type = ethertype_of((datagram[0] >> 4) == std::byte{4} ? Family::kIpv4 : Family::kIpv6);
    const auto header = ethernet_header(to, {std::byte{2}}, type);
    Octets frame(header.begin(), header.end());
    frame.insert(frame.end(), datagram.begin(), datagram.end());
    EXPECT_EQ(::send(host.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }

  /// Datagrams from `port` until `wanted` have come or nothing does any more.
  static std::vector<Octets> heard(LanPort& port, std::size_t wanted) {
    std::vector<Octets> all;
    for (int round = 0; round < 100 && all.size() < wanted; ++round) {
      pollfd ready{port.fd(), POLLIN, 0};
      if (::poll(&ready, 1, kQuietMs) == 0) break;
      for (const Bytes datagram : port.receive()) all.push_back(copy(datagram));
    }
    return all;
  }

  static bool contains(const std::vector<Octets>& all, const Octets& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }
};

TEST_F(LanPortOn, HearsMembershipMessagesOfBothFamiliesAndNothingElse) {
  SysResult<LanPort> port = LanPort::open("lan0");
  ASSERT_TRUE(ok(port));
  const UniqueFd host = frames_on("host0");
  const std::vector<Octets> reports = {report("192.0.2.9", "239.1.2.3"), report("fe80::9", "ff1e::1:2")};
  for (const Octets& one : reports) {
    put_frame(host, udp_datagram("192.0.2.9", "239.1.2.3"), multicast_mac(*IpAddress::parse("239.1.2.3")));
    put_frame(host, udp_datagram("2001:db8::9", "ff1e::1:2"), multicast_mac(*IpAddress::parse("ff1e::1:2")));
    // An older report goes to the group that it names, which nobody here has joined.
    put_frame(host, one, multicast_mac(*IpAddress::parse("239.1.2.3")));
    // For somebody else on the link.
    put_frame(host, report("192.0.2.66", "239.6.6.6"), {std::byte{2}, std::byte{0x99}});
  }
  std::vector<Octets> all = heard(*port, 2);
  // The kernel speaks MLD on its own account, too.
  for (const Octets& one : reports) EXPECT_TRUE(contains(all, one));
  for (const Octets& one : all) {
    const Result<DatagramView, IpError> view = DatagramView::parse(one);
    ASSERT_TRUE(view.has_value());
    EXPECT_TRUE(parse_group_message(*view, {}).has_value());
    EXPECT_NE(view->source, *IpAddress::parse("192.0.2.66"));
  }
}

TEST_F(LanPortOn, DoesNotHearItself) {
  SysResult<LanPort> port = LanPort::open("lan0");
  ASSERT_TRUE(ok(port));
  const UniqueFd host = frames_on("host0");
  const Octets mine = report("192.0.2.1", "239.1.1.1");
  const SplitDatagram sent{mine, {}};
  EXPECT_EQ(port->send({&sent, 1}).datagrams, 1U);
  const Octets other = report("192.0.2.9", "239.1.2.3");
  put_frame(host, other, multicast_mac(*IpAddress::parse("224.0.0.22")));
  std::vector<Octets> all = heard(*port, 1);
  for (int more = 0; more < 5 && !contains(all, other); ++more) {
    for (Octets& one : heard(*port, 1)) all.push_back(std::move(one));
  }
  EXPECT_TRUE(contains(all, other));
  EXPECT_FALSE(contains(all, mine));
}

TEST_F(LanPortOn, SendsBothPiecesToTheGroupsEthernetAddress) {
  SysResult<LanPort> port = LanPort::open("lan0");
  ASSERT_TRUE(ok(port));
  const UniqueFd host = frames_on("host0");
  for (const Octets& datagram :
       {udp_datagram("192.0.2.9", "239.129.2.3"), udp_datagram("2001:db8::9", "ff1e::8000:12")}) {
    const std::size_t head = (datagram[0] >> 4) == std::byte{4} ? kIpv4HeaderOctets : kIpv6HeaderOctets;
    const SplitDatagram split{Bytes(datagram).first(head), Bytes(datagram).subspan(head)};
    EXPECT_EQ(port->send({&split, 1}).datagrams, 1U);
    bool found = false;
    std::array<std::byte, 2048> buffer{};
    for (int round = 0; round < 50 && !found; ++round) {
      pollfd ready{host.get(), POLLIN, 0};
      if (::poll(&ready, 1, kQuietMs) == 0) break;
      const ssize_t octets = ::recv(host.get(), buffer.data(), buffer.size(), 0);
      ASSERT_GT(octets, 0);
      const std::optional<EthernetFrame> frame =
          EthernetFrame::parse(Bytes(buffer).first(static_cast<std::size_t>(octets)));
      if (!frame || copy(frame->payload) != datagram) continue;
      found = true;
      EXPECT_EQ(frame->destination, multicast_mac(DatagramView::parse(datagram)->destination));
      EXPECT_EQ(frame->ethertype, ethertype_of(DatagramView::parse(datagram)->family()));
    }
    EXPECT_TRUE(found);
  }
}

TEST_F(LanPortOn, OneThatIsTooLargeDoesNotStopTheOthers) {
  SysResult<LanPort> port = LanPort::open("lan0");
  ASSERT_TRUE(ok(port));
  const Octets small = udp_datagram("192.0.2.9", "239.1.2.3");
  Octets large = small;
  large.resize(1501);
  const Octets unicast = udp_datagram("192.0.2.9", "192.0.2.1");
  const std::array<SplitDatagram, 5> all = {{{small, {}}, {large, {}}, {unicast, {}}, {{}, {}}, {small, {}}}};
  EXPECT_EQ(port->send(all).datagrams, 2U);
  EXPECT_EQ(port->send_drops(), 3U);
}

TEST_F(LanPortOn, GoesOnWhenTheInterfaceComesUpAgain) {
  SysResult<LanPort> port = LanPort::open("lan0");
  ASSERT_TRUE(ok(port));
  ASSERT_TRUE(ok(set_link_down(port->index())));
  const Octets datagram = udp_datagram("192.0.2.9", "239.1.2.3");
  const SplitDatagram split{datagram, {}};
  EXPECT_EQ(port->send({&split, 1}).datagrams, 0U);
  // What other hosts' kernels said before may be there; the error that the kernel keeps for the socket is no end.
  (void)port->receive();
  ASSERT_TRUE(ok(set_link_up(port->index())));
  EXPECT_EQ(port->send({&split, 1}).datagrams, 1U);
}

TEST_F(LanPortOn, NamesAnInterfaceThatIsNotThere) {
  EXPECT_EQ(LanPort::open("nosuch0").error().to_string(), "listen on nosuch0: No such device");
}

}  // namespace
}  // namespace amt
