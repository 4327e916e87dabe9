#include "media/test_pattern.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "media/crc32c.hh"

namespace amt {
namespace {

std::vector<std::byte> octets(std::size_t count, std::uint8_t value) {
  return std::vector<std::byte>(count, std::byte{value});
}
std::vector<std::byte> packet(std::uint32_t stream, std::uint32_t sequence, std::size_t size = 200) {
  std::vector<std::byte> out(size);
  write_test_packet({.stream = stream, .sequence = sequence, .sent = Instant(Duration(5))}, out);
  return out;
}

TEST(Crc32c, AgreesWithRfc3720) {
  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(octets(32, 0)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(octets(32, 0xff)), 0x62a8ab43U);
  std::vector<std::byte> rising;
  for (std::uint8_t i = 0; i < 32; ++i) rising.push_back(std::byte{i});
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(Bytes(rising).subspan(10), crc32c(Bytes(rising).first(10))), 0x46dd794eU);
}

TEST(TestPattern, FitsAnySizeFromItsHeaderUp) {
  for (const std::size_t size : {kTestPacketHeaderOctets, std::size_t{33}, std::size_t{1316}, std::size_t{65507}}) {
    const auto parsed = parse_test_packet(packet(7, 0xfffffffe, size));
    ASSERT_TRUE(parsed) << size;
    EXPECT_EQ(parsed->stream, 7u);
    EXPECT_EQ(parsed->sequence, 0xfffffffeU);
    EXPECT_EQ(parsed->sent, Instant(Duration(5)));
  }
}

TEST(TestPattern, EveryChangedBitIsSeen) {
  std::vector<std::byte> bytes = packet(7, 9, 40);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(parse_test_packet(bytes)) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  EXPECT_TRUE(parse_test_packet(bytes));
}

TEST(TestPattern, EveryOtherLengthIsSeen) {
  std::vector<std::byte> bytes = packet(7, 9, 40);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_test_packet(Bytes(bytes).first(size)));
  bytes.push_back(std::byte{0});
  EXPECT_EQ(parse_test_packet(bytes).error(), TestPacketError::kBadLength);
}

