#include "engine/relay/router_upstream.hh"

#include <gtest/gtest.h>
#include <unistd.h>

#include "membership/message.hh"
#include "sys/clock.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;
using std::chrono::seconds;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

class RouterUpstreamTest : public InTestNamespace {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << SysError::last("open", "/dev/net/tun").to_string();
  }
  std::unique_ptr<Upstream> open(std::vector<Prefix> addresses = {}) {
    SysResult<std::unique_ptr<Upstream>> upstream = open_router_upstream({"amtr7", std::move(addresses)}, random_);
    if (!upstream) throw std::runtime_error(upstream.error().to_string());
    return std::move(*upstream);
  }
  SeededRandom random_{1};
};

TEST_F(RouterUpstreamTest, IsUpWithItsAddressesAndGoesWithItsOwner) {
  {
    const std::unique_ptr<Upstream> upstream = open();
    EXPECT_EQ(upstream->interface(), "amtr7");
    EXPECT_TRUE(find_link("amtr7")->up);
    EXPECT_EQ(find_link("amtr7")->mtu_octets, 65'535U);
    EXPECT_FALSE(upstream->is_lost());
    EXPECT_EQ(open_router_upstream({"amtr7", {}}, random_).error().code, EBUSY);
    // The addresses are there: nobody can add them once more.
    EXPECT_EQ(add_address(find_link("amtr7")->index, *Prefix::parse(kRouterAddressV4)).error().code, EEXIST);
    EXPECT_EQ(add_address(find_link("amtr7")->index, *Prefix::parse(kRouterAddressV6)).error().code, EEXIST);
  }
  EXPECT_EQ(find_link("amtr7").error().code, ENODEV);
}

TEST_F(RouterUpstreamTest, ShowsMembershipAsReportsOfItsNeighbours) {
  const std::unique_ptr<Upstream> upstream =
      open({*Prefix::parse("10.9.8.254/24"), *Prefix::parse("2001:db8::1/64"), *Prefix::parse("fe80::10/64")});
  const Instant now = monotonic_now();
  EXPECT_EQ(upstream->next_deadline(), kNoDeadline);
  upstream->set_membership(now, a("232.1.2.3"), {FilterMode::kInclude, {a("192.0.2.1")}});
  upstream->set_membership(now, a("ff15::7"), {FilterMode::kExclude, {}});
  EXPECT_EQ(upstream->next_deadline(), now);
  upstream->handle_timeout(now);
  EXPECT_EQ(upstream->statistics().reports, 2U);
  EXPECT_GT(upstream->next_deadline(), now);
}

}  // namespace
}  // namespace amt
