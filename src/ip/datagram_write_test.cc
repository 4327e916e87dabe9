#include <gtest/gtest.h>

#include <algorithm>

#include "base/test_bytes.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

using test::hex;

std::vector<std::byte> written(const HeaderFields& fields, std::size_t payload_octets) {
  std::vector<std::byte> buffer(header_octets(fields));
  ByteWriter out(buffer);
  write_header(out, fields, payload_octets);
  EXPECT_EQ(out.written(), buffer.size());
  return buffer;
}

// The headers of the computed vectors (R-5.2.1-b, R-5.2.1-c).

TEST(WriteHeader, WritesTheIgmpReportVector) {
  HeaderFields fields;
  fields.source = *IpAddress::parse("0.0.0.0");
  fields.destination = *IpAddress::parse("224.0.0.22");
  fields.protocol = kProtocolIgmp;
  fields.traffic_class = 0xc0;
  fields.router_alert = true;
  EXPECT_EQ(written(fields, 20), hex("46c0002c 00000000 010243f6 00000000 e0000016 94040000"));
}

TEST(WriteHeader, WritesTheMldQueryVector) {
  HeaderFields fields;
  fields.source = *IpAddress::parse("fe80::1");
  fields.destination = *IpAddress::parse("ff02::1");
  fields.protocol = kProtocolIcmpv6;
  fields.router_alert = true;
  EXPECT_EQ(written(fields, 28), hex("60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000"
                                     "00000001 3a000502 00000100"));
}

TEST(WriteHeader, WhatIsWrittenIsRead) {
  for (const bool v4 : {true, false}) {
    for (const bool router_alert : {true, false}) {
      HeaderFields fields;
      fields.source = *IpAddress::parse(v4 ? "192.0.2.1" : "2001:db8::1");
      fields.destination = *IpAddress::parse(v4 ? "232.1.2.3" : "ff3e::8000:d");
      fields.protocol = kProtocolUdp;
      fields.traffic_class = 0xb9;
      fields.hop_limit = 64;
      fields.router_alert = router_alert;
      fields.identification = 0xbeef;
      std::vector<std::byte> octets = written(fields, 3);
      octets.resize(octets.size() + 3);
      const DatagramView view = DatagramView::parse(octets).value();
      EXPECT_EQ(view.bytes.size(), octets.size());
      EXPECT_EQ(view.payload.size(), 3U);
      EXPECT_EQ(view.source, fields.source);
      EXPECT_EQ(view.destination, fields.destination);
      EXPECT_EQ(view.protocol, fields.protocol);
      EXPECT_EQ(view.traffic_class, fields.traffic_class);
      EXPECT_EQ(view.hop_limit, fields.hop_limit);
      EXPECT_EQ(view.router_alert, router_alert);
      EXPECT_EQ(view.identification, v4 ? 0xbeefU : 0U);
      EXPECT_FALSE(view.is_fragment());
    }
  }
}

}  // namespace
}  // namespace amt
