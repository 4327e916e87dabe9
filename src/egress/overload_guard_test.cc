#include "egress/overload_guard.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "ip/datagram.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress group(unsigned number) { return IpAddress::from_v4(0xe8010100 + number); }

/// Datagrams of channels 1, 2, ..., each with its number in the identification field.
class Captured {
 public:
  void add(unsigned channel, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::byte>& octets = octets_.emplace_back(kCaptureHeadroomOctets + kIpv4HeaderOctets);
      const MutableBytes bytes = MutableBytes(octets).subspan(kCaptureHeadroomOctets);
      ByteWriter out(bytes);
      write_header(out,
                   {.source = IpAddress::from_v4(0x0a010001),
                    .destination = group(channel),
                    .protocol = kProtocolUdp,
                    .hop_limit = 9,
                    .identification = static_cast<std::uint16_t>(i)},
                   0);
      batch.push_back({bytes});
    }
  }
  [[nodiscard]] std::map<unsigned, std::size_t> count() const {
    std::map<unsigned, std::size_t> out;
    for (const CapturedDatagram& one : batch) {
      ++out[std::to_integer<unsigned>(DatagramView::parse(one.bytes)->destination.bytes()[3])];
    }
    return out;
  }
  std::vector<CapturedDatagram> batch;

 private:
  std::deque<std::vector<std::byte>> octets_;
};

std::size_t ten_each(const IpAddress&, const IpAddress&) { return 10; }

constexpr auto kNone = OverloadGuard::Waiting::kNone;
constexpr auto kFew = OverloadGuard::Waiting::kFew;
constexpr auto kMany = OverloadGuard::Waiting::kMany;

/// How many datagrams the turn might have taken.
std::size_t turn(OverloadGuard& guard, Instant& now, Duration took, std::size_t datagrams, std::uint64_t copies,
                 OverloadGuard::Waiting waiting = kMany) {
  const std::size_t datagrams_max = guard.begin_turn(now);
  now += took;
  guard.end_turn(now, datagrams, copies, waiting);
  return datagrams_max;
}

/// 100 000 copies a second: 1000 a turn.
void overload(OverloadGuard& guard, Instant& now) {
  for (int i = 0; i < 5; ++i) turn(guard, now, milliseconds(30), 300, 3000);
}

class OverloadGuardTest : public ::testing::Test {
 protected:
  OverloadGuard guard;
  Instant now = Instant() + std::chrono::hours(1);
  Captured captured;
};

TEST_F(OverloadGuardTest, LeavesEverythingAloneUntilThereIsOverload) {
  captured.add(1, 5000);
  EXPECT_EQ(guard.shed(captured.batch, ten_each), 0U);
  EXPECT_EQ(captured.batch.size(), 5000U);
}

