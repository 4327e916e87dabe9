#include "stream/live_stream.hh"

#include <gtest/gtest.h>

#include "stream/test_stream.hh"

namespace amt {
namespace {

using test::Octets;
using test::octets;

constexpr int kMapPid = 0x100;
constexpr int kVideoPid = 0x101;
constexpr std::size_t kRing = 100 * kTsPacketOctets;

const Octets kH264Key = octets({0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 0x64, 0, 0x1f, 0, 0, 1, 0x65, 0x88});
const Octets kH264Other = octets({0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a});

Instant at(double seconds) {
  return Instant{} + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(100 + seconds));
}

Octets read_all(const LiveStream& stream, std::uint64_t from) {
  Octets out;
  for (const Bytes piece : stream.ring().read(from, kRing)) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

Octets tables(int type = 0x1b) {
  Octets out = test::table_packet(0, 0, test::pat(kMapPid));
  test::append(out, test::table_packet(kMapPid, 0, test::pmt(type, kVideoPid)));
  return out;
}
Octets key(int continuity) { return test::packet(kVideoPid, continuity, true, test::pes(kH264Key)); }
Octets other(int continuity) { return test::packet(kVideoPid, continuity, true, test::pes(kH264Other)); }

TEST(LiveStream, StartsAtTheLastKeyFrameWithThePatAndThePmt) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  stream.add(at(0), other(0));
  EXPECT_EQ(stream.latest_start(), nullptr);
  stream.add(at(0.1), key(1));
  stream.add(at(0.2), other(2));
  const StartPoint* const start = stream.latest_start();
  ASSERT_NE(start, nullptr);
  EXPECT_TRUE(start->is_key_frame);
  EXPECT_EQ(start->presentation_time, 90'000);
  EXPECT_EQ(*start->tables, tables());
  Octets expected = key(1);
  test::append(expected, other(2));
  EXPECT_EQ(read_all(stream, start->position), expected);
}

TEST(LiveStream, GivesANewcomerAHeadStart) {
  LiveStream stream(kRing);
  EXPECT_EQ(stream.start_of_newcomer(at(0)), nullptr);
  stream.add(at(0), tables());
  for (int i = 0; i < 5; ++i) stream.add(at(0.3 * i), key(i));
  const auto begins = [&](double seconds) { return stream.start_of_newcomer(at(seconds))->at; };
  EXPECT_EQ(begins(1.2), at(0.6));
  EXPECT_EQ(begins(1.39), at(0.6));
  EXPECT_EQ(begins(1.4), at(0.9));
  EXPECT_EQ(begins(9), at(1.2)) << "the newest, if all are old";
  // A viewer does not begin before a pause, to see a jump.
  stream.add(at(60), key(5));
  EXPECT_EQ(begins(60), at(60));
  stream.add(at(60.1), key(6));
  EXPECT_EQ(begins(60.2), at(60));
}

TEST(LiveStream, TakesNoHeadStartFromAnotherKindOfStartOrTheOlderHalfOfTheRing) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  stream.add(at(3.1), other(0));
  stream.add(at(3.2), key(1));
  ASSERT_EQ(stream.starts().size(), 2U);
  EXPECT_EQ(stream.start_of_newcomer(at(3.7))->at, at(3.2));
  EXPECT_EQ(stream.start_of_newcomer(at(3.3))->at, at(3.2));
  for (int i = 0; i < 60; ++i) stream.add(at(3.4), other(i));
  stream.add(at(3.5), key(2));
  EXPECT_EQ(stream.start_of_newcomer(at(3.8))->at, at(3.5)) << "the other is in the older half of the ring";
}

TEST(LiveStream, BelievesTheRandomAccessIndicator) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  stream.add(at(0), test::packet(kVideoPid, 0, true, test::pes(octets({0, 0, 1, 0x41})), 0x40));
  ASSERT_NE(stream.latest_start(), nullptr);
  EXPECT_TRUE(stream.latest_start()->is_key_frame);
}

