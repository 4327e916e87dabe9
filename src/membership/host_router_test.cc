/// The host side speaks to the router side over octets: both agree after every change.
#include <gtest/gtest.h>

#include <map>

#include "membership/host.hh"
#include "membership/router.hh"

namespace amt {
namespace {

class HostAndRouter : public testing::TestWithParam<Family> {
 protected:
  HostAndRouter() {
    host_options_.family = GetParam();
    // Small, so that lists are split over reports.
    host_options_.report_octets_max = GetParam() == Family::kIpv4 ? 80 : 170;
  }
  [[nodiscard]] IpAddress address(std::uint8_t first, std::uint8_t second, std::uint64_t last) const {
    if (GetParam() == Family::kIpv4) {
      return IpAddress::from_v4(static_cast<std::uint32_t>(first) << 24 | static_cast<std::uint32_t>(last));
    }
    std::array<std::byte, 16> octets{};
    octets[0] = std::byte{0xff};
    if (first < 224) octets[0] = std::byte{0x20};
    octets[1] = std::byte{second};
    octets[12] = std::byte{0x80};
    octets[15] = static_cast<std::byte>(last);
    return IpAddress::from_v6(octets);
  }
  [[nodiscard]] IpAddress group(std::uint64_t n) const {
    const bool ssm = n % 2 == 0;
    return address(ssm ? 232 : 239, ssm ? 0x3e : 0x1e, n + 0x80);
  }
  [[nodiscard]] bool is_ssm(std::uint64_t n) const { return n % 2 == 0; }

  /// Delivers what is due, or loses it.
  void drain(Instant now, HostMachine& host, RouterState& router, bool lose) {
    const IpAddress from = IpAddress::unspecified(GetParam());
    while (const auto records = host.poll_report()) {
      const auto octets = write_report(from, *records);
      ASSERT_LE(octets.size(), host_options_.report_octets_max);
      if (lose) continue;
      const auto datagram = DatagramView::parse(octets);
      ASSERT_TRUE(datagram);
      const auto message = parse_group_message(*datagram, {.router_alert = true});
      ASSERT_TRUE(message);
      std::vector<FilterChange> changes;
      const RouterRejects rejects = router.handle_report(now, std::get<GroupReport>(*message), changes);
      EXPECT_EQ(rejects.exclude_of_ssm_group, 0U);  // S-b
      EXPECT_EQ(rejects.link_scope_group + rejects.not_multicast, 0U);
    }
  }

  HostOptions host_options_;
  RouterOptions router_options_;
};

TEST_P(HostAndRouter, AgreeAfterEveryChangeEvenWhenTheFirstReportIsLost) {
  constexpr std::uint64_t kGroups = 4;
  SeededRandom random(4605);
  HostMachine host(host_options_, random);
  RouterState router(router_options_);
  Instant now{};
  Instant next_query = now;
  for (int step = 0; step < 3000; ++step) {
    now += random.between(Duration::zero(), std::chrono::seconds(5));
    if (now >= next_query) {
      host.handle_general_query(now, static_cast<std::uint8_t>(random.below(3) + 2));
      next_query = now + std::chrono::seconds(125);
      drain(now, host, router, false);
    }
    const std::uint64_t g = random.below(kGroups);
    SourceFilter filter;
    // As many blocked sources as one record takes; more wanted ones.
    const bool exclude = !is_ssm(g) && random.below(3) == 0;
    if (exclude) filter.mode = FilterMode::kExclude;
    for (std::uint64_t s = 1; s <= (exclude ? 5U : 25U); ++s) {
      if (random.below(2) == 0) filter.sources.push_back(address(10, 0, s));
    }
    if (random.below(4) == 0) filter.sources.clear();
    ASSERT_TRUE(host.set_filter(now, group(g), filter));
    drain(now, host, router, random.below(2) == 0);
    // The repeats, all within their intervals.
    for (int repeats = 0; host.next_deadline() != kNoDeadline; ++repeats) {
      ASSERT_LT(repeats, 100);
      now = std::max(now, host.next_deadline());
      host.handle_timeout(now);
      drain(now, host, router, false);
    }
    std::vector<FilterChange> changes;
    router.handle_timeout(now, changes);
    EXPECT_TRUE(changes.empty()) << "what is refreshed does not age out";
    for (std::uint64_t n = 0; n < kGroups; ++n) {
      ASSERT_EQ(router.filter(group(n)), host.filter(group(n))) << "step " << step;
    }
  }
}

std::string name_of(const testing::TestParamInfo<Family>& info) { return info.param == Family::kIpv4 ? "Igmp" : "Mld"; }

INSTANTIATE_TEST_SUITE_P(Both, HostAndRouter, testing::Values(Family::kIpv4, Family::kIpv6), name_of);

}  // namespace
}  // namespace amt
