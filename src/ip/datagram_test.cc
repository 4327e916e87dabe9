#include "ip/datagram.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hh"
#include "base/test_bytes.hh"
#include "ip/checksum.hh"

namespace amt {
namespace {

using test::hex;
using test::joined;

using Octets = std::vector<std::byte>;

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

/// Computed by hand: the IGMPv3 General Query and report inside the Query and the Update.
Octets igmp_query() { return hex("46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81 00000000 027d0000"); }
Octets igmp_report() {
  return hex("46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8 00000001 05000001 e8010203 c633640c");
}
Octets mld_query() {
  return hex(
      "60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000 00000001"
      "3a000502 00000100 82007da5 00010000 00000000 00000000 00000000 00000000 027d0000");
}
Octets mld_report() {
  return hex(
      "60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016"
      "3a000502 00000100 8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8"
      "00000000 00000000 0000000a");
}

/// Recomputes the IPv4 header checksum of a header that a test has changed.
Octets with_checksum(Octets datagram) {
  const std::size_t header = 4 * (std::to_integer<std::size_t>(datagram[0]) & 0x0f);
  datagram[10] = datagram[11] = std::byte{0};
  ByteWriter(MutableBytes(datagram).subspan(10)).u16(internet_checksum(Bytes(datagram).first(header)));
  return datagram;
}

/// IPv4 header with these options (a multiple of 4 octets) and 4 octets of payload.
Octets v4_with_options(const Octets& options) {
  Octets header = hex("40000000 00000000 40110000 c0000201 e8010203");
  const std::size_t header_octets = 20 + options.size();
  header[0] = static_cast<std::byte>(0x40 | header_octets / 4);
  header[3] = static_cast<std::byte>(header_octets + 4);
  return with_checksum(joined({header, options, hex("01020304")}));
}

/// IPv6 header that announces `next_header`, and what follows it.
Octets v6_with(unsigned next_header, const Octets& rest) {
  Octets header = hex("60000000 00000040 20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d");
  header[4] = static_cast<std::byte>(rest.size() >> 8);
  header[5] = static_cast<std::byte>(rest.size() & 0xff);
  header[6] = static_cast<std::byte>(next_header);
  return joined({header, rest});
}

IpError error_of(const Octets& octets) {
  const Result<DatagramView, IpError> view = DatagramView::parse(octets);
  EXPECT_FALSE(view);
  return view ? IpError{} : view.error();
}

TEST(Datagram, ReadsTheIgmpQueryVector) {
  const Octets octets = igmp_query();
  const DatagramView view = DatagramView::parse(octets).value();
  EXPECT_EQ(view.family(), Family::kIpv4);
  EXPECT_EQ(view.source, address("0.0.0.0"));
  EXPECT_EQ(view.destination, address("224.0.0.1"));
  EXPECT_EQ(view.protocol, kProtocolIgmp);
  EXPECT_EQ(view.traffic_class, 0xc0);
  EXPECT_EQ(view.ecn(), Ecn::kNotEct);
  EXPECT_EQ(view.hop_limit, 1);
  EXPECT_TRUE(view.router_alert);
  EXPECT_FALSE(view.dont_fragment);
  EXPECT_FALSE(view.is_fragment());
  EXPECT_EQ(view.bytes.size(), 36U);
  EXPECT_EQ(view.payload.size(), 12U);
  EXPECT_EQ(view.payload[0], std::byte{0x11});
}

TEST(Datagram, ReadsTheMldVectors) {
  const Octets query_octets = mld_query();
  const DatagramView query = DatagramView::parse(query_octets).value();
  EXPECT_EQ(query.family(), Family::kIpv6);
  EXPECT_EQ(query.source, address("fe80::1"));
  EXPECT_EQ(query.destination, address("ff02::1"));
  EXPECT_EQ(query.protocol, kProtocolIcmpv6);
  EXPECT_EQ(query.traffic_class, 0);
  EXPECT_EQ(query.hop_limit, 1);
  EXPECT_TRUE(query.router_alert);
  EXPECT_EQ(query.bytes.size(), 76U);
  EXPECT_EQ(query.payload.size(), 28U);
  const Octets report_octets = mld_report();
  const DatagramView report = DatagramView::parse(report_octets).value();
  EXPECT_EQ(report.destination, address("ff02::16"));
  EXPECT_EQ(report.payload.size(), 44U);
  EXPECT_TRUE(report.router_alert);
}

TEST(Datagram, CutsSurplusOctetsOff) {  // R-5.3.3.4-h, R-5.2.3.5.4-i
  for (const Octets& whole : {igmp_report(), mld_report()}) {
    const Octets longer = joined({whole, hex("ffffffffffff")});
    const DatagramView view = DatagramView::parse(longer).value();
    EXPECT_EQ(view.bytes.size(), whole.size());
    EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), whole.begin(), whole.end()));
  }
}

