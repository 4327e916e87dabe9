#include "stream/hls_segmenter.hh"

#include <gtest/gtest.h>

#include "stream/codec_name.hh"
#include "stream/test_stream.hh"

namespace amt {
namespace {

using test::Octets;
using test::octets;

constexpr int kMapPid = 0x100;
constexpr int kVideoPid = 0x101;

Instant at(double seconds) {
  return Instant{} + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(100 + seconds));
}

Octets tables() {
  Octets out = test::table_packet(0, 0, test::pat(kMapPid));
  test::append(out, test::table_packet(kMapPid, 0, test::pmt(0x1b, kVideoPid)));
  return out;
}

/// A key frame with a PTS of so many seconds.
Octets key(double seconds) {
  const auto pts = static_cast<std::int64_t>(seconds * 90'000);
  Octets pes = octets({0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21 | static_cast<int>(pts >> 29 & 0x0e),
                       static_cast<int>(pts >> 22 & 0xff), 1 | static_cast<int>(pts >> 14 & 0xfe),
                       static_cast<int>(pts >> 7 & 0xff), 1 | static_cast<int>(pts << 1 & 0xfe)});
  test::append(pes, octets({0, 0, 1, 0x67, 0x64, 0, 0x1f}));
  return test::packet(kVideoPid, 0, true, pes);
}

/// Key frames a second apart, of `first` to `last`.
void play(LiveStream& stream, HlsSegmenter& hls, int first, int last, double jump = 0) {
  for (int second = first; second <= last; ++second) {
    stream.add(at(second), key(second + jump));
    hls.update(stream);
  }
}

TEST(HlsSegmenter, CutsAtKeyFramesTwoSecondsApartAfterThreeShortOnesAndBeginsEachWithTheTables) {
  LiveStream stream(1000 * kTsPacketOctets);
  HlsSegmenter hls;
  stream.add(at(0), tables());
  play(stream, hls, 0, 0);
  EXPECT_TRUE(hls.is_empty());
  play(stream, hls, 1, 8);
  EXPECT_EQ(hls.playlist(""),
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXTINF:1.000,\n0.ts\n#EXTINF:1.000,\n1.ts\n"
            "#EXTINF:1.000,\n2.ts\n#EXTINF:2.000,\n3.ts\n#EXTINF:2.000,\n4.ts\n");
  Octets expected = tables();
  test::append(expected, key(5));
  test::append(expected, key(6));
  ASSERT_NE(hls.find(4), nullptr);
  EXPECT_EQ(*hls.find(4)->octets, expected);
  EXPECT_EQ(hls.find(5), nullptr);
}

TEST(HlsSegmenter, KeepsALiveWindow) {
  LiveStream stream(1000 * kTsPacketOctets);
  HlsSegmenter hls;
  stream.add(at(0), tables());
  play(stream, hls, 0, 60);
  const std::string playlist = hls.playlist("relay=192.0.2.1");
  EXPECT_NE(playlist.find("#EXT-X-MEDIA-SEQUENCE:25\n"), std::string::npos) << playlist;
  EXPECT_NE(playlist.find("\n30.ts?relay=192.0.2.1\n"), std::string::npos) << playlist;
  EXPECT_EQ(playlist.find("\n24.ts"), std::string::npos);
  EXPECT_NE(hls.find(22), nullptr);
  EXPECT_EQ(hls.find(21), nullptr);
}

TEST(HlsSegmenter, SaysWhereTheStreamsTimeJumps) {
  LiveStream stream(1000 * kTsPacketOctets);
  HlsSegmenter hls;
  stream.add(at(0), tables());
  play(stream, hls, 0, 4);
  play(stream, hls, 5, 10, 1000);
  const std::string playlist = hls.playlist("");
  const std::size_t jump = playlist.find("#EXT-X-DISCONTINUITY\n");
  ASSERT_NE(jump, std::string::npos) << playlist;
  EXPECT_EQ(playlist.find("#EXT-X-DISCONTINUITY\n", jump + 1), std::string::npos) << playlist;
  play(stream, hls, 11, 60, 1000);
  EXPECT_NE(hls.playlist("").find("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), std::string::npos) << hls.playlist("");
}

TEST(HlsSegmenter, ASegmentThatTheRingHasNoMoreIsLeftOut) {
  LiveStream stream(10 * kTsPacketOctets);
  HlsSegmenter hls;
  stream.add(at(0), tables());
  play(stream, hls, 0, 0);
  for (int i = 0; i < 20; ++i) stream.add(at(1), test::packet(0x200, i, false, octets({1})));
  play(stream, hls, 2, 2);
  EXPECT_TRUE(hls.is_empty());
  play(stream, hls, 4, 4);
  EXPECT_TRUE(hls.find(0)->is_discontinuous);
}

TEST(HlsIndex, NamesTheCodecsWhereTheyAreKnown) {
  EXPECT_EQ(hls_index("avc1.64001F,mp4a.40.2", 1000, ""),
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS=\"avc1.64001F,mp4a.40.2\"\nlive.m3u8\n");
  EXPECT_EQ(hls_index("", 0, "a"),
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8?a\n");
}

TEST(CodecName, IsThatOfTheParameterSets) {
  EXPECT_EQ(codec_name(StreamKind::kH264, octets({0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 0x4d, 0x40, 0x28, 0xec})),
            "avc1.4D4028");
  EXPECT_EQ(codec_name(StreamKind::kH264, octets({0, 0, 1, 0x67, 0x4d})), "");
  // x265's Main at level 3.1, with emulation prevention inside.
  EXPECT_EQ(codec_name(StreamKind::kHevc, octets({0, 0,    1, 0x42, 0x01, 0x01, 0x01, 0x60, 0, 0,    3,
                                                  0, 0x90, 0, 0,    3,    0,    0,    3,    0, 0x5d, 0xa0})),
            "hvc1.1.6.L93.90");
  EXPECT_EQ(codec_name(StreamKind::kAac, octets({0xff, 0xf1, 0x50, 0x80})), "mp4a.40.2");
  EXPECT_EQ(codec_name(StreamKind::kAac, octets({0xfe, 0xf1, 0x50})), "");
  EXPECT_EQ(codec_name(StreamKind::kMpegVideo, octets({0, 0, 1, 0xb3})), "");
}

}  // namespace
}  // namespace amt
