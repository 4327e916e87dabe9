#include "demo/frames.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

/// As ffmpeg 5.1 writes it.
constexpr std::string_view kTwoStreams =
    "#format: frame checksums\n"
    "#version: 2\n"
    "#hash: MD5\n"
    "#tb 0: 1/25\n"
    "#media_type 0: video\n"
    "#codec_id 0: rawvideo\n"
    "#tb 1: 1/48000\n"
    "#media_type 1: audio\n"
    "#stream#, dts,        pts, duration,     size, hash\n"
    "0,          0,          0,        1,   345600, c4daffd4dea88869cfeb24053b0466ae\n"
    "1,          0,          0,     1024,     2048, 083de67adfaa9df7e6ec2f3bd4fe8742\n"
    "0,          1,          1,        1,   345600, fd18a5ea7ee1e25c20851d514ccd664b\n";

TEST(Frames, AreReadByStream) {
  const std::vector<StreamFrames> streams = parse_frame_hashes(kTwoStreams);
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].media, "video");
  EXPECT_EQ(streams[0].hashes,
            (std::vector<std::string>{"c4daffd4dea88869cfeb24053b0466ae", "fd18a5ea7ee1e25c20851d514ccd664b"}));
  EXPECT_EQ(streams[1].media, "audio");
  EXPECT_EQ(streams[1].hashes.size(), 1U);
}

TEST(Frames, OfAStrangeFileAreNone) {
  EXPECT_TRUE(parse_frame_hashes("").empty());
  EXPECT_TRUE(
      parse_frame_hashes("no frames\n#media_type x: video\n#media_type 99: video\n99, 0, 0, abc\n,,\n").empty());
}

FrameComparison compare(std::vector<std::string> sent, std::vector<std::string> received) {
  return compare_frames({"video", std::move(sent)}, {"video", std::move(received)});
}

TEST(Frames, ThatAllArrivedAreAllEqual) {
  const FrameComparison same = compare({"a", "b", "c"}, {"a", "b", "c"});
  EXPECT_TRUE(same.all_equal());
  EXPECT_EQ(same.equal, 3U);
}

TEST(Frames, ThatWereLostAreCounted) {
  for (const auto& received : {std::vector<std::string>{"b", "c", "d"}, {"a", "c", "d"}, {"a", "b", "c"}}) {
    const FrameComparison comparison = compare({"a", "b", "c", "d"}, received);
    EXPECT_EQ(comparison.equal, 3U);
    EXPECT_EQ(comparison.missing(), 1U);
    EXPECT_EQ(comparison.altered(), 0U);
    EXPECT_FALSE(comparison.all_equal());
  }
}

TEST(Frames, ThatWereAlteredAreCounted) {
  const FrameComparison comparison = compare({"a", "b", "c", "d", "e"}, {"a", "x", "c", "y", "z", "e"});
  EXPECT_EQ(comparison.equal, 3U);
  EXPECT_EQ(comparison.missing(), 2U);
  EXPECT_EQ(comparison.altered(), 3U);
}

TEST(Frames, InTheWrongOrderAreNotEqual) { EXPECT_EQ(compare({"a", "b", "c"}, {"a", "c", "b"}).equal, 2U); }

TEST(Frames, RepeatedOnesAreCountedOnce) {
  EXPECT_EQ(compare({"s", "s", "s"}, {"s", "s"}).equal, 2U);
  EXPECT_EQ(compare({"s", "s"}, {"s", "s", "s"}).altered(), 1U);
}

TEST(Frames, NothingSentIsNotSuccess) { EXPECT_FALSE(compare({}, {}).all_equal()); }

}  // namespace
}  // namespace amt
