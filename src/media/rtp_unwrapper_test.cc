#include "media/rtp_unwrapper.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "media/transport_stream.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kSource = 0x11223344;

/// A transport packet that carries its name.
Octets media(unsigned name) {
  Octets packet(kTsPacketOctets, std::byte{0xff});
  packet[0] = kTsSync;
  packet[10] = static_cast<std::byte>(name & 0xff);
  return packet;
}

struct Rtp {
  unsigned sequence = 0;
  std::uint32_t source = kSource;
  unsigned csrcs = 0;
  unsigned extension_words = 0;  ///< 0: no extension
  unsigned padding = 0;          ///< 0: no padding
  Octets payload = media(sequence);
};

Octets datagram(const Rtp& rtp) {
  Octets octets(12 + 4 * std::size_t{rtp.csrcs}, std::byte{0});
  octets[0] = static_cast<std::byte>(0x80U | (rtp.padding != 0 ? 0x20U : 0U) | (rtp.extension_words != 0 ? 0x10U : 0U) |
                                     rtp.csrcs);
  octets[1] = std::byte{33};  // MP2T, RFC 3551 §6
  octets[2] = static_cast<std::byte>(rtp.sequence >> 8 & 0xff);
  octets[3] = static_cast<std::byte>(rtp.sequence & 0xff);
  for (unsigned i = 0; i < 4; ++i) octets[8 + i] = static_cast<std::byte>(rtp.source >> (24 - 8 * i) & 0xff);
  if (rtp.extension_words != 0) {
    octets.insert(octets.end(),
                  {std::byte{0xbe}, std::byte{0xde}, std::byte{0}, static_cast<std::byte>(rtp.extension_words)});
    octets.insert(octets.end(), 4 * std::size_t{rtp.extension_words}, std::byte{0xee});
  }
  octets.insert(octets.end(), rtp.payload.begin(), rtp.payload.end());
  if (rtp.padding != 0) {
    octets.insert(octets.end(), rtp.padding - 1, std::byte{0});
    octets.push_back(static_cast<std::byte>(rtp.padding));
  }
  return octets;
}
Octets datagram(unsigned sequence) { return datagram(Rtp{.sequence = sequence & 0xffff}); }

class RtpUnwrapperTest : public testing::Test {
 protected:
  static std::vector<unsigned> names(std::span<const Bytes> payloads) {
    std::vector<unsigned> found;
    for (const Bytes payload : payloads) {
      EXPECT_EQ(payload.size(), kTsPacketOctets);
      found.push_back(std::to_integer<unsigned>(payload[10]));
    }
    return found;
  }
  std::vector<unsigned> put(const Octets& octets) {
    const Bytes one = octets;
    return names(unwrapper_.handle_datagrams(now_, {&one, 1}));
  }
  std::vector<unsigned> put(unsigned sequence) { return put(datagram(sequence)); }
  std::vector<unsigned> wait(Duration span) {
    now_ += span;
    return names(unwrapper_.handle_timeout(now_));
  }

  RtpUnwrapper unwrapper_{RtpUnwrapper::Mode::kTransportStreams};
  Instant now_{std::chrono::hours(1)};
};

TEST_F(RtpUnwrapperTest, TakesOffHeaderContributorsExtensionAndPadding) {
  EXPECT_THAT(put(datagram({.sequence = 7})), ElementsAre(7));
  EXPECT_THAT(put(datagram({.sequence = 8, .csrcs = 3})), ElementsAre(8));
  EXPECT_THAT(put(datagram({.sequence = 9, .extension_words = 2})), ElementsAre(9));
  EXPECT_THAT(put(datagram({.sequence = 10, .padding = 5})), ElementsAre(10));
  EXPECT_THAT(put(datagram({.sequence = 11, .csrcs = 15, .extension_words = 1, .padding = 255})), ElementsAre(11));
}

TEST_F(RtpUnwrapperTest, HasAPacketWaitForItsPredecessor) {
  EXPECT_THAT(put(1), ElementsAre(1));
  EXPECT_THAT(put(4), IsEmpty());
  EXPECT_THAT(put(3), IsEmpty());
  now_ += std::chrono::milliseconds(99);
  EXPECT_THAT(put(2), ElementsAre(2, 3, 4));
  EXPECT_EQ(unwrapper_.next_deadline(), kNoDeadline);
  EXPECT_THAT(put(5), ElementsAre(5));
  EXPECT_EQ(unwrapper_.counts().late, 0u);
}

TEST_F(RtpUnwrapperTest, WaitsNoLongerThanTheWindow) {
  put(1);
  put(4);
  now_ += std::chrono::milliseconds(60);
  EXPECT_THAT(put(3), IsEmpty());
  // Of what waits, 4 has waited longest, though 3 is the next.
  EXPECT_EQ(unwrapper_.next_deadline(), now_ + std::chrono::milliseconds(40));
  EXPECT_THAT(wait(std::chrono::milliseconds(39)), IsEmpty());
  EXPECT_THAT(wait(std::chrono::milliseconds(1)), ElementsAre(3, 4));
  EXPECT_EQ(unwrapper_.next_deadline(), kNoDeadline);
  EXPECT_THAT(put(5), ElementsAre(5));
}

TEST_F(RtpUnwrapperTest, GivesUpSeveralGapsAtOnceAndNoneTooEarly) {
  put(1);
  put(3);
  put(5);
  now_ += std::chrono::milliseconds(50);
  put(7);
  EXPECT_THAT(wait(std::chrono::milliseconds(50)), ElementsAre(3, 5));
  EXPECT_THAT(wait(std::chrono::milliseconds(49)), IsEmpty());
  EXPECT_THAT(wait(std::chrono::milliseconds(1)), ElementsAre(7));
}

