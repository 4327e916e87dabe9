#include "media/rtp_repair.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "media/transport_stream.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using testing::IsEmpty;

constexpr std::uint32_t kSource = 0x11223344;

Octets rtp(std::uint16_t sequence, const Octets& payload, std::uint32_t source = kSource, std::uint8_t flags = 0) {
  Octets out(12);
  ByteWriter writer(out);
  writer.u8(0x80 | flags);
  writer.u8(33);
  writer.u16(sequence);
  writer.u32(sequence * 100U);
  writer.u32(source);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

/// Of another length and content for each number.
Octets media_payload(std::uint16_t sequence) {
  Octets out(20U * (1U + sequence % 7U));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(sequence * 31U + i * 7U);
  return out;
}

/// By SMPTE ST 2022-1 §8.
Octets repair(std::uint16_t first, std::uint8_t offset, std::uint8_t count) {
  Octets sum;
  std::uint16_t length = 0;
  for (unsigned i = 0; i < count; ++i) {
    const Octets payload = media_payload(static_cast<std::uint16_t>(first + i * offset));
    sum.resize(std::max(sum.size(), payload.size()));
    for (std::size_t k = 0; k < payload.size(); ++k) sum[k] ^= payload[k];
    length = static_cast<std::uint16_t>(length ^ payload.size());
  }
  Octets header(16);
  ByteWriter writer(header);
  writer.u16(first);
  writer.u16(length);
  writer.u32(0x80000000U);
  writer.u32(0);
  writer.u8(offset == 1 ? 0x40 : 0x00);
  writer.u8(offset);
  writer.u8(count);
  writer.u8(0);
  header.insert(header.end(), sum.begin(), sum.end());
  return rtp(first, header, kSource + 1);
}

/// The numbers that were made since the last call; each packet must be what was lost.
std::vector<std::uint16_t> take(RtpRepair& fec) {
  std::vector<std::uint16_t> numbers;
  for (const Octets& packet : fec.take_made()) {
    const std::uint16_t sequence = ByteReader(Bytes(packet).subspan(2)).u16();
    EXPECT_EQ(Octets(packet.begin() + 12, packet.end()), media_payload(sequence)) << sequence;
    numbers.push_back(sequence);
  }
  return numbers;
}

/// Plays a matrix of 5 columns and 4 rows that begins with `base`, without `lost`; which packets were made.
std::set<int> made_of(std::uint16_t base, const std::set<int>& lost, bool rows = true) {
  RtpRepair fec;
  fec.add_media(rtp(static_cast<std::uint16_t>(base - 1), {}));
  std::set<int> made;
  const auto collect = [&] {
    for (const std::uint16_t one : take(fec)) made.insert(static_cast<std::uint16_t>(one - base));
  };
  for (int i = 0; i <= 20; ++i) {  // the first of the next matrix, too: what is before it is lost
    const auto sequence = static_cast<std::uint16_t>(base + i);
    if (!lost.contains(i)) fec.add_media(rtp(sequence, media_payload(sequence)));
    if (rows && i % 5 == 4) fec.add_repair(repair(static_cast<std::uint16_t>(sequence - 4), 1, 5));
    collect();
  }
  for (int column = 0; column < 5; ++column) {
    fec.add_repair(repair(static_cast<std::uint16_t>(base + column), 5, 4));
    collect();
  }
  return made;
}

TEST(RtpRepair, MakesWhatRowsAndColumnsCanMake) {
  EXPECT_THAT(made_of(100, {}), IsEmpty());
  EXPECT_EQ(made_of(100, {7}), std::set<int>({7}));
  EXPECT_EQ(made_of(100, {7}, false), std::set<int>({7}));
  EXPECT_EQ(made_of(100, {5, 6, 7, 8, 9}), std::set<int>({5, 6, 7, 8, 9}));  // a burst as long as a row
  // Two in a row and two in a column: one after the other.
  EXPECT_EQ(made_of(100, {6, 7, 11}), std::set<int>({6, 7, 11}));
  // The corners of a rectangle.
  EXPECT_THAT(made_of(100, {6, 7, 11, 12}), IsEmpty());
}

TEST(RtpRepair, TheNumbersWrap) { EXPECT_EQ(made_of(65'530, {4, 5, 6, 7}), std::set<int>({4, 5, 6, 7})); }

TEST(RtpRepair, WhatCameBeforeTheFirstPacketIsNotMade) {
  RtpRepair fec;
  for (std::uint16_t sequence = 11; sequence <= 14; ++sequence) fec.add_media(rtp(sequence, media_payload(sequence)));
  fec.add_repair(repair(10, 1, 5));
  EXPECT_THAT(take(fec), IsEmpty());
}

TEST(RtpRepair, WhatIsStillToComeIsNotMade) {
  RtpRepair fec;
  for (std::uint16_t sequence = 10; sequence <= 13; ++sequence) fec.add_media(rtp(sequence, media_payload(sequence)));
  fec.add_repair(repair(10, 1, 5));
  EXPECT_THAT(take(fec), IsEmpty());
  fec.add_media(rtp(15, media_payload(15)));
  fec.add_repair(repair(11, 4, 2));
  EXPECT_THAT(take(fec), testing::ElementsAre(14));
}

TEST(RtpRepair, ALostPacketWithAnExtensionHasItAgain) {
  RtpRepair fec;
  const Octets plain = media_payload(1);
  Octets extended{std::byte{0xbe}, std::byte{0xde}, std::byte{0}, std::byte{0}};
  extended.resize(20, std::byte{7});
  fec.add_media(rtp(1, plain));
  fec.add_media(rtp(3, plain));
  // All of 1, 2 and 3 combined: what 2 has, and the header's X.
  Octets header(16);
  ByteWriter writer(header);
  writer.u16(1);
  writer.u16(static_cast<std::uint16_t>(extended.size()));
  writer.u32(0x80000000U);
  writer.u32(0);
  writer.u8(0x40);
  writer.u8(1);
  writer.u8(3);
  writer.u8(0);
  header.insert(header.end(), extended.begin(), extended.end());
  header.resize(16 + plain.size());
  fec.add_repair(rtp(9, header, kSource + 1, 0x10));
  const std::span<const Octets> made = fec.take_made();
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0][0], std::byte{0x90});
  EXPECT_EQ(Octets(made[0].begin() + 12, made[0].end()), extended);
}

TEST(RtpRepair, ASourceThatBeginsAnewForgetsTheOld) {
  for (const bool is_other_source : {true, false}) {
    RtpRepair fec;
    const std::uint16_t first = is_other_source ? 1 : 30'001;
    fec.add_media(rtp(1, media_payload(1)));
    fec.add_media(rtp(3, media_payload(3)));
    fec.add_media(rtp(first, media_payload(first), is_other_source ? kSource + 5 : kSource));
    fec.add_repair(repair(1, 1, 3));
    EXPECT_THAT(take(fec), IsEmpty());
  }
}

TEST(RtpRepair, WhatIsNoRepairPacketDoesNothing) {
  RtpRepair fec;
  fec.add_media(rtp(1, media_payload(1)));
  fec.add_repair(Octets(3));
  fec.add_repair(rtp(1, Octets(15)));
  fec.add_repair(rtp(1, Octets(16)));  // a matrix of nothing
  fec.add_repair(repair(1, 20, 20));   // more packets than are kept
  Octets media(7 * kTsPacketOctets, std::byte{1});
  for (std::size_t at = 0; at < media.size(); at += kTsPacketOctets) media[at] = kTsSync;
  fec.add_repair(rtp(1, media));  // of another channel
  EXPECT_EQ(fec.matrix(), 0U);
  EXPECT_THAT(take(fec), IsEmpty());
}

/// 1 % of all datagrams is lost, those of the repair too.
TEST(RtpRepair, OfOnePercentLessThanOneInAHundredThousandIsLeft) {
  constexpr unsigned kSide = 10;
  constexpr unsigned kMatrix = kSide * kSide;
  constexpr unsigned kMatrices = 6'000;
  std::mt19937 generator(1);
  const auto is_lost = [&] { return generator() % 100 == 0; };
  RtpRepair fec;
  std::uint64_t lost = 0;
  std::uint64_t made = 0;
  for (unsigned number = 0; number < kMatrices * kMatrix; ++number) {
    const auto sequence = static_cast<std::uint16_t>(number);
    const bool is_gone = number > 0 && number < (kMatrices - 2) * kMatrix && is_lost();
    lost += is_gone ? 1 : 0;
    if (!is_gone) fec.add_media(rtp(sequence, media_payload(sequence)));
    if (number % kSide == kSide - 1 && !is_lost()) {
      fec.add_repair(repair(static_cast<std::uint16_t>(sequence - (kSide - 1)), 1, kSide));
    }
    // The columns of a matrix come during the next.
    if (number >= kMatrix && number % kSide == 0 && !is_lost()) {
      const unsigned column = number % kMatrix / kSide;
      const unsigned first = number / kMatrix * kMatrix - kMatrix + column;
      fec.add_repair(repair(static_cast<std::uint16_t>(first), kSide, kSide));
    }
    made += take(fec).size();
  }
  EXPECT_GT(lost, kMatrices * kMatrix / 110);
  EXPECT_LE(made, lost);
  EXPECT_LT(static_cast<double>(lost - made) / (kMatrices * kMatrix), 1e-5) << lost - made << " of " << lost;
}

}  // namespace
}  // namespace amt
