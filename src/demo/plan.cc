#include "demo/plan.hh"

namespace amt {
namespace {

IpAddress literal(const char* text) { return IpAddress::parse(text).value(); }

}  // namespace

const std::array<FamilyPlan, 2>& family_plans() {
  static const std::array<FamilyPlan, 2> plans = {
      FamilyPlan{.name = "IPv4",
                 .file_name = "ipv4",
                 .channel = {.source = literal("198.51.100.10"), .group = literal("232.1.2.3")},
                 .port = 5004,
                 .relay = literal("192.0.2.1"),
                 .discovery = literal("192.0.2.100"),
                 .gateway = literal("203.0.113.2"),
                 .receiver = literal("203.0.113.6")},
      FamilyPlan{.name = "IPv6",
                 .file_name = "ipv6",
                 .channel = {.source = literal("2001:db8:51::10"), .group = literal("ff3e::8000:1")},
                 .port = 5004,
                 .relay = literal("2001:db8:2::1"),
                 .discovery = literal("2001:db8:2::100"),
                 .gateway = literal("2001:db8:113::2"),
                 .receiver = literal("2001:db8:114::2")},
  };
  return plans;
}

}  // namespace amt
