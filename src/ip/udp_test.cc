#include "ip/udp.hh"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hh"
#include "base/test_bytes.hh"
#include "ip/checksum.hh"

namespace amt {
namespace {

using test::hex;
using Octets = std::vector<std::byte>;

HeaderFields fields(bool v4) {
  HeaderFields header;
  header.source = *IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1");
  header.destination = *IpAddress::parse(v4 ? "232.1.2.3" : "ff3e::8000:d");
  header.hop_limit = 16;
  return header;
}

Octets udp_datagram(bool v4, Bytes payload) {
  Octets octets(header_octets(fields(v4)) + kUdpHeaderOctets + payload.size());
  EXPECT_EQ(write_udp_datagram(octets, fields(v4), 4660, 22136, payload), octets.size());
  return octets;
}

/// A datagram of any protocol whose payload is given as it stands.
Octets datagram(bool v4, std::uint8_t protocol, const Octets& payload) {
  HeaderFields header = fields(v4);
  header.protocol = protocol;
  Octets octets(header_octets(header) + payload.size());
  ByteWriter out(octets);
  write_header(out, header, payload.size());
  out.bytes(payload);
  return octets;
}

Result<UdpView, UdpError> parse(const Octets& octets) { return UdpView::parse(DatagramView::parse(octets).value()); }
bool checksum_ok(const Octets& octets) { return transport_checksum_ok(DatagramView::parse(octets).value()); }

/// Puts the checksum over the pseudo-header at `at`, computed here by hand from RFC 768 and RFC 8200 §8.1.
Octets with_transport_checksum(bool v4, std::uint8_t protocol, Octets segment, std::size_t at) {
  Octets covered =
      v4 ? hex("c0000201 e8010203") : hex("20010db8 00000000 00000000 00000001 ff3e0000 00000000 00000000 8000000d");
  covered.push_back(std::byte{0});
  covered.push_back(static_cast<std::byte>(protocol));
  covered.push_back(static_cast<std::byte>(segment.size() >> 8));
  covered.push_back(static_cast<std::byte>(segment.size() & 0xff));
  covered.insert(covered.end(), segment.begin(), segment.end());
  ByteWriter(MutableBytes(segment).subspan(at)).u16(internet_checksum(covered));
  return segment;
}

TEST(Udp, IsWrittenWithARightChecksum) {
  // Sum over pseudo-header, header and payload by hand:
  // c000+0201+e801+0203+0011+000c + 1234+5678+000c + dead+beef = 2b57f folded b581, inverted 4a7e.
  const Octets octets = udp_datagram(true, hex("deadbeef"));
  EXPECT_EQ(octets.size(), 32U);
  const Octets udp(octets.begin() + 20, octets.end());
  const std::uint32_t sum =
      0xc000 + 0x0201 + 0xe801 + 0x0203 + 0x0011 + 0x000c + 0x1234 + 0x5678 + 0x000c + 0xdead + 0xbeef;
  const std::uint16_t checksum = static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16)) & 0xffff);
  Octets expected = hex("12345678 000c0000 deadbeef");
  ByteWriter(MutableBytes(expected).subspan(6)).u16(checksum);
  EXPECT_EQ(udp, expected);
}

TEST(Udp, WhatIsWrittenIsReadInBothFamilies) {
  SeededRandom random(6);
  for (const bool v4 : {true, false}) {
    for (std::size_t length = 0; length < 70; ++length) {
      Octets payload(length);
      random.fill(payload);
      const Octets octets = udp_datagram(v4, payload);
      const UdpView udp = parse(octets).value();
      EXPECT_EQ(udp.source_port, 4660);
      EXPECT_EQ(udp.destination_port, 22136);
      EXPECT_TRUE(std::equal(udp.payload.begin(), udp.payload.end(), payload.begin(), payload.end()));
      EXPECT_TRUE(checksum_ok(octets));
    }
  }
}

TEST(Udp, NeverSendsAZeroChecksum) {  // RFC 768, R-5.1-d
  // Payload words chosen so that the sum comes to ffff: try all of them.
  bool met = false;
  for (std::uint32_t word = 0; word <= 0xffff; ++word) {
    Octets payload(2);
    ByteWriter(payload).u16(static_cast<std::uint16_t>(word));
    const Octets octets = udp_datagram(true, payload);
    const std::uint16_t checksum = ByteReader(Bytes(octets).subspan(26)).u16();
    ASSERT_NE(checksum, 0);
    if (checksum != 0xffff) continue;
    met = true;
    EXPECT_TRUE(parse(octets));
  }
  EXPECT_TRUE(met);
}