TEST(TestVerifier, CountsNothingWrongOfAWholeStream) {
  TestVerifier verifier;
  for (std::uint32_t i = 0; i < 1000; ++i) verifier.add(packet(1, 0xffffff00U + i));  // over the wrap
  const TestVerifier::Counts counts = verifier.counts();
  EXPECT_EQ(counts.received, 1000u);
  EXPECT_EQ(counts.bytes, 200'000u);
  EXPECT_EQ(counts.lost + counts.duplicated + counts.reordered + counts.damaged, 0u);
}

TEST(TestVerifier, TellsLostDuplicatedReorderedDamagedAndForeignApart) {
  TestVerifier verifier;
  for (const std::uint32_t i : {10U, 11U, 13U, 12U, 12U, 16U}) verifier.add(packet(1, i));
  std::vector<std::byte> bad = packet(1, 14);
  bad[100] ^= std::byte{1};
  verifier.add(bad);
  verifier.add(Bytes{});
  const TestVerifier::Counts counts = verifier.counts();
  EXPECT_EQ(counts.received, 6u);
  EXPECT_EQ(counts.lost, 2u);  // 14 and 15
  EXPECT_EQ(counts.duplicated, 1u);
  EXPECT_EQ(counts.reordered, 1u);
  EXPECT_EQ(counts.damaged, 1u);
  EXPECT_EQ(counts.foreign, 1u);
}

TEST(TestVerifier, ARestartedSenderIsNoLoss) {
  TestVerifier verifier;
  verifier.add(packet(1, 1'000'000));
  verifier.add(packet(2, 0));
  verifier.add(packet(2, 2));
  EXPECT_EQ(verifier.counts().lost, 1u);
}

TEST(TestVerifier, ManyStreamsTakeNoMoreMemoryAndKeepTheirLosses) {
  TestVerifier verifier;
  for (std::uint32_t stream = 0; stream < 100; ++stream) {
    verifier.add(packet(stream, 0));
    verifier.add(packet(stream, 2));
  }
  EXPECT_EQ(verifier.counts().lost, 100u);
}

TEST(SequenceTracker, APacketBeforeTheFirstOneIsReorderedAndNotLost) {
  SequenceTracker tracker(32);
  EXPECT_EQ(tracker.add(1), SequenceTracker::Verdict::kInOrder);
  EXPECT_EQ(tracker.add(0xffffffff), SequenceTracker::Verdict::kReordered);
  EXPECT_EQ(tracker.lost(), 1u);  // 0
  EXPECT_EQ(tracker.add(0), SequenceTracker::Verdict::kReordered);
  EXPECT_EQ(tracker.lost(), 0u);
  EXPECT_EQ(tracker.add(0), SequenceTracker::Verdict::kDuplicate);
}

TEST(SequenceTracker, ForgetsWhatIsTooFarBack) {
  SequenceTracker tracker(32);
  EXPECT_EQ(tracker.add(5), SequenceTracker::Verdict::kInOrder);
  EXPECT_EQ(tracker.add(5 + 65535), SequenceTracker::Verdict::kInOrder);
  EXPECT_EQ(tracker.add(5), SequenceTracker::Verdict::kDuplicate);
  EXPECT_EQ(tracker.add(5 + 65536), SequenceTracker::Verdict::kInOrder);
  EXPECT_EQ(tracker.add(5), SequenceTracker::Verdict::kTooOld);
  EXPECT_EQ(tracker.add(6), SequenceTracker::Verdict::kReordered);
  EXPECT_EQ(tracker.lost(), 65533u);
}

TEST(SequenceTracker, AgreesWithASetOfAllNumbers) {
  SequenceTracker tracker(16);
  std::vector<std::uint32_t> seen;
  std::uint32_t state = 1;
  std::uint64_t duplicates = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    state = state * 1664525 + 1013904223;
    const std::uint32_t number = 100 + i / 2 + (state >> 24) % 64;  // forwards, with jitter
    const bool fresh = std::find(seen.rbegin(), seen.rbegin() + std::min<std::ptrdiff_t>(512, std::ssize(seen)),
                                 number) == seen.rbegin() + std::min<std::ptrdiff_t>(512, std::ssize(seen));
    if (fresh) seen.push_back(number);
    if (tracker.add(number & 0xffff) == SequenceTracker::Verdict::kDuplicate) {
      ++duplicates;
      EXPECT_FALSE(fresh);
    } else {
      EXPECT_TRUE(fresh);
    }
  }
  const auto [low, high] = std::ranges::minmax(seen);
  EXPECT_EQ(tracker.distinct(), seen.size());
  EXPECT_EQ(tracker.lost(), high - low + 1 - seen.size());
  EXPECT_GT(duplicates, 0u);
}

TEST(TestPattern, ShowsItsHeaderWhateverTheFilling) {
  std::vector<std::byte> payload(200);
  write_test_packet({7, 9, Instant(std::chrono::seconds(11))}, payload);
  payload.back() ^= std::byte{1};
  ASSERT_FALSE(parse_test_packet(payload));
  const std::optional<TestPacket> packet = peek_test_packet(payload);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->stream, 7U);
  EXPECT_EQ(packet->sequence, 9U);
  EXPECT_EQ(packet->sent, Instant(std::chrono::seconds(11)));
  EXPECT_FALSE(peek_test_packet(Bytes(payload).first(kTestPacketHeaderOctets - 1)));
  payload[0] ^= std::byte{1};
  EXPECT_FALSE(peek_test_packet(payload));
}

TEST(SequenceTracker, ForgetsSoonerWithASmallWindow) {
  SequenceTracker tracker(32, 6);
  for (std::uint32_t number = 1; number <= 200; ++number) {
    if (number != 150) tracker.add(number);
  }
  EXPECT_EQ(tracker.lost(), 1U);
  EXPECT_EQ(tracker.add(150), SequenceTracker::Verdict::kReordered);
  EXPECT_EQ(tracker.add(136), SequenceTracker::Verdict::kTooOld);
  EXPECT_EQ(tracker.add(137), SequenceTracker::Verdict::kDuplicate);
  EXPECT_EQ(tracker.lost(), 0U);
}

}  // namespace
}  // namespace amt