TEST(LiveStream, KnowsTheKeyFramesOfMpeg2AndHevc) {
  for (const auto& [type, unit, is_key] : {std::tuple{0x02, octets({0, 0, 1, 0xb3, 0x2d}), true},
                                           std::tuple{0x02, octets({0, 0, 1, 0x00, 0x0f, 0, 0, 1, 0xb3}), false},
                                           std::tuple{0x24, octets({0, 0, 1, 0x46, 1, 0x50, 0, 0, 1, 0x40, 1}), true},
                                           std::tuple{0x24, octets({0, 0, 1, 0x46, 1, 0x50, 0, 0, 1, 0x02, 1}), false},
                                           std::tuple{0x24, octets({0, 0, 1, 0x26, 1}), true}}) {
    LiveStream stream(kRing);
    stream.add(at(0), tables(type));
    stream.add(at(0), test::packet(kVideoPid, 0, true, test::pes(unit)));
    EXPECT_EQ(stream.latest_start() != nullptr, is_key) << type;
  }
}

TEST(LiveStream, ForgetsStartsThatTheRingHasNoMore) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  stream.add(at(0), key(0));
  for (int i = 1; i < 100; ++i) stream.add(at(0), other(i));
  EXPECT_NE(stream.latest_start(), nullptr);
  stream.add(at(0), other(100));
  EXPECT_EQ(stream.latest_start(), nullptr);
}

TEST(LiveStream, TakesThePmtThatChangedWithoutANewVersion) {
  LiveStream stream(kRing);
  stream.add(at(0), tables(0x02));
  EXPECT_EQ(stream.programs().leading_stream()->kind, StreamKind::kMpegVideo);
  stream.add(at(0), tables(0x1b));
  EXPECT_EQ(stream.programs().leading_stream()->kind, StreamKind::kH264);
}

TEST(LiveStream, KeepsTheTablesWhenOneComesDamaged) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  Octets damaged = test::table_packet(kMapPid, 1, test::pmt(0x02, kVideoPid));
  damaged[10] ^= std::byte{1};
  stream.add(at(0), damaged);
  EXPECT_EQ(stream.programs().bad_tables(), 1U);
  EXPECT_EQ(stream.programs().leading_stream()->kind, StreamKind::kH264);
  stream.add(at(0), key(0));
  EXPECT_EQ(*stream.latest_start()->tables, tables());
}

TEST(LiveStream, ARadioStartsAtAnyUnitOfItsSound) {
  LiveStream stream(kRing);
  stream.add(at(0), tables(0x0f));
  stream.add(at(0), other(0));
  ASSERT_NE(stream.latest_start(), nullptr);
  EXPECT_FALSE(stream.latest_start()->is_key_frame);
  stream.add(at(0.1), other(1));
  EXPECT_EQ(stream.starts().size(), 1U);
  stream.add(at(0.6), other(2));
  EXPECT_EQ(stream.starts().size(), 2U);
}

TEST(LiveStream, VideoWithoutRecognisableKeyFramesStartsAfterAWhile) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  Octets scrambled = key(0);
  scrambled[3] |= std::byte{0x80};
  stream.add(at(0), scrambled);
  stream.add(at(2.9), scrambled);
  EXPECT_EQ(stream.latest_start(), nullptr);
  stream.add(at(3.1), scrambled);
  ASSERT_NE(stream.latest_start(), nullptr);
  EXPECT_FALSE(stream.latest_start()->is_key_frame);
  EXPECT_TRUE(stream.is_scrambled());
}

TEST(LiveStream, WithoutAPmtStartsAfterAWhileWithoutTables) {
  LiveStream stream(kRing);
  stream.add(at(0), other(0));
  stream.add(at(3.1), other(1));
  ASSERT_NE(stream.latest_start(), nullptr);
  EXPECT_TRUE(stream.latest_start()->tables->empty());
}

