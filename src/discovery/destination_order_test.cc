#include "discovery/destination_order.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

Destination to(const char* address, const char* source) {
  return {*IpAddress::parse(address), IpAddress::parse(source)};
}
Destination unreachable(const char* address) { return {*IpAddress::parse(address), std::nullopt}; }
void expect_first(const Destination& first, const Destination& second) {
  EXPECT_TRUE(compare_destinations(first, second) < 0);
  EXPECT_TRUE(compare_destinations(second, first) > 0);
}

/// RFC 6724 §10.2, as far as the rules that stay apply. D-3.1.2-b
TEST(DestinationOrder, ExamplesOfTheRfc) {
  expect_first(to("2001:db8:1::1", "2001:db8:1::2"), to("198.51.100.121", "169.254.13.78"));  // matching scope
  expect_first(to("198.51.100.121", "198.51.100.117"), to("2001:db8:1::1", "fe80::1"));       // matching scope
  expect_first(to("2001:db8:1::1", "2001:db8:1::2"), to("10.1.2.3", "10.1.2.4"));             // higher precedence
  expect_first(to("fe80::1", "fe80::2"), to("2001:db8:1::1", "2001:db8:1::2"));               // smaller scope
  expect_first(to("2001:db8:3ffe::1", "2001:db8:3f44::2"), to("2001:db8:1::1", "2001:db8:3f44::2"));     // prefix
  expect_first(to("2002:c633:6401::1", "2002:c633:6401::2"), to("2001:db8:1::1", "2002:c633:6401::2"));  // label
  expect_first(to("2001:db8:1::1", "2001:db8:1::2"), to("2002:c633:6401::1", "2002:c633:6401::2"));      // precedence
}

TEST(DestinationOrder, UnreachableIsLast) {
  expect_first(to("192.0.2.1", "192.0.2.2"), unreachable("2001:db8::1"));
  EXPECT_EQ(compare_destinations(unreachable("2001:db8::1"), unreachable("192.0.2.1")), std::weak_ordering::equivalent);
}

TEST(DestinationOrder, UniqueLocalToGlobalIsBehindIpv4) {
  // A ULA source for a global destination has another label.
  expect_first(to("192.0.2.1", "10.0.0.1"), to("2001:db8::1", "fd00::1"));
}

TEST(DestinationOrder, EqualsAreEquivalent) {
  EXPECT_EQ(compare_destinations(to("192.0.2.128", "10.0.0.1"), to("192.0.2.129", "10.0.0.1")),
            std::weak_ordering::equivalent);
}

}  // namespace
}  // namespace amt