TEST(Datagram, EveryTruncationIsAnError) {  // R-5.3.3.4-c, R-5.2.3.5.4-f
  for (const Octets& whole : {igmp_query(), igmp_report(), mld_query(), mld_report()}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes head = Bytes(whole).first(length);
      const Result<DatagramView, IpError> view = DatagramView::parse(head);
      ASSERT_FALSE(view) << length;
      EXPECT_EQ(view.error(), IpError::kTruncated) << length;
      EXPECT_EQ(peek_addresses(head).error(), IpError::kTruncated) << length;
    }
  }
}

TEST(Datagram, OnlyVersions4And6AreIp) {
  for (unsigned version = 0; version < 16; ++version) {
    if (version == 4 || version == 6) continue;
    Octets octets = mld_query();
    octets[0] = static_cast<std::byte>(version << 4);
    EXPECT_EQ(error_of(octets), IpError::kBadVersion);
    EXPECT_EQ(peek_addresses(octets).error(), IpError::kBadVersion);
  }
}

TEST(Datagram, Ipv4LengthsMustMakeSense) {
  for (unsigned words = 0; words < 5; ++words) {
    Octets octets = igmp_query();
    octets[0] = static_cast<std::byte>(0x40 | words);
    EXPECT_EQ(error_of(octets), IpError::kBadHeader);
    EXPECT_EQ(peek_addresses(octets).error(), IpError::kBadHeader);
  }
  Octets shorter_than_header = igmp_query();
  shorter_than_header[3] = std::byte{23};
  EXPECT_EQ(error_of(with_checksum(shorter_than_header)), IpError::kBadHeader);
  EXPECT_EQ(peek_addresses(shorter_than_header).error(), IpError::kBadHeader);
  Octets zero = igmp_query();
  zero[3] = std::byte{0};
  EXPECT_EQ(error_of(with_checksum(zero)), IpError::kBadHeader);
}

