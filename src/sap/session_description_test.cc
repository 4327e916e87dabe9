#include "sap/session_description.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

const std::string kBegin = "v=0\r\no=- 15 16 IN IP4 192.0.2.1\r\ns=News\r\n";

AnnouncedStream stream_of(const std::string& rest) {
  const auto description = SessionDescription::parse(kBegin + rest);
  return description && description->stream ? *description->stream : AnnouncedStream{};
}
bool has_stream(const std::string& rest) {
  const auto description = SessionDescription::parse(kBegin + rest);
  return description && description->stream;
}

TEST(SessionDescription, ReadsASourceSpecificChannel) {
  const auto description = SessionDescription::parse(
      kBegin +
      "c=IN IP4 232.1.2.3/255\r\nt=0 0\r\na=source-filter: incl IN IP4 232.1.2.3 198.51.100.10\r\n"
      "a=x-plgroup:Public\r\nm=video 5004 RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\n");
  ASSERT_TRUE(description && description->stream);
  EXPECT_EQ(description->identity, "- 15 IN IP4 192.0.2.1");
  EXPECT_EQ(description->name, "News");
  EXPECT_EQ(description->group_title, "Public");
  EXPECT_EQ(description->ends_at, 0U);
  EXPECT_EQ(description->stream->channel.to_string(), "198.51.100.10@232.1.2.3");
  EXPECT_EQ(description->stream->port, 5004);
  EXPECT_TRUE(description->stream->is_rtp);
}

TEST(SessionDescription, ReadsFormsOfMpegTs) {
  const std::string group = "c=IN IP4 239.1.2.3/16\r\n";
  EXPECT_FALSE(stream_of(group + "m=video 1234 udp mpeg\r\n").is_rtp);
  EXPECT_TRUE(has_stream(group + "m=video 1234 udp 33\r\n"));
  EXPECT_TRUE(has_stream(group + "m=video 1234 udp MP2T\r\n"));
  EXPECT_TRUE(has_stream(group + "m=video 1234/2 rtp/avp 96 33\r\n"));
  EXPECT_TRUE(has_stream(group + "m=video 1234 RTP/AVP 96\na=rtpmap:96 mp2t/90000\n")) << "lines that end with LF";
  EXPECT_TRUE(has_stream("m=video 1234 RTP/AVP 33\r\n" + group)) << "the connection of the medium";
  EXPECT_TRUE(has_stream(group + "m=audio 2 RTP/AVP 0\r\nm=video 1234 RTP/AVP 33\r\n")) << "the second medium";
  EXPECT_FALSE(has_stream(group + "m=video 1234 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"));
  EXPECT_FALSE(has_stream(group + "m=video 1234 RTP/AVP 96\r\na=rtpmap:97 MP2T/90000\r\n")) << "of another type";
  EXPECT_FALSE(has_stream(group + "m=video 1234 RTP/AVP mpeg\r\n"));
  EXPECT_FALSE(has_stream(group + "m=video 1234 TCP 33\r\n"));
  EXPECT_FALSE(has_stream(group + "m=video 0 RTP/AVP 33\r\n"));
  EXPECT_FALSE(has_stream(group + "m=video 70000 RTP/AVP 33\r\n"));
  EXPECT_FALSE(has_stream("m=video 1234 RTP/AVP 33\r\n")) << "no connection";
}

