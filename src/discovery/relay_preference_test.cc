#include "discovery/relay_preference.hh"

#include <gtest/gtest.h>

#include <algorithm>

namespace amt {
namespace {

RelayOption option(RelayOrigin origin, std::uint16_t precedence, const char* address, const char* source = nullptr) {
  RelayOption option;
  option.destination.address = *IpAddress::parse(address);
  option.destination.source = IpAddress::parse(source != nullptr                    ? source
                                               : option.destination.address.is_v4() ? "10.0.0.1"
                                                                                    : "2001:db8::ffff");
  option.origin = origin;
  option.precedence = precedence;
  return option;
}
bool first(const RelayOption& a, const RelayOption& b) { return compare_options(a, b, default_discovery_order()) < 0; }

TEST(RelayPreference, DnsSdThenAnycastThenDriad) {  // D-3.1.2-a
  const RelayOption dns_sd = option(RelayOrigin::kDnsSd, 200, "192.0.2.1");
  const RelayOption anycast = option(RelayOrigin::kAnycast, 100, "192.52.193.1");
  const RelayOption driad = option(RelayOrigin::kDriad, 0, "203.0.113.1");
  EXPECT_TRUE(first(dns_sd, anycast));
  EXPECT_TRUE(first(anycast, driad));
  EXPECT_TRUE(first(dns_sd, driad));
}

TEST(RelayPreference, OrderIsConfigurable) {  // D-3.1.2-a
  const std::vector<RelayOrigin> order{RelayOrigin::kDriad, RelayOrigin::kAnycast};
  EXPECT_TRUE(compare_options(option(RelayOrigin::kDriad, 255, "192.0.2.1"),
                              option(RelayOrigin::kAnycast, 0, "192.52.193.1"), order) < 0);
}

TEST(RelayPreference, PrecedenceComesBeforeAddressSelection) {  // D-3.1.2-b, D-4.2.1-a
  // By RFC 6724 the IPv6 relay is first.
  EXPECT_TRUE(first(option(RelayOrigin::kDriad, 10, "192.0.2.1"), option(RelayOrigin::kDriad, 11, "2001:db8::1")));
  EXPECT_TRUE(first(option(RelayOrigin::kDriad, 10, "2001:db8::1"), option(RelayOrigin::kDriad, 10, "192.0.2.1")));
}

TEST(RelayPreference, EqualsGoByLot) {  // D-3.1.2-c
  RelayOption a = option(RelayOrigin::kDriad, 10, "192.0.2.1");
  RelayOption b = option(RelayOrigin::kDriad, 10, "192.0.2.2");
  b.destination.source = a.destination.source = IpAddress::parse("10.0.0.1");
  a.lot = 1;
  b.lot = 2;
  EXPECT_TRUE(first(a, b));
  std::swap(a.lot, b.lot);
  EXPECT_TRUE(first(b, a));
}

TEST(RelayPreference, OuterFamilyIsIndependentOfTheChannel) {  // D-2.2-a
  // Nothing in an option says what family the source has: relays of both families compete for it.
  std::vector<RelayOption> options{option(RelayOrigin::kDriad, 20, "2001:db8::1"),
                                   option(RelayOrigin::kDriad, 10, "192.0.2.1")};
  std::ranges::sort(options, first);
  EXPECT_TRUE(options[0].destination.address.is_v4());
}

TEST(RelayPreference, DriadOnlyWhenNothingNearerServes) {  // D-2.1-a, D-3.1.1-a, D-3.3.2-b
  const DriadConditions wanted{.source_known = true};
  EXPECT_TRUE(may_use_driad(wanted));
  EXPECT_FALSE(may_use_driad({}));  // at interface start no source is known
  for (bool DriadConditions::*condition :
       {&DriadConditions::native_path, &DriadConditions::served_already, &DriadConditions::configured_relay,
        &DriadConditions::dns_sd_relay, &DriadConditions::anycast_relay}) {
    DriadConditions conditions = wanted;
    conditions.*condition = true;
    EXPECT_FALSE(may_use_driad(conditions));
  }
}

}  // namespace
}  // namespace amt
