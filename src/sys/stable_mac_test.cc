#include "sys/stable_mac.hh"

#include <gtest/gtest.h>

#include "sys/test_namespace.hh"

namespace amt {
namespace {

TEST(StableMac, IsTheSameAgainAndLocalAndNoGroup) {
  const MacAddress mac = stable_mac("amt0");
  EXPECT_EQ(mac, stable_mac("amt0"));
  EXPECT_NE(mac, stable_mac("amt1"));
  EXPECT_EQ(mac[0] & std::byte{3}, std::byte{2});
}

class StableMacIn : public InTestNamespace {};

TEST_F(StableMacIn, AnotherNetworkNamespaceIsAnotherOne) {
  const SysResult<NetworkNamespace> other = NetworkNamespace::create();
  ASSERT_TRUE(ok(other));
  const SysResult<MacAddress> there = other->run([] { return stable_mac("amt0"); });
  ASSERT_TRUE(ok(there));
  EXPECT_NE(*there, stable_mac("amt0"));
}

}  // namespace
}  // namespace amt