TEST(Udp, ZeroChecksumIsAcceptedInBothFamilies) {  // R-5.2.3.3-d, C-6936
  for (const bool v4 : {true, false}) {
    Octets octets = udp_datagram(v4, hex("deadbeef"));
    octets[octets.size() - 6] = octets[octets.size() - 5] = std::byte{0};
    EXPECT_TRUE(parse(octets));
    EXPECT_TRUE(checksum_ok(octets));
  }
}

TEST(Udp, EveryChangedBitIsNoticed) {  // R-6.3-a
  for (const bool v4 : {true, false}) {
    const Octets whole = udp_datagram(v4, hex("deadbeef"));
    for (std::size_t bit = 8 * (whole.size() - 12); bit < 8 * whole.size(); ++bit) {
      Octets octets = whole;
      octets[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      EXPECT_FALSE(parse(octets)) << bit;
      EXPECT_FALSE(checksum_ok(octets)) << bit;
    }
  }
}

TEST(Udp, LengthMayEndBeforeThePayloadButNotAfterIt) {  // R-6.3-a
  const Octets segment = with_transport_checksum(true, 17, hex("12345678 000a0000 cafe"), 6);
  Octets longer = segment;
  longer.push_back(std::byte{0x55});
  const Octets surplus_datagram = datagram(true, 17, longer);
  const UdpView udp = parse(surplus_datagram).value();
  ASSERT_EQ(udp.payload.size(), 2U);
  EXPECT_EQ(udp.payload[1], std::byte{0xfe});

  EXPECT_EQ(parse(datagram(true, 17, hex("12345678 000b0000 cafe"))).error(), UdpError::kTruncated);
  EXPECT_EQ(parse(datagram(true, 17, hex("12345678 00070000 cafe"))).error(), UdpError::kTruncated);
  EXPECT_EQ(parse(datagram(true, 17, hex("12345678 00000000 cafe"))).error(), UdpError::kTruncated);
  EXPECT_EQ(parse(datagram(true, 17, hex("12345678 000800"))).error(), UdpError::kTruncated);
  EXPECT_FALSE(checksum_ok(datagram(true, 17, hex("12345678 000b0000 cafe"))));
}

TEST(Udp, AFragmentHasNoPorts) {  // X-3.2-a
  DatagramView fragment;
  const Octets octets = udp_datagram(true, hex("deadbeef"));
  fragment = DatagramView::parse(octets).value();
  fragment.more_fragments = true;
  EXPECT_EQ(UdpView::parse(fragment).error(), UdpError::kNotUdp);
  EXPECT_TRUE(transport_checksum_ok(fragment));
  EXPECT_EQ(parse(datagram(true, 6, hex("12345678 000a0000 cafe"))).error(), UdpError::kNotUdp);
}

TEST(TransportChecksum, CoversTcpAndIcmpv6) {  // R-6.3-a
  const Octets tcp = hex("00010002 00000003 00000004 50020005 00000000");
  for (const bool v4 : {true, false}) {
    EXPECT_FALSE(checksum_ok(datagram(v4, 6, tcp)));
    EXPECT_TRUE(checksum_ok(datagram(v4, 6, with_transport_checksum(v4, 6, tcp, 16))));
    // Too short for its header, though the sum is right.
    EXPECT_FALSE(checksum_ok(datagram(v4, 6, with_transport_checksum(v4, 6, hex("00010000"), 2))));
  }
  const Octets echo = hex("80000000 12340001 aa");
  EXPECT_FALSE(checksum_ok(datagram(false, 58, echo)));
  EXPECT_TRUE(checksum_ok(datagram(false, 58, with_transport_checksum(false, 58, echo, 2))));
  EXPECT_FALSE(checksum_ok(datagram(false, 58, hex("8000"))));
}

TEST(TransportChecksum, CoversTheMldVectorsAndTheIgmpVectors) {
  const Octets mld =
      hex("60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016"
          "3a000502 00000100 8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8"
          "00000000 00000000 0000000a");
  EXPECT_TRUE(checksum_ok(mld));
  Octets changed = mld;
  changed.back() = std::byte{0x0b};
  EXPECT_FALSE(checksum_ok(changed));

  Octets igmp = hex("46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81 00000000 027d0000");
  EXPECT_TRUE(checksum_ok(igmp));
  igmp.back() = std::byte{1};
  EXPECT_FALSE(checksum_ok(igmp));
}

TEST(TransportChecksum, HasNothingToSayOnOtherProtocols) {
  EXPECT_TRUE(checksum_ok(datagram(true, 253, hex("010203"))));
  EXPECT_TRUE(checksum_ok(datagram(false, 59, {})));
  EXPECT_TRUE(checksum_ok(datagram(true, 1, hex("0800f7ff 00000000"))));
  EXPECT_FALSE(checksum_ok(datagram(true, 1, hex("0800f7fe 00000000"))));
}

}  // namespace
}  // namespace amt
