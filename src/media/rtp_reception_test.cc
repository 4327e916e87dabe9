#include "media/rtp_reception.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/transport_stream.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using testing::ElementsAre;
using testing::IsEmpty;
constexpr std::uint16_t kPort = 5000;

Octets header(std::uint16_t sequence, std::size_t more) {
  Octets out(12 + more);
  ByteWriter writer(out);
  writer.u8(0x80);
  writer.u8(33);
  writer.u16(sequence);
  return out;
}

Octets media(std::uint16_t sequence) {
  Octets out = header(sequence, kTsPacketOctets);
  out[12] = kTsSync;
  out[20] = static_cast<std::byte>(sequence);
  return out;
}

/// Of a row of three.
Octets row(std::uint16_t first) {
  Octets out = header(7, 16 + kTsPacketOctets);
  ByteWriter writer(MutableBytes(out).subspan(12));
  writer.u16(first);
  writer.u16(kTsPacketOctets);  // an odd number of the same
  writer.u32(0x80000000U);
  writer.u32(0);
  writer.u8(0x40);
  writer.u8(1);
  writer.u8(3);
  writer.u8(0);
  for (std::uint16_t i = 0; i < 3; ++i) {
    const Octets one = media(static_cast<std::uint16_t>(first + i));
    for (std::size_t at = 0; at < kTsPacketOctets; ++at) out[12 + 16 + at] ^= one[12 + at];
  }
  return out;
}

class RtpReceptionTest : public testing::Test {
 protected:
  std::vector<int> receive(const Octets& octets, std::uint16_t port = kPort) {
    const RtpReception::Datagram one{port, octets};
    return names(reception_.handle_datagrams(now_, {&one, 1}));
  }
  static std::vector<int> names(std::span<const Bytes> payloads) {
    std::vector<int> out;
    for (const Bytes one : payloads) out.push_back(std::to_integer<int>(one[8]));
    return out;
  }

  Instant now_{std::chrono::seconds(100)};
  RtpReception reception_{RtpUnwrapper::Mode::kTransportStreams, kPort};
};

TEST_F(RtpReceptionTest, ALostPacketComesInItsPlace) {
  EXPECT_THAT(receive(media(0)), ElementsAre(0));
  EXPECT_THAT(receive(row(65'533), kPort + 4), IsEmpty());
  EXPECT_THAT(receive(media(1)), ElementsAre(1));
  EXPECT_THAT(receive(media(3)), IsEmpty());
  EXPECT_THAT(receive(row(1), kPort + 4), ElementsAre(2, 3));
  EXPECT_EQ(reception_.repaired(), 1U);
  EXPECT_EQ(reception_.counts().duplicates, 0U);
}

TEST_F(RtpReceptionTest, OtherPortsAreNotOfTheStream) {
  EXPECT_THAT(receive(media(0)), ElementsAre(0));
  EXPECT_THAT(receive(media(1), kPort + 2), IsEmpty());
  EXPECT_THAT(receive(media(1), kPort + 1), IsEmpty());
  EXPECT_FALSE(reception_.has_repair());
  EXPECT_TRUE(reception_.takes(kPort + 2));
  EXPECT_FALSE(reception_.takes(kPort + 1));
}

TEST_F(RtpReceptionTest, AGapIsWaitedForWhileItMayBeRepaired) {
  EXPECT_THAT(receive(row(0), kPort + 4), IsEmpty());
  EXPECT_THAT(receive(media(0)), ElementsAre(0));
  EXPECT_THAT(receive(media(2)), IsEmpty());
  now_ += RtpUnwrapper::kWindow;
  EXPECT_THAT(names(reception_.handle_timeout(now_)), IsEmpty());
  // Not for packets of two matrices, and a few: nobody sends its repair any more.
  std::vector<int> came;
  for (std::uint16_t sequence = 3; sequence < 80 && came.empty(); ++sequence) came = receive(media(sequence));
  EXPECT_EQ(came.size(), 2U * 3 + 64 + 1);
  EXPECT_EQ(came.front(), 2);
}

TEST_F(RtpReceptionTest, AGapIsWaitedForBrieflyWhereNobodyRepairs) {
  EXPECT_THAT(receive(media(0)), ElementsAre(0));
  EXPECT_THAT(receive(media(2)), IsEmpty());
  now_ += RtpUnwrapper::kWindow;
  EXPECT_THAT(names(reception_.handle_timeout(now_)), ElementsAre(2));
}

}  // namespace
}  // namespace amt
