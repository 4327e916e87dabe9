#include "demo/tunnel_log.hh"

#include <gtest/gtest.h>

#include <array>

#include "ip/udp.hh"
#include "membership/message.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using Octets = std::vector<std::byte>;

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

const Channel kChannel{address("198.51.100.10"), address("232.1.2.3")};
constexpr std::uint16_t kPort = 5004;

Octets udp(const IpAddress& source, const IpAddress& destination, std::uint16_t from, std::uint16_t to, Bytes payload) {
  Octets out(payload.size() + 48);
  HeaderFields header{.source = source, .destination = destination, .protocol = kProtocolUdp, .hop_limit = 8};
  out.resize(write_udp_datagram(out, header, from, to, payload));
  return out;
}

Octets stream_datagram(std::size_t octets, std::uint16_t port = kPort) {
  return udp(*kChannel.source, kChannel.group, 40000, port, Octets(octets));
}

Octets octets_of(std::initializer_list<int> values) {
  Octets out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// Over IPv4 unless told otherwise.
Octets from_relay(Bytes message) { return udp(address("192.0.2.1"), address("203.0.113.2"), kAmtPort, 50000, message); }
Octets to_relay(Bytes message) { return udp(address("203.0.113.2"), address("192.0.2.1"), 50000, kAmtPort, message); }

TunnelLog fresh() { return {kChannel, kPort, Family::kIpv4}; }

TEST(TunnelLog, NamesControlMessagesInOrder) {
  TunnelLog log = fresh();
  log.handle(milliseconds(1), true, to_relay(octets_of({0x01, 0, 0, 0, 1, 2, 3, 4})));
  log.handle(milliseconds(2), false, from_relay(octets_of({0x02, 0, 0, 0, 1, 2, 3, 4, 192, 0, 2, 7})));
  log.handle(milliseconds(3), true, to_relay(octets_of({0x03, 0x01, 0, 0, 1, 2, 3, 4})));
  ASSERT_EQ(log.messages().size(), 3U);
  EXPECT_EQ(log.messages()[0].type, wire::MessageType::kRelayDiscovery);
  EXPECT_TRUE(log.messages()[0].outgoing);
  EXPECT_EQ(log.messages()[0].at, milliseconds(1));
  EXPECT_EQ(log.messages()[1].detail, "the relay is 192.0.2.7");
  EXPECT_FALSE(log.messages()[1].outgoing);
  EXPECT_EQ(log.messages()[2].detail, "for MLD");
  EXPECT_EQ(log.messages()[2].relay, address("192.0.2.1"));
}

TEST(TunnelLog, ReadsTheRecordsOfAnUpdate) {
  TunnelLog log = fresh();
  const std::array records = {GroupRecord{RecordType::kAllowNewSources, kChannel.group, {*kChannel.source}}};
  Octets update = octets_of({0x05, 0, 1, 2, 3, 4, 5, 6, 9, 9, 9, 9});
  const Octets report = write_report(address("0.0.0.0"), records);
  update.insert(update.end(), report.begin(), report.end());
  log.handle(milliseconds(1), true, to_relay(update));
  ASSERT_EQ(log.messages().size(), 1U);
  EXPECT_EQ(log.messages()[0].detail,
            "IGMPv3 " + std::string(to_string(RecordType::kAllowNewSources)) + " 232.1.2.3 {198.51.100.10}");
  EXPECT_FALSE(log.reported()) << "an Update is not the host's own report";
}

TEST(TunnelLog, CountsMergedDataMessagesOneByOne) {
  TunnelLog log = fresh();
  Octets merged;
  for (const std::size_t octets : {kStreamPayloadOctets, kStreamPayloadOctets, std::size_t{188}}) {
    const Octets inner = stream_datagram(octets);
    merged.insert(merged.end(), {std::byte{6}, std::byte{0}});
    merged.insert(merged.end(), inner.begin(), inner.end());
  }
  log.handle(milliseconds(7), false, from_relay(merged));
  EXPECT_EQ(log.stream_in_tunnel(), 3U);
  EXPECT_EQ(log.first_data(), milliseconds(7));
  EXPECT_EQ(log.stream_native(), 0U);
}

TEST(TunnelLog, CountsTheStreamOutsideTunnels) {
  TunnelLog log = fresh();
  log.handle(milliseconds(1), false, stream_datagram(100, kPort - 1));
  EXPECT_EQ(log.first_native(), milliseconds(1));
  EXPECT_EQ(log.stream_native(), 0U);
  log.handle(milliseconds(2), false, stream_datagram(kStreamPayloadOctets));
  log.handle(milliseconds(3), false, stream_datagram(2 * kStreamPayloadOctets + 188));
  EXPECT_EQ(log.stream_native(), 4U);
  EXPECT_EQ(log.stream_in_tunnel(), 0U);
}

TEST(TunnelLog, TakesTheHostsFirstReportForTheChannel) {
  TunnelLog log = fresh();
  const auto report = [](RecordType type, const char* group) {
    const std::array records = {GroupRecord{type, address(group), {*kChannel.source}}};
    return write_report(address("203.0.113.2"), records);
  };
  log.handle(milliseconds(1), true, report(RecordType::kAllowNewSources, "232.9.9.9"));
  log.handle(milliseconds(2), true, report(RecordType::kBlockOldSources, "232.1.2.3"));
  log.handle(milliseconds(3), false, report(RecordType::kAllowNewSources, "232.1.2.3"));
  EXPECT_FALSE(log.reported());
  log.handle(milliseconds(4), true, report(RecordType::kAllowNewSources, "232.1.2.3"));
  log.handle(milliseconds(5), true, report(RecordType::kAllowNewSources, "232.1.2.3"));
  EXPECT_EQ(log.reported(), milliseconds(4));
}

TEST(TunnelLog, IgnoresOtherPeoplesTraffic) {
  TunnelLog log = fresh();
  const Octets discovery = octets_of({0x01, 0, 0, 0, 1, 2, 3, 4});
  log.handle(milliseconds(1), true, udp(address("2001:db8::2"), address("2001:db8::1"), 50000, kAmtPort, discovery));
  log.handle(milliseconds(1), true, udp(address("203.0.113.2"), address("192.0.2.1"), 50000, 53, discovery));
  log.handle(milliseconds(1), true, to_relay(octets_of({0x0f, 1})));
  log.handle(milliseconds(1), true, octets_of({0x45}));
  EXPECT_TRUE(log.messages().empty());
}

}  // namespace
}  // namespace amt
