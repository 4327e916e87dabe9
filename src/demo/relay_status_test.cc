#include "demo/relay_status.hh"

#include <gtest/gtest.h>

#include "demo/receive_stats.hh"

namespace amt {
namespace {

TEST(RelayStatus, ListsTunnelsWithTheirGroups) {
  const auto tunnels = parse_relay_status(
      R"({"role":"relay","counters":{},"tunnels":[
          {"endpoint":"203.0.113.2:50000","family":"ipv4","packets":1709,"bytes":1,
           "groups":[{"group":"232.1.2.3","mode":"include","sources":["198.51.100.10"]}]},
          {"endpoint":"[2001:db8::2]:50001","packets":2,"groups":[]}]})");
  ASSERT_TRUE(tunnels);
  ASSERT_EQ(tunnels->size(), 2U);
  EXPECT_EQ((*tunnels)[0].endpoint, "203.0.113.2:50000");
  EXPECT_EQ((*tunnels)[0].packets, 1709U);
  EXPECT_EQ(tunnels_with(*tunnels, *IpAddress::parse("232.1.2.3")), 1U);
  EXPECT_EQ(tunnels_with(*tunnels, *IpAddress::parse("232.1.2.4")), 0U);
}

TEST(RelayStatus, OfSomethingElseIsNothing) {
  for (const char* text : {"", "{", "[]", "{}", R"({"tunnels":7})", R"({"role":"gateway","relays":[]})"}) {
    EXPECT_FALSE(parse_relay_status(text)) << text;
  }
  EXPECT_EQ(parse_relay_status(R"({"tunnels":[7,{"packets":"x","groups":[1,{"group":2}]}]})")->size(), 1U);
}

TEST(ReceiveStats, TellThePacketsReceived) {
  EXPECT_EQ(parse_packets_received("{\"received\":1815,\"lost\":0}\n"), 1815U);
  for (const char* text : {"", "7", "{}", R"({"received":"x"})", R"({"received":-1})"}) {
    EXPECT_FALSE(parse_packets_received(text)) << text;
  }
}

}  // namespace
}  // namespace amt
