#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "stream/codec_name.hh"
#include "stream/live_stream.hh"
#include "stream/test_stream.hh"

namespace amt {
namespace {

using test::Octets;
using test::octets;

constexpr int kMapPid = 0x100;
constexpr int kStreamPid = 0x101;

Octets registration(std::string_view name) {
  Octets out = octets({0x05, 4});
  for (const char c : name) out.push_back(static_cast<std::byte>(c));
  return out;
}
/// A descriptor without content.
Octets tagged(int tag) { return octets({tag, 0}); }

/// What a program map says of its only stream (ISO/IEC 13818-1 §2.4.4.8).
ProgramMap map_with(int stream_type, const Octets& descriptors) {
  Octets content =
      octets({0x02, 0, 0, 0x00, 0x01, 0xc1, 0x00, 0x00, 0xe0 | kStreamPid >> 8, kStreamPid & 0xff, 0xf0, 0x00,
              stream_type, 0xe0 | kStreamPid >> 8, kStreamPid & 0xff, 0xf0, static_cast<int>(descriptors.size())});
  test::append(content, descriptors);
  LiveStream stream(100 * kTsPacketOctets);
  stream.add(Instant{}, test::table_packet(0, 0, test::pat(kMapPid)));
  stream.add(Instant{}, test::table_packet(kMapPid, 0, test::section(content)));
  return stream.programs();
}
std::optional<StreamKind> kind_of(int stream_type, const Octets& descriptors = {}) {
  const ProgramMap map = map_with(stream_type, descriptors);
  if (map.programs().empty() || map.programs().front().streams.empty()) return std::nullopt;
  return map.programs().front().streams.front().kind;
}

TEST(StreamKind, IsWhatItsTypeSays) {
  using Kind = StreamKind;
  for (const auto& [type, kind] : {std::pair{0x01, Kind::kMpegVideo},
                                   {0x02, Kind::kMpegVideo},
                                   {0x03, Kind::kMpegAudio},
                                   {0x04, Kind::kMpegAudio},
                                   {0x0f, Kind::kAac},
                                   {0x11, Kind::kOtherAudio},
                                   {0x1b, Kind::kH264},
                                   {0x24, Kind::kHevc},
                                   {0x10, Kind::kOtherVideo},
                                   {0x42, Kind::kOtherVideo},
                                   {0x81, Kind::kAc3},
                                   {0x87, Kind::kEac3},
                                   {0x06, Kind::kOther},
                                   {0x05, Kind::kOther}}) {
    EXPECT_EQ(kind_of(type), kind) << type;
  }
}

// EN 300 468 §6.1: private data whose descriptors say what it is.
TEST(StreamKind, OfPrivateDataIsWhatItsDescriptorsSay) {
  using Kind = StreamKind;
  for (const auto& [descriptor, kind] : {std::pair{tagged(0x6a), Kind::kAc3},
                                         {registration("AC-3"), Kind::kAc3},
                                         {tagged(0x7a), Kind::kEac3},
                                         {registration("EAC3"), Kind::kEac3},
                                         {tagged(0x7c), Kind::kAac},
                                         {tagged(0x7b), Kind::kOtherAudio},
                                         {registration("Opus"), Kind::kOtherAudio},
                                         {registration("BSSD"), Kind::kOtherAudio},
                                         {registration("HEVC"), Kind::kHevc},
                                         {registration("VC-1"), Kind::kOtherVideo},
                                         {registration("AV01"), Kind::kOtherVideo},
                                         {registration("KLVA"), Kind::kOther}}) {
    EXPECT_EQ(kind_of(0x06, descriptor), kind) << static_cast<int>(kind);
  }
}

TEST(StreamKind, LeadsWhereItIsVideoAndElseWhereItIsSound) {
  EXPECT_EQ(map_with(0x1b, {}).leading_stream()->pid, kStreamPid);
  EXPECT_FALSE(map_with(0x1b, {}).first_audio());
  EXPECT_EQ(map_with(0x0f, {}).leading_stream()->pid, kStreamPid);
  EXPECT_EQ(map_with(0x0f, {}).first_audio()->pid, kStreamPid);
  EXPECT_FALSE(map_with(0x05, {}).leading_stream());
}

TEST(StreamKind, HasANameForPeople) {
  using Kind = StreamKind;
  for (const auto& [kind, name] : {std::pair{Kind::kMpegVideo, "MPEG-2 video"},
                                   {Kind::kH264, "H.264"},
                                   {Kind::kHevc, "HEVC"},
                                   {Kind::kOtherVideo, "video"},
                                   {Kind::kMpegAudio, "MPEG audio"},
                                   {Kind::kAac, "AAC"},
                                   {Kind::kAc3, "AC-3"},
                                   {Kind::kEac3, "E-AC-3"},
                                   {Kind::kOtherAudio, "audio"},
                                   {Kind::kOther, "data"}}) {
    EXPECT_EQ(name_of(kind), name);
  }
}

// RFC 6381: names that a browser asks for.
TEST(CodecName, OfSoundIsKnownFromItsKind) {
  EXPECT_EQ(codec_name(StreamKind::kMpegAudio, {}), "mp4a.40.34");
  EXPECT_EQ(codec_name(StreamKind::kAc3, {}), "ac-3");
  EXPECT_EQ(codec_name(StreamKind::kEac3, {}), "ec-3");
  EXPECT_EQ(codec_name(StreamKind::kOtherAudio, {}), "");
  EXPECT_EQ(codec_name(StreamKind::kMpegVideo, {}), "");
}

TEST(CodecName, NeedsTheParametersInTheStream) {
  EXPECT_EQ(codec_name(StreamKind::kH264, octets({0, 0, 1, 0x67, 0x64, 0, 0x1f, 0x80})), "avc1.64001F");
  EXPECT_EQ(codec_name(StreamKind::kH264, octets({0, 0, 1, 0x41, 0x9a, 0x80, 0x80})), "");
  EXPECT_EQ(codec_name(StreamKind::kHevc, octets({0, 0, 1, 0x42, 1, 1, 1, 0x60})), "");
  EXPECT_EQ(codec_name(StreamKind::kHevc, octets({0, 0, 1, 0x26, 1, 1, 1, 0x60})), "");
  EXPECT_EQ(codec_name(StreamKind::kAac, octets({0xff, 0xf1, 0x50})), "mp4a.40.2");
  EXPECT_EQ(codec_name(StreamKind::kAac, octets({0x12, 0x34, 0x50})), "");
}

}  // namespace
}  // namespace amt
