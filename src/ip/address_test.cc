#include "ip/address.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }
Prefix prefix(const char* text) { return Prefix::parse(text).value(); }

TEST(Prefix, ReadsAddressAndLength) {
  EXPECT_EQ(prefix("192.0.2.0/24"), (Prefix{address("192.0.2.0"), 24}));
  EXPECT_EQ(prefix("192.0.2.1"), (Prefix{address("192.0.2.1"), 32}));
  EXPECT_EQ(prefix("2001:3::/32"), (Prefix{address("2001:3::"), 32}));
  EXPECT_EQ(prefix("2001:3::1"), (Prefix{address("2001:3::1"), 128}));
  EXPECT_EQ(prefix("0.0.0.0/0").length, 0);
  EXPECT_EQ(prefix("2001:db8::1/64").to_string(), "2001:db8::1/64");
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  for (const char* text : {"", "/24", "192.0.2.0/", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/-1", "192.0.2.0/24 ",
                           "192.0.2.0/256", "192.0.2.0/8/8", "192.0.2/24", "192.0.2.0/ 8"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, ContainsBitByBit) {
  EXPECT_TRUE(prefix("192.0.2.128/25").contains(address("192.0.2.255")));
  EXPECT_FALSE(prefix("192.0.2.128/25").contains(address("192.0.2.127")));
  EXPECT_TRUE(prefix("192.0.2.77/24").contains(address("192.0.2.1")));  // host bits do not count
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.255.255.255")));
  EXPECT_TRUE(prefix("192.0.2.1/32").contains(address("192.0.2.1")));
  EXPECT_FALSE(prefix("192.0.2.1/32").contains(address("192.0.2.0")));
  EXPECT_TRUE(prefix("2001:db8::/33").contains(address("2001:db8:7fff::")));
  EXPECT_FALSE(prefix("2001:db8::/33").contains(address("2001:db8:8000::")));
  EXPECT_TRUE(prefix("::/0").contains(address("2001:db8::1")));
  EXPECT_TRUE(prefix("2001:db8::1/128").contains(address("2001:db8::1")));
  EXPECT_FALSE(prefix("2001:db8::1/128").contains(address("2001:db8::")));
}

TEST(Prefix, HoldsOneFamilyOnly) {
  EXPECT_FALSE(prefix("::/0").contains(address("192.0.2.1")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
}

TEST(GroupClass, LinkScopeIsWhatNeverLeavesALink) {  // I-o, H-f
  for (const char* text :
       {"224.0.0.1", "224.0.0.22", "224.0.0.255", "ff00::1", "ff01::1", "ff02::1", "ff02::16", "ff12::1", "ff31::8"}) {
    EXPECT_TRUE(is_link_scope_multicast(address(text))) << text;
    EXPECT_FALSE(is_forwardable_group(address(text))) << text;
  }
  for (const char* text : {"224.0.1.0", "223.0.0.1", "232.1.1.1", "ff03::1", "ff05::2", "ff0e::1", "ff3e::8000:1",
                           "fe80::1", "2001:db8::1"}) {
    EXPECT_FALSE(is_link_scope_multicast(address(text))) << text;
  }
}

TEST(SsmRange, IsTheRangeOfIanaUnlessConfigured) {  // S-a
  const SsmRange range;
  for (const char* text : {"232.0.0.1", "232.255.255.255", "ff3e::8000:d", "ff30::1", "ff3f::1", "ff35:0:ffff::1"}) {
    EXPECT_TRUE(range.contains(address(text))) << text;
  }
  for (const char* text : {"231.255.255.255", "233.0.0.0", "239.232.1.1", "ff0e::1", "ff2e::1", "ff4e::1", "ff3e:20::1",
                           "ff7e::1", "::232.1.1.1"}) {
    EXPECT_FALSE(range.contains(address(text))) << text;
  }
}

TEST(SsmRange, TakesOtherPrefixes) {  // S-a
  const SsmRange range({prefix("239.232.0.0/16"), prefix("ff35::/32")});
  EXPECT_TRUE(range.contains(address("239.232.1.1")));
  EXPECT_FALSE(range.contains(address("232.1.1.1")));
  EXPECT_TRUE(range.contains(address("ff35::1")));
  EXPECT_FALSE(range.contains(address("ff3e::1")));
  EXPECT_FALSE(SsmRange(std::vector<Prefix>{}).contains(address("232.1.1.1")));
}

TEST(GroupClass, ReservedSsmAddressesAreNoDestinations) {  // S-f
  for (const char* text : {"232.0.0.0", "ff3e::", "ff32::", "ff3e::4000:0", "ff35::4000:0"}) {
    EXPECT_TRUE(is_reserved_ssm_group(address(text))) << text;
    EXPECT_FALSE(is_forwardable_group(address(text))) << text;
  }
  for (const char* text :
       {"232.0.0.1", "231.0.0.0", "ff3e::1", "ff35::3fff:ffff", "ff3e::4000:1", "ff3e::7fff:ffff", "ff3e::8000:d",
        "ff3e::ffff:ffff", "ff0e::1", "ff3e:40:2001:db8::1", "ff3e:0:1::", "ff3e::1:0:1"}) {
    EXPECT_FALSE(is_reserved_ssm_group(address(text))) << text;
    EXPECT_TRUE(is_forwardable_group(address(text))) << text;
  }
}

TEST(GroupClass, OnlyMulticastIsForwarded) {  // R-5.3.3.6-b
  for (const char* text : {"192.0.2.1", "255.255.255.255", "0.0.0.0", "::", "2001:db8::1", "fe80::1"}) {
    EXPECT_FALSE(is_forwardable_group(address(text))) << text;
  }
}

TEST(NeighbourIn, IsAnotherHostOfTheSubnet) {
  const auto neighbour = [](const char* text) {
    const std::optional<IpAddress> found = neighbour_in(*Prefix::parse(text));
    return found ? found->to_string() : "none";
  };
  EXPECT_EQ(neighbour("198.18.0.1/30"), "198.18.0.2");
  EXPECT_EQ(neighbour("198.18.0.2/30"), "198.18.0.1");  // .3 is the broadcast address
  EXPECT_EQ(neighbour("10.0.0.255/16"), "10.0.1.0");
  EXPECT_EQ(neighbour("10.0.1.254/24"), "10.0.1.253");
  EXPECT_EQ(neighbour("10.1.0.0/8"), "10.1.0.1");
  EXPECT_EQ(neighbour("198.18.0.0/31"), "198.18.0.1");
  EXPECT_EQ(neighbour("198.18.0.1/31"), "198.18.0.0");
  EXPECT_EQ(neighbour("fe80::1/64"), "fe80::2");
  EXPECT_EQ(neighbour("fe80::ffff:ffff/96"), "fe80::ffff:fffe");
  EXPECT_EQ(neighbour("2001:db8::ff/64"), "2001:db8::100");
  EXPECT_EQ(neighbour("2001:db8::1/127"), "2001:db8::");
  for (const char* text : {"198.18.0.1/32", "198.18.0.0/30", "198.18.0.3/30", "fe80::1/128", "fe80::/64"}) {
    EXPECT_EQ(neighbour(text), "none") << text;
  }
}

TEST(Address, IsPrivateWhereTheInternetDoesNotRouteIt) {
  for (const char* text : {"127.0.0.1", "127.255.0.9", "10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255",
                           "192.168.0.1", "100.64.0.1", "100.127.255.255", "169.254.1.1", "::1", "fc00::1", "fdff::1",
                           "fe80::1", "febf::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(is_private(*IpAddress::parse(text))) << text;
  }
  for (const char* text : {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
                           "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "128.0.0.1", "192.0.2.1",
                           "0.0.0.0", "::", "fbff::1", "fe00::1", "fec0::1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    EXPECT_FALSE(is_private(*IpAddress::parse(text))) << text;
  }
}

TEST(Address, IsRoutedUnicastWhereARouterForwardsIt) {
  for (const char* text : {"192.0.2.1", "10.0.0.1", "169.253.255.255", "2001:db8::1", "fc00::1"}) {
    EXPECT_TRUE(is_routed_unicast(*IpAddress::parse(text))) << text;
  }
  for (const char* text :
       {"0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "ff02::1"}) {
    EXPECT_FALSE(is_routed_unicast(*IpAddress::parse(text))) << text;
  }
}

TEST(Address, BaseOfItsSubnet) {  // D-3.1.2-e
  const auto base = [](const char* text) { return base_address(*Prefix::parse(text)).to_string(); };
  EXPECT_EQ(base("192.168.12.34/16"), "192.168.0.0");  // RFC 6763 section 11
  EXPECT_EQ(base("192.168.12.34/27"), "192.168.12.32");
  EXPECT_EQ(base("192.168.12.34"), "192.168.12.34");
  EXPECT_EQ(base("192.168.12.34/0"), "0.0.0.0");
  EXPECT_EQ(base("2001:db8:1:2:3::4/64"), "2001:db8:1:2::");
  EXPECT_EQ(base("2001:db8::f/125"), "2001:db8::8");
}

TEST(Address, HasOthersAfterIt) {
  const auto after = [](const char* text, std::uint32_t steps) {
    return address_after(*IpAddress::parse(text), steps).to_string();
  };
  EXPECT_EQ(after("232.1.1.1", 0), "232.1.1.1");
  EXPECT_EQ(after("232.1.1.250", 10), "232.1.2.4");
  EXPECT_EQ(after("ff3e::8000:1", 0xffff), "ff3e::8001:0");
}

}  // namespace
}  // namespace amt