TEST_F(OverloadGuardTest, TakesABurstForABurst) {
  // 64 datagrams to 1000 gateways take 64 ms; and one that takes two turns.
  for (int burst = 0; burst < 50; ++burst) turn(guard, now, milliseconds(64), 64, 64'000, kNone);
  EXPECT_FALSE(guard.is_overloaded());
  turn(guard, now, milliseconds(64), 64, 64'000);
  turn(guard, now, milliseconds(64), 64, 64'000, kNone);
  EXPECT_FALSE(guard.is_overloaded());
  // On a slow core, and arriving in pieces.
  for (int part = 0; part < 8; ++part) turn(guard, now, milliseconds(50), 8, 8000, kFew);
  EXPECT_FALSE(guard.is_overloaded());
  for (int part = 0; part < 4; ++part) turn(guard, now, milliseconds(50), 8, 8000, kFew);
  EXPECT_TRUE(guard.is_overloaded()) << "it does not end";
  turn(guard, now, milliseconds(1), 1, 1000, kNone);
  // Something waits as often as not where much comes; that is none either.
  for (int part = 0; part < 50; ++part) turn(guard, now, milliseconds(10), 10, 10'000);
  EXPECT_FALSE(guard.is_overloaded());
}

TEST_F(OverloadGuardTest, KnowsOverloadByLongTurnsOrByFullOnes) {
  overload(guard, now);
  EXPECT_TRUE(guard.is_overloaded());
  OverloadGuard other;
  for (int i = 0; i < 60; ++i) turn(other, now, milliseconds(2), 1024, 1024);
  EXPECT_TRUE(other.is_overloaded());
  EXPECT_GT(other.begin_turn(now), OverloadGuard().begin_turn(now));
}

TEST_F(OverloadGuardTest, EndsWhenNothingWaits) {
  overload(guard, now);
  turn(guard, now, milliseconds(10), 1, 1000, kNone);
  EXPECT_FALSE(guard.is_overloaded());
  EXPECT_LE(guard.begin_turn(now), 1024U);
}

TEST_F(OverloadGuardTest, TakesFewerAtOnceThatHaveManyCopiesEach) {
  EXPECT_EQ(turn(guard, now, milliseconds(40), 100, 40'000), 1024U);
  // 50 ms are 50 000 copies.
  EXPECT_EQ(turn(guard, now, milliseconds(40), 100, 40'000), 125U);
  for (int i = 0; i < 50; ++i) turn(guard, now, milliseconds(10), 1, 10'000);
  EXPECT_EQ(guard.begin_turn(now), 64U);
}

TEST_F(OverloadGuardTest, TakesFromTheLargeAndNotFromTheSmall) {
  overload(guard, now);
  captured.add(1, 5000);
  captured.add(2, 1);
  captured.add(3, 20);
  const std::size_t dropped = guard.shed(captured.batch, ten_each);
  // Of 1000 copies 210 are the small ones', the rest is the large one's.
  EXPECT_EQ(captured.count(), (std::map<unsigned, std::size_t>{{1, 79}, {2, 1}, {3, 20}}));
  EXPECT_EQ(dropped, 5000U - 79);
}

TEST_F(OverloadGuardTest, SharesEquallyByCopiesBetweenTheLarge) {
  overload(guard, now);
  captured.add(1, 3000);
  captured.add(2, 1000);
  guard.shed(captured.batch,
             [](const IpAddress&, const IpAddress& to) { return to == group(1) ? std::size_t{5} : std::size_t{50}; });
  EXPECT_EQ(captured.count(), (std::map<unsigned, std::size_t>{{1, 100}, {2, 10}}));
}

TEST_F(OverloadGuardTest, KeepsOneOfEachChannelHoweverManyGatewaysItHas) {
  overload(guard, now);
  for (unsigned channel = 1; channel <= 4; ++channel) captured.add(channel, 9);
  guard.shed(captured.batch, [](const IpAddress&, const IpAddress&) { return std::size_t{100'000}; });
  EXPECT_EQ(captured.count(), (std::map<unsigned, std::size_t>{{1, 1}, {2, 1}, {3, 1}, {4, 1}}));
}

TEST_F(OverloadGuardTest, KeepsTheOrderAndWhatNobodyWantsCostsNothing) {
  overload(guard, now);
  captured.add(1, 200);
  captured.add(2, 300);
  guard.shed(captured.batch,
             [](const IpAddress&, const IpAddress& to) { return to == group(1) ? std::size_t{10} : std::size_t{0}; });
  EXPECT_EQ(captured.count(), (std::map<unsigned, std::size_t>{{1, 100}, {2, 300}}));
  unsigned next = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(DatagramView::parse(captured.batch[i].bytes)->identification, next++);
  }
}

TEST_F(OverloadGuardTest, EndsWhenAllThatComesCanBeSent) {
  overload(guard, now);
  captured.add(1, 100);
  EXPECT_EQ(guard.shed(captured.batch, ten_each), 0U);
  EXPECT_FALSE(guard.is_overloaded());
  turn(guard, now, milliseconds(30), 300, 3000);
  EXPECT_FALSE(guard.is_overloaded()) << "it begins anew";
}

}  // namespace
}  // namespace amt
