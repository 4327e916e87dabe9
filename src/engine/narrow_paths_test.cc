#include "engine/narrow_paths.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

// RFC 8200 §5, RFC 8201 §4: a Packet Too Big below 1280 lowers no IPv6 path. Inner IPv6 is never fragmented
// (R-5.3.3.6.2.2-a), so believing it would end the stream.
TEST(NarrowPaths, BelieveNoIpv6PathBelow1280) {
  NarrowPaths paths;
  const IpAddress gateway = *IpAddress::parse("2001:db8::1");
  paths.learn(Instant{}, gateway, 68);
  EXPECT_EQ(paths.inner_octets_max(Instant{}, gateway), 1280U - 50U);
}

}  // namespace
}  // namespace amt