TEST(SessionDescription, TakesGroupsThatMayBeJoinedAlone) {
  const std::string medium = "m=video 1234 RTP/AVP 33\r\n";
  EXPECT_FALSE(has_stream("c=IN IP4 192.0.2.7\r\n" + medium)) << "unicast";
  EXPECT_FALSE(has_stream("c=IN IP4 224.0.0.5/1\r\n" + medium)) << "link scope";
  EXPECT_FALSE(has_stream("c=IN IP4 232.1.2.3/16\r\n" + medium)) << "source-specific without a source";
  EXPECT_FALSE(has_stream("c=IN IP4 ff3e::8000:1\r\n" + medium)) << "type and address disagree";
  const std::string v6 = "a=source-filter: incl IN IP6 * 2001:db8::1\r\n";
  EXPECT_EQ(stream_of("c=IN IP6 ff3e::8000:1\r\n" + v6 + medium).channel.to_string(), "2001:db8::1@ff3e::8000:1");
  const std::string group = "c=IN IP4 232.1.2.3/16\r\n";
  EXPECT_FALSE(has_stream(group + v6 + medium)) << "a source of the other family";
  EXPECT_FALSE(has_stream(group + "a=source-filter: incl IN IP4 232.9.9.9 198.51.100.1\r\n" + medium))
      << "another group's";
  EXPECT_FALSE(has_stream(group + "a=source-filter: incl IN IP4 * 224.1.1.1\r\n" + medium)) << "a source that is none";
  EXPECT_FALSE(has_stream(group + "a=source-filter: excl IN IP4 * 198.51.100.1\r\n" + medium));
  const std::string all = "a=source-filter: incl IN IP4 * 198.51.100.1 198.51.100.2\r\n";
  EXPECT_EQ(stream_of(group + all + medium).channel.source->to_string(), "198.51.100.1");
  EXPECT_EQ(
      stream_of(group + all + medium + "a=source-filter: incl IN IP4 * 198.51.100.9\r\n").channel.source->to_string(),
      "198.51.100.9")
      << "the medium's goes before the session's";
}

TEST(SessionDescription, KnowsTheLastEnd) {
  const auto end_of = [](const std::string& times) { return SessionDescription::parse(kBegin + times)->ends_at; };
  EXPECT_EQ(end_of("t=1 100\r\nt=200 300\r\n"), 300U);
  EXPECT_EQ(end_of("t=200 300\r\nt=1 100\r\n"), 300U);
  EXPECT_EQ(end_of("t=1 100\r\nt=200 0\r\n"), 0U);
  EXPECT_EQ(end_of("t=1 100000000000000000000\r\n"), 0U) << "no number";
}

TEST(SessionDescription, NamesArePrintableAndBounded) {
  const auto description = SessionDescription::parse("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\x1b[31mred\n");
  ASSERT_TRUE(description);
  EXPECT_EQ(description->name, "\\x1b[31mred");
  const std::string begin = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=";
  EXPECT_LE(SessionDescription::parse(begin + std::string(3000, 'n') + "\n")->name.size(),
            SessionDescription::kNameOctetsMax + 3);
}

TEST(SessionDescription, RefusesWhatIsNone) {
  for (const std::string text : {"", "v=1\r\n", "v=0\r\ns=no origin\r\n", "v=0\r\no=too few words\r\n",
                                 "v=0\r\nnonsense\r\n", "o=- 1 1 IN IP4 192.0.2.1\r\n"}) {
    EXPECT_FALSE(SessionDescription::parse(text)) << text;
  }
  EXPECT_FALSE(SessionDescription::parse("v=0\no=" + std::string(300, 'u') + " 1 1 IN IP4 192.0.2.1\n"));
}

TEST(SessionDescription, IdentityIsWithoutTheVersion) {
  EXPECT_EQ(SessionDescription::identity_of("o=- 15 99 IN IP4 192.0.2.1\r\n"), "- 15 IN IP4 192.0.2.1");
  EXPECT_EQ(SessionDescription::identity_of("v=0\r\no=- 15 99 IN IP4 192.0.2.1\r\ns=x\r\n"), "- 15 IN IP4 192.0.2.1");
  EXPECT_EQ(SessionDescription::identity_of("nonsense"), std::nullopt);
}

TEST(SessionDescription, ReadsWhatItWrites) {
  for (const bool is_rtp : {false, true}) {
    for (const auto& [source, group] :
         {std::pair{"198.51.100.1", "232.1.2.3"}, {"2001:db8::1", "ff3e::8000:1"}, {"", "239.1.1.1"}}) {
      AnnouncedStream stream{.channel = {.source = IpAddress::parse(source), .group = *IpAddress::parse(group)},
                             .port = 5001,
                             .is_rtp = is_rtp};
      const std::string text = write_session_description({.host = *IpAddress::parse("192.0.2.1"),
                                                          .session_id = 5,
                                                          .version = 6,
                                                          .name = "A\nm=audio 1 udp 33",
                                                          .group_title = "B",
                                                          .stream = stream});
      const auto again = SessionDescription::parse(text);
      ASSERT_TRUE(again) << text;
      EXPECT_EQ(again->stream, stream) << text;
      EXPECT_EQ(again->name, "A m=audio 1 udp 33");
      EXPECT_EQ(again->group_title, "B");
    }
  }
}

}  // namespace
}  // namespace amt
