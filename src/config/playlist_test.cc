#include "config/playlist.hh"

#include <gtest/gtest.h>

#include "config/channel_path.hh"

namespace amt {
namespace {

std::string shown(std::string_view path, std::string_view query = "") {
  const ValueResult<ChannelPath> parsed = parse_channel_path(path, query);
  if (!parsed) return "! " + parsed.error().problem;
  return channel_path(parsed->url.channel, *parsed->url.port) + (parsed->file.empty() ? "" : " " + parsed->file) +
         (parsed->url.relay ? " by " + parsed->url.relay->to_string() : "");
}

TEST(ChannelPath, TakesAddressesOfBothFamiliesEncodedOrNot) {
  EXPECT_EQ(shown("198.51.100.10@232.1.1.1:5001"), "198.51.100.10@232.1.1.1:5001");
  EXPECT_EQ(shown("239.1.1.1:5001"), "239.1.1.1:5001");
  EXPECT_EQ(shown("@239.1.1.1:5001"), "239.1.1.1:5001");
  EXPECT_EQ(shown("[2001:db8::1]@[ff3e::8000:1]:5001"), "[2001:db8::1]@[ff3e::8000:1]:5001");
  EXPECT_EQ(shown("%5B2001:db8::1%5D@%5bff3e::8000:1%5d:5001"), "[2001:db8::1]@[ff3e::8000:1]:5001");
  EXPECT_EQ(shown("%5B2001%3Adb8%3A%3A1%5D%40%5Bff3e%3A%3A8000%3A1%5D%3A5001"), "[2001:db8::1]@[ff3e::8000:1]:5001");
  EXPECT_EQ(shown("198.51.100.10%40232.1.1.1%3A5001"), "198.51.100.10@232.1.1.1:5001");
  EXPECT_EQ(shown("198.51.100.10@232.1.1.1:5001/index.m3u8"), "198.51.100.10@232.1.1.1:5001 index.m3u8");
}

TEST(ChannelPath, TakesARelayAndIgnoresOtherParameters) {
  EXPECT_EQ(shown("239.1.1.1:1", "relay=192.0.2.1"), "239.1.1.1:1 by 192.0.2.1:0");
  EXPECT_EQ(shown("239.1.1.1:1", "a=b&relay=%5B2001:db8::1%5D:99&c"), "239.1.1.1:1 by [2001:db8::1]:99");
  EXPECT_EQ(shown("239.1.1.1:1", "fcc=1"), "239.1.1.1:1");
  EXPECT_TRUE(shown("239.1.1.1:1", "relay=name.example").starts_with("! relay=:"));
  EXPECT_TRUE(shown("239.1.1.1:1", "relay=%").starts_with("! relay=:"));
}

TEST(ChannelPath, SaysWhatIsWrong) {
  EXPECT_EQ(shown("239.1.1.1"), "! the UDP port is missing: GROUP:PORT, or [V6GROUP]:PORT");
  EXPECT_TRUE(shown("232.1.1.1:5").find("the URL must name the source") != std::string::npos);
  for (const char* const path : {"", "x", "%", "%4", "%zz", "239.1.1.1:0", "239.1.1.1:65536", "10.0.0.1:5",
                                 "224.0.0.1:5", "..%2f..%2fetc", "239.1.1.1:5%00", "239.1.1.1:5%0d%0a",
                                 "1.2.3.4@[ff3e::1]:5", "amt%3a%2f%2f239.1.1.1:5", "239.1.1.1:5%3frelay=1.2.3.4"}) {
    EXPECT_TRUE(shown(path).starts_with("! ")) << path;
  }
}

constexpr std::string_view kList =
    "\xef\xbb\xbf#EXTM3U url-tvg=\"x\"\r\n"
    "#EXTINF:-1 tvg-id=\"one\" group-title=\"A, B\",First, the best\r\n"
    "amt://198.51.100.10@232.1.1.1:5001\r\n"
    "\n"
    "#EXTINF:-1,Second\n"
    "udp://@239.1.1.2:5002?pkt_size=1316\n"
    "rtp://[2001:db8::1]@[ff3e::8000:1]:5003\n"
    "#EXTINF:0,Elsewhere\n"
    "http://example.net/a.ts\n"
    "udp://239.1.1.1\n"
    "amt://192.0.2.9@232.1.1.2:5004?relay=192.0.2.1";

TEST(Playlist, KeepsNamesAndAttributesAndMakesChannelsHttp) {
  const Playlist list = Playlist::parse(kList);
  EXPECT_EQ(list.text("http://127.0.0.1:4022"),
            "#EXTM3U\n"
            "#EXTINF:-1 tvg-id=\"one\" group-title=\"A, B\",First, the best\n"
            "http://127.0.0.1:4022/amt/198.51.100.10@232.1.1.1:5001\n"
            "#EXTINF:-1,Second\n"
            "http://127.0.0.1:4022/amt/239.1.1.2:5002\n"
            "#EXTINF:-1,[2001:db8::1]@[ff3e::8000:1]:5003\n"
            "http://127.0.0.1:4022/amt/[2001:db8::1]@[ff3e::8000:1]:5003\n"
            "#EXTINF:-1,Elsewhere\n"
            "http://example.net/a.ts\n"
            "#EXTINF:-1,192.0.2.9@232.1.1.2:5004\n"
            "http://127.0.0.1:4022/amt/192.0.2.9@232.1.1.2:5004\n");
  EXPECT_EQ(list.entries.back().channel()->relay->to_string(), "192.0.2.1:0");
  ASSERT_EQ(list.problems.size(), 1U);
  EXPECT_EQ(list.problems[0], "line 10: udp://239.1.1.1: the UDP port is missing");
}

TEST(Playlist, IsBounded) {
  std::string text;
  for (int i = 0; i < 11'000; ++i) text += "udp://239.1.1.1:5\n";
  EXPECT_EQ(Playlist::parse(text).entries.size(), Playlist::kEntriesMax);
  EXPECT_EQ(Playlist::parse(std::string(5000, 'x')).problems[0], "line 1: too long");
  EXPECT_TRUE(Playlist::parse("").entries.empty());
}

}  // namespace
}  // namespace amt
