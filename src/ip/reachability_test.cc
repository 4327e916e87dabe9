#include "ip/reachability.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

TEST(Reachability, IsGlobalWhereTheInternetRoutesIt) {
  for (const char* const text : {"1.1.1.1", "192.0.1.1", "198.20.0.1", "223.255.255.255", "2001:470::1", "2a00::1"}) {
    EXPECT_TRUE(is_globally_reachable(*IpAddress::parse(text))) << text;
  }
  for (const char* const text : {"0.0.0.0",     "0.1.2.3",         "10.0.0.1",     "100.64.0.1",  "127.0.0.1",
                                 "169.254.1.1", "172.16.0.1",      "192.168.1.1",  "192.0.0.8",   "192.0.2.1",
                                 "198.18.0.1",  "198.19.255.255",  "198.51.100.1", "203.0.113.1", "224.0.0.1",
                                 "240.0.0.1",   "255.255.255.255", "::",           "::1",         "fe80::1",
                                 "fd00::1",     "2001:db8::1",     "ff0e::1",      "4000::1"}) {
    EXPECT_FALSE(is_globally_reachable(*IpAddress::parse(text))) << text;
  }
}

}  // namespace
}  // namespace amt
