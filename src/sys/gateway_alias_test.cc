#include "sys/gateway_alias.hh"

#include <gtest/gtest.h>

#include <vector>

namespace amt {
namespace {

using Addresses = std::vector<IpAddress>;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

TEST(GatewayAlias, NamesTheRelays) {
  EXPECT_EQ(gateway_alias(Addresses{}), "amt gateway of");
  const std::string alias = gateway_alias(Addresses{a("192.0.2.1"), a("2001:db8::1")});
  EXPECT_EQ(alias, "amt gateway of 192.0.2.1 2001:db8::1");
  EXPECT_TRUE(is_alias_of_gateway_of(alias, Addresses{a("192.0.2.1")}));
  EXPECT_TRUE(is_alias_of_gateway_of(alias, Addresses{a("192.0.2.9"), a("2001:db8::1")}));
  EXPECT_FALSE(is_alias_of_gateway_of(alias, Addresses{a("192.0.2.9")}));
}

TEST(GatewayAlias, IsNoneThatSomebodyElseHasGiven) {
  for (const char* alias : {"", "uplink", "amt gateway", "amt gateway of", "amt gateway of  ", "192.0.2.1"}) {
    EXPECT_FALSE(is_alias_of_gateway_of(alias, Addresses{a("192.0.2.1")})) << alias;
  }
}

TEST(GatewayAlias, FitsTheKernel) { EXPECT_LE(gateway_alias(Addresses(50, a("2001:db8:1:2:3:4:5:6"))).size(), 255U); }

}  // namespace
}  // namespace amt
