#include "config/values.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

std::string channel(std::string_view text) {
  const auto url = parse_channel_url(text);
  if (!url) return "error: " + url.error().problem;
  return url->channel.to_string() + (url->port ? " port " + std::to_string(*url->port) : "");
}

TEST(ChannelUrl, TakesTheFormsThatPlayersWrite) {
  EXPECT_EQ(channel("amt://198.51.100.10@232.1.1.1:5001"), "198.51.100.10@232.1.1.1 port 5001");
  EXPECT_EQ(channel("amt://198.51.100.10@232.1.1.1"), "198.51.100.10@232.1.1.1");
  EXPECT_EQ(channel("amt://239.1.1.1:5001/"), "239.1.1.1 port 5001");
  EXPECT_EQ(channel("amt://@239.1.1.1:5001"), "239.1.1.1 port 5001");
  EXPECT_EQ(channel("198.51.100.10@232.1.1.1:5001"), "198.51.100.10@232.1.1.1 port 5001");
  // RFC 3986 §3.1, §3.2.3: schemes are case-insensitive, a port may be empty.
  EXPECT_EQ(channel("AMT://198.51.100.10@232.1.1.1:5001"), "198.51.100.10@232.1.1.1 port 5001");
  EXPECT_EQ(channel("Amt://198.51.100.10@232.1.1.1:"), "198.51.100.10@232.1.1.1");
  EXPECT_EQ(channel("amt://[2001:db8::10]@[ff3e::8000:1]:"), "2001:db8::10@ff3e::8000:1");
}