TEST_F(RtpUnwrapperTest, LeavesOutWhatComesTooLateOrTwice) {
  put(1);
  put(3);
  EXPECT_THAT(wait(std::chrono::milliseconds(100)), ElementsAre(3));
  EXPECT_THAT(put(2), IsEmpty());
  EXPECT_EQ(unwrapper_.counts().late, 1u);
  EXPECT_THAT(put(3), IsEmpty());
  EXPECT_THAT(put(2), IsEmpty());
  EXPECT_EQ(unwrapper_.counts().duplicates, 2u);
  put(5);
  EXPECT_THAT(put(5), IsEmpty());  // waits already
  EXPECT_EQ(unwrapper_.counts().duplicates, 3u);
  EXPECT_THAT(put(4), ElementsAre(4, 5));
}

TEST_F(RtpUnwrapperTest, GoesOnWhereTheSequenceNumberWraps) {
  EXPECT_THAT(put(65534), ElementsAre(65534 & 0xff));
  EXPECT_THAT(put(1), IsEmpty());
  EXPECT_THAT(put(65535), ElementsAre(255));
  EXPECT_THAT(put(0), ElementsAre(0, 1));
  for (unsigned i = 2; i < 200'000; ++i) ASSERT_THAT(put(i), ElementsAre(i & 0xff)) << i;
}

TEST_F(RtpUnwrapperTest, BeginsAnewWithAnotherSource) {
  put(1);
  EXPECT_THAT(put(3), IsEmpty());
  // What waited is written first.
  EXPECT_THAT(put(datagram({.sequence = 900, .source = 2})), ElementsAre(3, 900 & 0xff));
  EXPECT_THAT(put(datagram({.sequence = 901, .source = 2})), ElementsAre(901 & 0xff));
  EXPECT_EQ(unwrapper_.counts().late, 0u);
}

TEST_F(RtpUnwrapperTest, TakesALargeStepForARestartedSender) {
  EXPECT_THAT(put(5), ElementsAre(5));
  EXPECT_THAT(put(30'000), ElementsAre(30'000 & 0xff));
  EXPECT_THAT(put(30'001), ElementsAre(30'001 & 0xff));
  EXPECT_EQ(unwrapper_.next_deadline(), kNoDeadline);
}

TEST_F(RtpUnwrapperTest, HoldsABoundedNumberOfPackets) {
  put(0);
  std::size_t written = 0;
  // Each second packet is missing, and no time passes.
  for (unsigned i = 2; i < 65'536; i += 2) written += put(i).size();
  EXPECT_EQ(written, 65'534 / 2 - RtpUnwrapper::kHeldMax);
  EXPECT_EQ(unwrapper_.finish().size(), RtpUnwrapper::kHeldMax);
}

TEST_F(RtpUnwrapperTest, TellsEarlierFromLaterHoweverWideTheGapsAre) {
  put(0);
  std::vector<unsigned> written;
  for (unsigned i = 1; i <= 60; ++i) {
    for (const unsigned name : put(i * 3000)) written.push_back(name);
  }
  for (const Bytes payload : unwrapper_.finish()) written.push_back(std::to_integer<unsigned>(payload[10]));
  ASSERT_EQ(written.size(), 60u);
  for (unsigned i = 1; i <= 60; ++i) EXPECT_EQ(written[i - 1], i * 3000 & 0xff);
}

TEST_F(RtpUnwrapperTest, LetsOtherPayloadsThroughAsTheyAre) {
  const Octets audio = datagram({.sequence = 1, .payload = Octets(160, std::byte{1})});
  const Octets text(100, std::byte{'a'});
  const std::vector<Bytes> batch{audio, text};
  const std::span<const Bytes> written = unwrapper_.handle_datagrams(now_, batch);
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].size(), audio.size());
  EXPECT_EQ(written[1].size(), text.size());
}

TEST_F(RtpUnwrapperTest, LeavesOutWhatWouldDisturbARunningTransportStream) {
  put(1);
  EXPECT_THAT(put(datagram({.sequence = 2, .payload = Octets(160, std::byte{1})})), IsEmpty());
  Octets rtcp = datagram(3);
  rtcp[1] = std::byte{200};  // a sender report, RFC 3550 §6.4.1
  EXPECT_THAT(put(rtcp), IsEmpty());
  EXPECT_THAT(put(3), ElementsAre(3));  // the repair packet's number was no gap
  EXPECT_EQ(unwrapper_.counts().other, 2u);
  EXPECT_THAT(put(media(77)), ElementsAre(77));  // the sender left RTP
}

TEST_F(RtpUnwrapperTest, TakesOffAllHeadersWhereThatIsAsked) {
  RtpUnwrapper all(RtpUnwrapper::Mode::kAll);
  const Octets audio = datagram({.sequence = 1, .payload = Octets(160, std::byte{1})});
  const Octets text(100, std::byte{'a'});
  const std::vector<Bytes> batch{audio, text};
  const std::span<const Bytes> written = all.handle_datagrams(now_, batch);
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].size(), 160u);
  EXPECT_EQ(written[1].size(), text.size());
}

TEST_F(RtpUnwrapperTest, PutsABatchInOrder) {
  const std::vector<Octets> octets{datagram(10), datagram(12), datagram(11), datagram(14), datagram(13)};
  const std::vector<Bytes> batch(octets.begin(), octets.end());
  EXPECT_THAT(names(unwrapper_.handle_datagrams(now_, batch)), ElementsAre(10, 11, 12, 13, 14));
}

}  // namespace
}  // namespace amt