TEST(LiveStream, NullPacketsAndThoseWithoutPayloadDoNoHarm) {
  LiveStream stream(kRing);
  stream.add(at(0), tables());
  stream.add(at(0), test::packet(0x1fff, 0, false, {}));
  Octets adaptation_only = test::packet(kVideoPid, 0, true, {});
  adaptation_only[3] = std::byte{0x20};
  stream.add(at(0), adaptation_only);
  EXPECT_EQ(stream.latest_start(), nullptr);
  EXPECT_EQ(stream.ring().end(), 4 * kTsPacketOctets);
}

// EN 300 468: the SDT of one service, "Test", of the provider "P".
TEST(LiveStream, KnowsTheServiceByItsName) {
  LiveStream stream(kRing);
  const Octets sdt =
      test::section(octets({0x42, 0,    0,    0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x02, 0xff, 0x00, 0x01,
                            0xfc, 0x80, 0x0a, 0x48, 0x08, 0x01, 0x01, 'P',  0x04, 'T',  'e',  's',  't'}));
  stream.add(at(0), test::table_packet(0x11, 0, sdt));
  EXPECT_EQ(stream.programs().service_name(), "Test");
}

TEST(TsAligner, PutsPacketsTogetherThatDatagramsCut) {
  Octets whole = tables();
  for (int i = 0; i < 20; ++i) test::append(whole, key(i));
  for (const std::size_t cut : {1U, 100U, 187U, 188U, 189U, 700U, 1000U}) {
    Octets got;
    TsAligner aligner([&got](Bytes packets) { got.insert(got.end(), packets.begin(), packets.end()); });
    for (std::size_t from = 0; from < whole.size(); from += cut) {
      aligner.add(Bytes(whole).subspan(from, std::min(cut, whole.size() - from)));
    }
    EXPECT_EQ(got, whole) << cut;
    EXPECT_EQ(aligner.discarded_octets(), 0U);
  }
}

TEST(TsAligner, FindsTheStartAndLeavesOutWhatIsNoPacket) {
  Octets junk(1000, std::byte{0x47});
  for (std::size_t i = 0; i < junk.size(); i += 3) junk[i] = std::byte{0};
  // Else there would be sync octets in a row across its end, too.
  std::fill(junk.end() - 2 * kTsPacketOctets, junk.end(), std::byte{0});
  Octets whole = tables();
  for (int i = 0; i < 20; ++i) test::append(whole, key(i));
  Octets sent = junk;
  test::append(sent, whole);
  Octets got;
  TsAligner aligner([&got](Bytes packets) { got.insert(got.end(), packets.begin(), packets.end()); });
  aligner.add(sent);
  EXPECT_EQ(got, whole);
  EXPECT_EQ(aligner.discarded_octets(), junk.size());
}

TEST(SectionPackets, ASectionOfSeveralPacketsIsWholeWithItsLast) {
  Octets large = octets({0x42, 0, 0, 0, 1, 0xc1, 0, 0});
  large.resize(500, std::byte{7});
  const Octets table = test::section(large);
  SectionPackets packets;
  std::size_t at = 0;
  int count = 0;
  bool is_whole = false;
  Octets sent;
  while (at < table.size()) {
    const std::size_t octets_here = std::min<std::size_t>(at == 0 ? 183 : 184, table.size() - at);
    Octets payload(table.begin() + static_cast<std::ptrdiff_t>(at),
                   table.begin() + static_cast<std::ptrdiff_t>(at + octets_here));
    if (at == 0) payload.insert(payload.begin(), std::byte{0});
    const Octets packet = test::packet(0x11, count, at == 0, payload);
    EXPECT_FALSE(is_whole);
    is_whole = packets.add(packet, TsPacketView::parse(packet));
    test::append(sent, packet);
    at += octets_here;
    ++count;
  }
  EXPECT_TRUE(is_whole);
  EXPECT_EQ(packets.section(), table);
  EXPECT_EQ(packets.packets(), sent);
}

}  // namespace
}  // namespace amt