TEST(Datagram, EveryChangedBitOfAnIpv4HeaderIsNoticed) {  // R-5.3.3.4-d
  for (std::size_t bit = 0; bit < 24 * 8; ++bit) {
    Octets octets = igmp_query();
    octets[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(DatagramView::parse(octets)) << bit;
  }
  Octets octets = igmp_query();
  octets[8] = std::byte{2};
  EXPECT_EQ(error_of(octets), IpError::kBadHeaderChecksum);
}

TEST(Datagram, WalksIpv4Options) {
  // No operation, then Router Alert; unknown option, then Router Alert; end of list before it.
  EXPECT_TRUE(DatagramView::parse(v4_with_options(hex("01010101 94040000")))->router_alert);
  EXPECT_TRUE(DatagramView::parse(v4_with_options(hex("8803aa94 04000000")))->router_alert);
  EXPECT_TRUE(DatagramView::parse(v4_with_options(hex("94041234")))->router_alert);
  EXPECT_FALSE(DatagramView::parse(v4_with_options(hex("00000000 94040000")))->router_alert);
  EXPECT_FALSE(DatagramView::parse(v4_with_options(hex("00000000")))->router_alert);  // VLC, X-4.3-a
  EXPECT_FALSE(DatagramView::parse(v4_with_options({}))->router_alert);
  EXPECT_FALSE(DatagramView::parse(v4_with_options(hex("94030000")))->router_alert);
}

TEST(Datagram, RefusesIpv4OptionsThatLeaveTheHeader) {
  for (const char* options : {"94050000", "94000000", "94010000", "01010194", "88ffaabb", "01940400"}) {
    EXPECT_EQ(error_of(v4_with_options(hex(options))), IpError::kBadHeader) << options;
  }
}

TEST(Datagram, ReadsIpv4FragmentFields) {
  Octets octets = v4_with_options({});
  octets[4] = std::byte{0x12};
  octets[5] = std::byte{0x34};
  octets[6] = std::byte{0x20};
  octets[7] = std::byte{0x03};
  octets = with_checksum(octets);
  DatagramView view = DatagramView::parse(octets).value();
  EXPECT_TRUE(view.more_fragments);
  EXPECT_FALSE(view.dont_fragment);
  EXPECT_EQ(view.fragment_offset, 24U);
  EXPECT_EQ(view.identification, 0x1234U);
  EXPECT_TRUE(view.is_fragment());
  octets[6] = std::byte{0x5f};
  octets[7] = std::byte{0xff};
  octets = with_checksum(octets);
  view = DatagramView::parse(octets).value();
  EXPECT_TRUE(view.dont_fragment);
  EXPECT_FALSE(view.more_fragments);
  EXPECT_EQ(view.fragment_offset, 65528U);
  EXPECT_TRUE(view.is_fragment());
}

TEST(Datagram, WalksIpv6ExtensionHeaders) {
  // Hop-by-hop without Router Alert, routing of 16 octets, destination options, UDP.
  const Octets chain = joined({hex("2b00 0104 00000000"), hex("3c01 0000 00000000 00000000 00000000"),
                               hex("1100 0104 00000000"), hex("01020304")});
  const Octets octets = v6_with(0, chain);
  const DatagramView view = DatagramView::parse(octets).value();
  EXPECT_EQ(view.protocol, kProtocolUdp);
  EXPECT_EQ(view.payload.size(), 4U);
  EXPECT_EQ(view.hop_limit, 0x40);
  EXPECT_FALSE(view.router_alert);
}

TEST(Datagram, FindsTheRouterAlertAmongHopByHopOptions) {
  EXPECT_TRUE(DatagramView::parse(v6_with(0, hex("3a01 0000 0000 05021234 01040000 0000")))->router_alert);
  EXPECT_TRUE(DatagramView::parse(v6_with(0, hex("3a00 0000 05020000")))->router_alert);
  EXPECT_FALSE(DatagramView::parse(v6_with(0, hex("3a00 05010000 0000")))->router_alert);
  // In a destination header the same octets are no Router Alert.
  EXPECT_FALSE(DatagramView::parse(v6_with(60, hex("3a000502 00000100")))->router_alert);
}

TEST(Datagram, RefusesHopByHopOptionsThatLeaveTheirHeader) {
  for (const char* header :
       {"3a00 0502 0000 0101", "3a00 0000 0000 0001", "3a00 0105 0000 0000", "3a00 05ff 0000 0000"}) {
    EXPECT_EQ(error_of(v6_with(0, hex(header))), IpError::kBadHeader) << header;
  }
}

TEST(Datagram, RefusesBrokenExtensionChains) {
  EXPECT_EQ(error_of(v6_with(0, {})), IpError::kBadHeader);
  EXPECT_EQ(error_of(v6_with(0, hex("3a000502000001"))), IpError::kBadHeader);
  EXPECT_EQ(error_of(v6_with(43, hex("3a01000000000000"))), IpError::kBadHeader);
  EXPECT_EQ(error_of(v6_with(44, hex("11000000 000000"))), IpError::kBadHeader);
  // Hop-by-hop options behind anything but the IPv6 header (RFC 8200 §4.1).
  EXPECT_EQ(error_of(v6_with(60, hex("00000104 00000000 3a000104 00000000"))), IpError::kBadHeader);
  // Two Fragment headers.
  EXPECT_EQ(error_of(v6_with(44, hex("2c000000 00000001 11000000 00000001"))), IpError::kBadHeader);
  // No end.
  Octets many;
  for (int i = 0; i < 100; ++i) many = joined({many, hex("3c000104 00000000")});
  EXPECT_EQ(error_of(v6_with(60, many)), IpError::kBadHeader);
}

TEST(Datagram, AnEmptyIpv6DatagramIsWhole) {
  const Octets octets = v6_with(59, {});
  const DatagramView view = DatagramView::parse(octets).value();
  EXPECT_EQ(view.protocol, 59);
  EXPECT_TRUE(view.payload.empty());
}

TEST(Datagram, ReadsIpv6FragmentHeaders) {
  // The piece begins behind the Fragment header, whatever it announces: X-3.2-a.
  for (const char* next : {"11", "3c", "00"}) {
    const Octets octets = v6_with(44, joined({hex(next), hex("00 00b9 89abcdef"), hex("0102030405060708")}));
    const DatagramView view = DatagramView::parse(octets).value();
    EXPECT_EQ(view.fragment_offset, 0xb8U);
    EXPECT_TRUE(view.more_fragments);
    EXPECT_EQ(view.identification, 0x89abcdefU);
    EXPECT_EQ(view.payload.size(), 8U);
    EXPECT_EQ(view.protocol, std::to_integer<unsigned>(hex(next)[0]));
  }
  // The first piece likewise.
  const Octets first = v6_with(44, hex("3c00 0001 00000001 1100 0104 00000000"));
  EXPECT_EQ(DatagramView::parse(first)->payload.size(), 8U);
  EXPECT_EQ(DatagramView::parse(first)->protocol, 60);
}

// X-10-10: RFC 8200
TEST(Datagram, AnAtomicFragmentIsAWholeDatagram) {  // RFC 6946
  const Octets octets = v6_with(44, hex("3c000000 00000007 11000104 00000000 01020304"));
  const DatagramView view = DatagramView::parse(octets).value();
  EXPECT_FALSE(view.is_fragment());
  EXPECT_EQ(view.protocol, kProtocolUdp);
  EXPECT_EQ(view.payload.size(), 4U);
  EXPECT_EQ(view.identification, 7U);
}

TEST(Datagram, Ipv6TrafficClassLiesAcrossTwoOctets) {
  Octets octets = mld_query();
  octets[0] = std::byte{0x6a};
  octets[1] = std::byte{0xbc};
  const DatagramView view = DatagramView::parse(octets).value();
  EXPECT_EQ(view.traffic_class, 0xab);
  EXPECT_EQ(view.ecn(), Ecn::kCe);
  EXPECT_EQ(peek_addresses(octets).value().ecn, Ecn::kCe);
}

TEST(Datagram, RefusesIpv4MappedAddressesInIpv6) {
  for (const std::size_t at : {std::size_t{8}, std::size_t{24}}) {
    Octets octets = v6_with(59, {});
    const Octets mapped = hex("00000000 00000000 0000ffff c0000201");
    std::copy(mapped.begin(), mapped.end(), octets.begin() + static_cast<std::ptrdiff_t>(at));
    EXPECT_EQ(error_of(octets), IpError::kBadHeader);
    EXPECT_EQ(peek_addresses(octets).error(), IpError::kBadHeader);
  }
}

TEST(PeekAddresses, AgreesWithTheFullParse) {
  for (const Octets& whole : {igmp_query(), igmp_report(), mld_query(), mld_report()}) {
    const Octets longer = joined({whole, hex("ffff")});
    const DatagramAddresses addresses = peek_addresses(longer).value();
    const DatagramView view = DatagramView::parse(longer).value();
    EXPECT_EQ(addresses.source, view.source);
    EXPECT_EQ(addresses.destination, view.destination);
    EXPECT_EQ(addresses.octets, whole.size());
    EXPECT_EQ(addresses.ecn, view.ecn());
  }
}

}  // namespace
}  // namespace amt
