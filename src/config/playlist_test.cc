#include "config/playlist.hh"

#include <gtest/gtest.h>

#include "config/channel_path.hh"
#include "config/local_url.hh"

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
  EXPECT_EQ(list.text({.url = "http://127.0.0.1:4022"}),
            "#EXTM3U url-tvg=\"x\"\n"
            "#EXTINF:-1 tvg-id=\"one\" group-title=\"A, B\",First; the best\n"
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

TEST(Playlist, ChannelsMayNeedAQuery) {
  EXPECT_EQ(Playlist::parse("udp://239.1.1.1:5\nhttp://a/b\n").text({.url = "http://h", .query = "token=x"}),
            "#EXTM3U\n#EXTINF:-1,239.1.1.1:5\nhttp://h/amt/239.1.1.1:5?token=x\n#EXTINF:-1,\nhttp://a/b\n");
}

TEST(Playlist, KnowsGroupsInALineOfTheirOwn) {
  const Playlist list = Playlist::parse(
      "#EXTINF:-1 tvg-id=\"a\",A\n#EXTGRP:News \"at\" ten\nudp://239.1.1.1:5\n"
      "#EXTINF:-1 group-title=\"Own\",B\n#EXTGRP:Other\nrtp://239.1.1.2:5\n#EXTGRP:Alone\nudp://239.1.1.3:5\n");
  ASSERT_EQ(list.entries.size(), 3U);
  EXPECT_EQ(list.entries[0].attributes, "tvg-id=\"a\" group-title=\"News 'at' ten\"");
  EXPECT_EQ(list.entries[1].attribute("group-title"), "Own");
  EXPECT_EQ(list.entries[2].attribute("group-title"), "Alone");
  EXPECT_FALSE(list.entries[0].is_rtp);
  EXPECT_TRUE(list.entries[1].is_rtp);
}

TEST(Playlist, MendsAttributesThatDoNotEnd) {
  const Playlist list = Playlist::parse("#EXTINF:-1 a=\"b,c,Name\nudp://239.1.1.1:5\n");
  EXPECT_EQ(list.entries[0].name, "Name");
  EXPECT_EQ(list.entries[0].attributes, "a=\"b,c\"");
}

TEST(Playlist, PassesOverLinesWithControlCharacters) {
  const Playlist list = Playlist::parse("#EXTINF:-1,A\rhttp://evil/\nudp://239.1.1.1:5\nhttp://a\x1b[2J\n");
  ASSERT_EQ(list.entries.size(), 1U);
  EXPECT_EQ(list.entries[0].name, "");
  EXPECT_EQ(list.problems, (std::vector<std::string>{"line 1: control characters", "line 3: control characters"}));
}

TEST(Playlist, FindsAttributesByTheirWholeName) {
  const PlaylistEntry entry{.attributes = "xtvg-logo=\"no\" tvg-logo=\"yes\" tvg-id=\"open"};
  EXPECT_EQ(entry.attribute("tvg-logo"), "yes");
  EXPECT_EQ(entry.attribute("logo"), "");
  EXPECT_EQ(entry.attribute("tvg-id"), "open");
}

TEST(Playlist, WritesXspfWithMarkupEscaped) {
  const Playlist list = Playlist::parse(
      "#EXTINF:-1 tvg-logo=\"http://l/?a&b\" group-title=\"<G>\",A & B\n"
      "amt://198.51.100.1@232.1.1.1:5?relay=192.0.2.1\n");
  EXPECT_EQ(list.xspf({.url = "http://h", .query = "a=1&b=2"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">\n"
            "<trackList>\n<track><location>http://h/amt/198.51.100.1@232.1.1.1:5?a=1&amp;b=2</location>"
            "<title>A &amp; B</title><image>http://l/?a&amp;b</image><album>&lt;G&gt;</album></track>\n"
            "</trackList>\n</playlist>\n");
}

TEST(LocalUrl, IsOfThisHostAlone) {
  const auto shown_url = [](std::string_view text) {
    const ValueResult<LocalUrl> url = parse_local_url(text);
    return url ? url->server.to_string() + " " + url->host + " " + url->target : "! " + url.error().problem;
  };
  EXPECT_EQ(shown_url("http://127.0.0.1:8080/a.m3u?b=c"), "127.0.0.1:8080 127.0.0.1:8080 /a.m3u?b=c");
  EXPECT_EQ(shown_url("HTTP://localhost/list"), "127.0.0.1:80 localhost /list");
  EXPECT_EQ(shown_url("http://[::1]:81"), "[::1]:81 [::1]:81 /");
  EXPECT_EQ(shown_url("http://127.0.0.1?a"), "127.0.0.1:80 127.0.0.1 /?a");
  for (const char* const url :
       {"https://127.0.0.1/", "http://192.0.2.1/", "http://example.net/", "http://localhost.example/",
        "http://user@127.0.0.1/", "http://127.0.0.1:99999/", "http:///x", "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y", "file:///etc/passwd", "http://127.0.0.1@192.0.2.1/"}) {
    EXPECT_TRUE(shown_url(url).starts_with("! ")) << url;
  }
}

TEST(Playlist, IsBounded) {
  std::string text;
  for (int i = 0; i < 11'000; ++i) text += "udp://239.1.1.1:5\n";
  EXPECT_EQ(Playlist::parse(text).entries.size(), Playlist::kEntriesMax);
  EXPECT_EQ(Playlist::parse(std::string(1'000, '\n') + text.substr(0, 18 * 5)).entries.size(), 5U);
  std::string bad;
  for (int i = 0; i < 1'000; ++i) bad += "udp://10.0.0.1:5\n";
  EXPECT_EQ(Playlist::parse(bad).problems.size(), Playlist::kProblemsMax);
  EXPECT_EQ(Playlist::parse(std::string(5000, 'x')).problems[0], "line 1: too long");
  EXPECT_TRUE(Playlist::parse("").entries.empty());
}

}  // namespace
}  // namespace amt