TEST(ChannelUrl, MayNameTheRelay) {
  const auto url = parse_channel_url("amt://198.51.100.10@232.1.1.1:5001?relay=192.0.2.1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 5001);
  EXPECT_EQ(url->relay, (RelayHost{*IpAddress::parse("192.0.2.1"), 0}));
  EXPECT_EQ(parse_channel_url("amt://239.1.1.1/?relay=[2001:db8::1]:99")->relay->to_string(), "[2001:db8::1]:99");
  EXPECT_EQ(parse_channel_url("amt://239.1.1.1?relay=relay.example")->relay->to_string(), "relay.example:0");
  EXPECT_FALSE(parse_channel_url("amt://239.1.1.1")->relay);
  EXPECT_EQ(channel("amt://239.1.1.1?relay=239.1.1.2"),
            "error: relay=: a multicast address cannot be used here; name a unicast address");
  EXPECT_EQ(channel("amt://239.1.1.1?rleay=192.0.2.1"), "error: after ? only relay=ADDR[:PORT] may follow");
}

TEST(ChannelUrl, TakesIpv6InSquareBrackets) {
  EXPECT_EQ(channel("amt://[2001:db8::10]@[ff3e::8000:1]:5001"), "2001:db8::10@ff3e::8000:1 port 5001");
  EXPECT_EQ(channel("amt://[2001:db8::10]@[ff3e::8000:1]"), "2001:db8::10@ff3e::8000:1");
  EXPECT_EQ(channel("amt://2001:db8::10@ff3e::8000:1"), "2001:db8::10@ff3e::8000:1");
  EXPECT_EQ(channel("amt://[ff0e::1]:5001"), "ff0e::1 port 5001");
  EXPECT_EQ(channel("amt://[2001:db8::10]@[ff3e::1]:5001"), "2001:db8::10@ff3e::1 port 5001");
}

TEST(ChannelUrl, SaysWhatIsWrong) {
  EXPECT_EQ(channel("amt://232.1.1.1"),
            "error: 232.1.1.1 is source-specific (SSM): the URL must name the source, SOURCE@GROUP");
  EXPECT_EQ(channel("amt://192.0.2.1"), "error: 192.0.2.1 is no multicast group (224.0.0.0/4 or ff00::/8)");
  EXPECT_EQ(channel("amt://224.0.0.5"),
            "error: 224.0.0.5 is a reserved or link-local group, which does not cross a tunnel");
  EXPECT_EQ(channel("amt://2001:db8::1@232.1.1.1"), "error: source and group are not of one address family");
  EXPECT_EQ(channel("amt://224.1.1.1@232.1.1.1"),
            "error: the source: a multicast address cannot be used here; name a unicast address");
  EXPECT_EQ(channel("amt://nowhere@232.1.1.1"), "error: the source is not an IPv4 or IPv6 address");
  EXPECT_EQ(channel("amt://2001:db8::10@ff3e::1:5001"),
            "error: an IPv6 group takes square brackets: [ff3e::1]:5001 with a port, or [ff3e::1:5001] without one");
  EXPECT_EQ(channel("amt://239.1.1.1:0"), "error: the port is not 1 to 65535");
  EXPECT_EQ(channel("rtp://239.1.1.1:5000"), "error: not an amt:// URL");
  for (const char* const text : {"", "amt://", "amt://239.1.1.1::", "amt://239.1.1.1:65536", "amt://[ff3e::1",
                                 "amt://@", "amt://[]", "amt://198.51.100.10@", "amt://[239.1.1.1]:5"}) {
    EXPECT_TRUE(channel(text).starts_with("error:")) << text;
  }
}

std::string relay(std::string_view text) {
  const auto host = parse_relay_host(text);
  return host ? (std::holds_alternative<std::string>(host->host) ? "name " : "address ") + host->to_string()
              : "error: " + host.error().problem;
}

TEST(RelayHost, IsAnAddressOrAName) {
  EXPECT_EQ(relay("192.0.2.1"), "address 192.0.2.1:0");
  EXPECT_EQ(relay("192.0.2.1:99"), "address 192.0.2.1:99");
  EXPECT_EQ(relay("2001:db8::1"), "address [2001:db8::1]:0");
  EXPECT_EQ(relay("[2001:db8::1]:99"), "address [2001:db8::1]:99");
  EXPECT_EQ(relay("relay.example.net"), "name relay.example.net:0");
  EXPECT_EQ(relay("relay.example.net:99"), "name relay.example.net:99");
  EXPECT_EQ(relay("localhost"), "name localhost:0");
  EXPECT_EQ(relay("4to6.example."), "name 4to6.example.:0");
}

TEST(RelayHost, TakesNoMistypedAddressForAName) {
  for (const char* const text : {"", "300.1.2.3", "1.2.3", "192.0.2.1:0", "relay.example:0", "relay.example:65536",
                                 "relay..example", "-relay", "a b", "2001:db8::zz", "[relay]", "relay:99:1", "7"}) {
    EXPECT_TRUE(relay(text).starts_with("error:")) << text;
  }
  EXPECT_TRUE(relay(std::string(64, 'a') + ".example").starts_with("error:"));
}

TEST(Values, RatesTakePowersOfAThousand) {
  EXPECT_EQ(parse_bit_rate("5M"), 5'000'000u);
  EXPECT_EQ(parse_bit_rate("500k"), 500'000u);
  EXPECT_EQ(parse_bit_rate("1.5G"), 1'500'000'000u);
  EXPECT_EQ(parse_bit_rate("64"), 64u);
  for (const char* const text : {"", "M", "-5", "5MB", "5 M", "1e9", "inf", "nan", "0x10", "99999999999999"}) {
    EXPECT_FALSE(parse_bit_rate(text)) << text;
  }
}

TEST(Values, TimesAreSecondsOrHaveAUnit) {
  EXPECT_EQ(parse_duration("10"), std::chrono::seconds(10));
  EXPECT_EQ(parse_duration("0.25"), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(parse_duration("1h"), std::chrono::hours(1));
  for (const char* const text : {"", "0", "-1", "1d", "ten", "1..5", "999999999999"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Values, PathMtusAreAWordOrANumber) {  // R-5.3.3.6.1-b,c
  EXPECT_EQ(parse_path_mtu("auto")->kind, PathMtuChoice::Kind::kAuto);
  EXPECT_EQ(parse_path_mtu("link")->kind, PathMtuChoice::Kind::kLink);
  EXPECT_EQ(parse_path_mtu("1400")->kind, PathMtuChoice::Kind::kFixed);
  EXPECT_EQ(parse_path_mtu("1400")->octets, 1400u);
  for (const char* const text : {"", "0", "575", "65536", "1400 ", "-1", "Auto", "none"}) {
    EXPECT_FALSE(parse_path_mtu(text)) << text;
  }
}

TEST(Values, InterfaceNamesAreWhatTheKernelTakes) {
  EXPECT_EQ(parse_interface_name("eth0.100"), "eth0.100");
  EXPECT_EQ(parse_interface_name("0123456789abcde"), "0123456789abcde");
  for (const char* const text : {"", ".", "..", "a/b", "a b", "a:b", "0123456789abcdef", "-x", "a%d"}) {
    EXPECT_FALSE(parse_interface_name(text)) << text;
  }
}

TEST(Values, RepeatedValuesAreKeptOnce) {
  std::vector<IpAddress> list;
  const auto add = append_to(list, parse_unicast_address);
  EXPECT_TRUE(add("192.0.2.1"));
  EXPECT_TRUE(add("::ffff:192.0.2.1"));
  EXPECT_TRUE(add("192.0.2.2"));
  EXPECT_EQ(list.size(), 2u);
}

}  // namespace
}  // namespace amt
