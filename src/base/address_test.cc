#include <gtest/gtest.h>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/ip_address.hh"

namespace amt {
namespace {

TEST(IpAddress, MappedFormIsTheIpv4AddressItself) {  // X-4.4-b
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1")->to_string(), "192.0.2.1");
  EXPECT_FALSE(IpAddress::parse("::192.0.2.1")->is_v4());
}

TEST(IpAddress, RefusesWhatIsNoLiteral) {
  for (const char* text : {"", "1.2.3", "1.2.3.256", "2001:db8::g", "192.0.2.1 ", "host", "fe80::1%eth0"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, KnowsItsClasses) {
  EXPECT_TRUE(IpAddress::parse("239.255.255.255")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("240.0.0.0")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff3e::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("127.1.2.3")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress{}.is_unspecified());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
}

TEST(Endpoint, ReadsAllWrittenForms) {
  EXPECT_EQ(Endpoint::parse("192.0.2.1", 2268), (Endpoint{*IpAddress::parse("192.0.2.1"), 2268}));
  EXPECT_EQ(Endpoint::parse("192.0.2.1:7", 2268), (Endpoint{*IpAddress::parse("192.0.2.1"), 7}));
  EXPECT_EQ(Endpoint::parse("2001:db8::1", 2268), (Endpoint{*IpAddress::parse("2001:db8::1"), 2268}));
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]", 2268), (Endpoint{*IpAddress::parse("2001:db8::1"), 2268}));
  EXPECT_EQ(Endpoint::parse("[2001:db8::1]:7", 2268), (Endpoint{*IpAddress::parse("2001:db8::1"), 7}));
  for (const char* text :
       {"", ":7", "192.0.2.1:", "192.0.2.1:65536", "[2001:db8::1", "[2001:db8::1]7", "[192.0.2.1]:7"}) {
    EXPECT_FALSE(Endpoint::parse(text, 2268)) << text;
  }
}

TEST(Endpoint, WritesWhatItReads) {
  for (const char* text : {"192.0.2.1:7", "[2001:db8::1]:7"}) EXPECT_EQ(Endpoint::parse(text, 0)->to_string(), text);
}

TEST(Channel, IsWrittenSourceAtGroup) {
  const IpAddress group = *IpAddress::parse("232.1.1.1");
  EXPECT_EQ((Channel{IpAddress::parse("198.51.100.10"), group}.to_string()), "198.51.100.10@232.1.1.1");
  EXPECT_EQ((Channel{std::nullopt, group}.to_string()), "232.1.1.1");
}

}  // namespace
}  // namespace amt
