#include "client/payload_reader.hh"

#include <gtest/gtest.h>

#include "ip/test_fragments.hh"

namespace amt::test {
namespace {

using std::chrono::seconds;

/// UDP from port 4000 to 5000 with `payload` octets, its checksum filled in for the addresses of `v4_whole`.
Octets udp(std::size_t payload) {
  Octets out = joined({hex("0fa01388 00000000"), Octets(payload, std::byte{0x5a})});
  out[4] = static_cast<std::byte>(out.size() >> 8);
  out[5] = static_cast<std::byte>(out.size() & 0xff);
  InternetChecksum sum;
  sum.add_pseudo_header(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("232.1.2.3"), kProtocolUdp,
                        static_cast<std::uint32_t>(out.size()));
  sum.add(out);
  out[6] = static_cast<std::byte>(sum.value() >> 8);
  out[7] = static_cast<std::byte>(sum.value() & 0xff);
  return out;
}

class PayloadReaderTest : public ::testing::Test {
 protected:
  /// As the gateway hands it on.
  std::optional<Payload> read(const Octets& datagram) {
    kept_.push_back(datagram);
    return reader.read(now_, data_packet(*DatagramView::parse(kept_.back())));
  }

  PayloadReader reader{5000};
  Instant now_{seconds(100)};
  std::vector<Octets> kept_;
};

TEST_F(PayloadReaderTest, APacketOfThePortIsAPayload) {
  const std::optional<Payload> payload = read(v4_whole(1, udp(100)));
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->octets.size(), 100U);
  EXPECT_EQ(payload->source, (Endpoint{*IpAddress::parse("192.0.2.1"), 4000}));
  EXPECT_EQ(payload->destination, (Endpoint{*IpAddress::parse("232.1.2.3"), 5000}));
}

TEST_F(PayloadReaderTest, APacketOfAnotherPortIsCounted) {
  Octets other = udp(100);
  other[3] = std::byte{0x89};
  EXPECT_FALSE(read(v4_whole(1, other)));
  EXPECT_EQ(reader.drops().other_port, 1U);
  reader = PayloadReader(std::nullopt);
  EXPECT_TRUE(read(v4_whole(1, udp(100))));
}

TEST_F(PayloadReaderTest, WhatIsNoUdpIsCounted) {
  Octets igmp = v4_whole(1, Octets(8));
  igmp[9] = std::byte{2};
  // The header's checksum is the gateway's business.
  EXPECT_FALSE(read(igmp));
  EXPECT_EQ(reader.drops().not_udp, 1U);
}

// X-3.2-a: ports are in the first fragment alone.
TEST_F(PayloadReaderTest, FragmentsArePutTogetherInAnyOrder) {
  const Octets whole = udp(2000);
  EXPECT_FALSE(read(v4_fragment(7, 1480, false, slice(whole, 1480, whole.size()))));
  const std::optional<Payload> payload = read(v4_fragment(7, 0, true, slice(whole, 0, 1480)));
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->octets.size(), 2000U);
  EXPECT_EQ(payload->destination.port, 5000);
  // Another one of the same read leaves the first where it is.
  const Octets second = udp(1600);
  EXPECT_FALSE(read(v4_fragment(8, 0, true, slice(second, 0, 1480))));
  ASSERT_TRUE(read(v4_fragment(8, 1480, false, slice(second, 1480, second.size()))));
  EXPECT_EQ(payload->octets[1999], std::byte{0x5a});
  reader.release();
}

TEST_F(PayloadReaderTest, TheChecksumOfWhatWasPutTogetherIsVerified) {
  Octets whole = udp(2000);
  whole[1900] ^= std::byte{1};
  EXPECT_FALSE(read(v4_fragment(7, 0, true, slice(whole, 0, 1480))));
  EXPECT_FALSE(read(v4_fragment(7, 1480, false, slice(whole, 1480, whole.size()))));
  EXPECT_EQ(reader.drops().bad_checksum, 1U);
}

TEST_F(PayloadReaderTest, AUdpLengthBeyondTheDatagramIsMalformed) {
  Octets whole = udp(2000);
  whole[4] = std::byte{0xff};
  EXPECT_FALSE(read(v4_fragment(7, 0, true, slice(whole, 0, 1480))));
  EXPECT_FALSE(read(v4_fragment(7, 1480, false, slice(whole, 1480, whole.size()))));
  EXPECT_EQ(reader.drops().malformed, 1U);
}

TEST_F(PayloadReaderTest, FragmentsWhoseRestDoesNotComeAreCounted) {
  const Octets whole = udp(2000);
  EXPECT_FALSE(read(v4_fragment(7, 0, true, slice(whole, 0, 1480))));
  now_ += std::chrono::minutes(5);
  EXPECT_FALSE(read(v4_fragment(8, 0, true, slice(whole, 0, 1480))));
  EXPECT_EQ(reader.drops().reassembly, 1U);
}

}  // namespace
}  // namespace amt::test
