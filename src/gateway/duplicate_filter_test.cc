#include "gateway/duplicate_filter.hh"

#include <gtest/gtest.h>

#include "base/test_bytes.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// An IPv4 datagram of four octets of payload.
Octets datagram(unsigned identification, std::uint8_t first_octet, std::uint8_t ttl = 5, unsigned fragment = 0) {
  Octets octets(24);
  const HeaderFields fields{.source = *IpAddress::parse("198.51.100.1"),
                            .destination = *IpAddress::parse("232.1.1.1"),
                            .protocol = kProtocolUdp,
                            .hop_limit = ttl,
                            .identification = static_cast<std::uint16_t>(identification)};
  ByteWriter out(octets);
  write_header(out, fields, 4);
  octets[20] = std::byte{first_octet};
  if (fragment != 0) {
    // Offset and a checksum that agrees with it.
    octets[7] = static_cast<std::byte>(fragment);
    const unsigned sum = std::to_integer<unsigned>(octets[10]) << 8 | std::to_integer<unsigned>(octets[11]);
    const unsigned mended = sum - fragment;
    octets[10] = static_cast<std::byte>(mended >> 8 & 0xff);
    octets[11] = static_cast<std::byte>(mended & 0xff);
  }
  return octets;
}

class Duplicates : public testing::Test {
 protected:
  SeededRandom random{1};
  DuplicateFilter filter{random};
  Instant now{std::chrono::hours(1)};
};

TEST_F(Duplicates, SecondTunnelsCopyIsDropped) {
  EXPECT_TRUE(filter.is_new(now, 1, datagram(1, 1)));
  EXPECT_FALSE(filter.is_new(now, 2, datagram(1, 1)));
  EXPECT_TRUE(filter.is_new(now, 2, datagram(2, 1)));
  EXPECT_FALSE(filter.is_new(now, 1, datagram(2, 1)));
}

TEST_F(Duplicates, TtlAndEcnMayDiffer) {
  EXPECT_TRUE(filter.is_new(now, 1, datagram(1, 1, 5)));
  Octets other = datagram(1, 1, 9);
  set_ecn(other, Ecn::kEct0);
  EXPECT_FALSE(filter.is_new(now, 2, other));
}

TEST_F(Duplicates, WhatTheSourceRepeatsPasses) {
  // Without fragmentation identifications may all be 0 (RFC 6864), and payloads alike.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(filter.is_new(now, 1, datagram(0, 7)));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(filter.is_new(now, 2, datagram(0, 7)));
  EXPECT_TRUE(filter.is_new(now, 2, datagram(0, 7)));
  EXPECT_FALSE(filter.is_new(now, 1, datagram(0, 7)));
}

TEST_F(Duplicates, IdentificationFragmentAndPayloadTellApart) {
  EXPECT_TRUE(filter.is_new(now, 1, datagram(1, 1)));
  EXPECT_TRUE(filter.is_new(now, 2, datagram(2, 1)));
  EXPECT_TRUE(filter.is_new(now, 2, datagram(1, 2)));
  EXPECT_TRUE(filter.is_new(now, 2, datagram(1, 1, 5, 3)));
  EXPECT_FALSE(filter.is_new(now, 1, datagram(1, 1, 5, 3)));
}

TEST_F(Duplicates, MemoryIsBounded) {
  for (unsigned i = 0; i <= DuplicateFilter::kDatagramsMax; ++i) {
    EXPECT_TRUE(filter.is_new(now, 1, datagram(i & 0xffff, static_cast<std::uint8_t>(i >> 16))));
  }
  EXPECT_TRUE(filter.is_new(now, 2, datagram(0, 0)));   // forgotten
  EXPECT_FALSE(filter.is_new(now, 2, datagram(2, 0)));  // not yet
}

TEST_F(Duplicates, WhatOneWayRepeatsForEverPasses) {
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(filter.is_new(now, 1, datagram(0, 7))) << i;
    now += std::chrono::microseconds(10);
  }
}

TEST_F(Duplicates, RepeatsOfLongAgoHideNothing) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(filter.is_new(now, 1, datagram(0, 7)));
    now += std::chrono::seconds(1);
  }
  now += DuplicateFilter::kMemory;
  EXPECT_TRUE(filter.is_new(now, 2, datagram(0, 7)));
  EXPECT_FALSE(filter.is_new(now, 1, datagram(0, 7)));
}

TEST_F(Duplicates, PayloadsAreKnownByTheirEndpoints) {
  const Endpoint source{*IpAddress::parse("198.51.100.1"), 4000};
  const Endpoint other{*IpAddress::parse("198.51.100.1"), 4001};
  const Endpoint group{*IpAddress::parse("232.1.1.1"), 5000};
  const Octets payload(9);
  EXPECT_TRUE(filter.is_new(now, 1, source, group, payload));
  EXPECT_TRUE(filter.is_new(now, 2, other, group, payload));
  EXPECT_TRUE(filter.is_new(now, 2, group, source, payload));
  EXPECT_TRUE(filter.is_new(now, 2, source, group, Octets(10)));
  EXPECT_FALSE(filter.is_new(now, 2, source, group, payload));
}

TEST_F(Duplicates, WhatIsNoDatagramPasses) {
  EXPECT_TRUE(filter.is_new(now, 1, Octets(3)));
  EXPECT_TRUE(filter.is_new(now, 2, Octets(3)));
}

}  // namespace
}  // namespace amt
