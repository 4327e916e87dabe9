/// A few thousand gateways lose their relay at the same moment (`make storm` shows it with 100 000).
#include "sim/storm.hh"

#include <gtest/gtest.h>

namespace amt::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kGateways = 2000;
/// By chance some relays and some moments get more than their share.
constexpr double kUneven = 1.5;

TEST(Storm, OtherRelaysSeeNoMoreThanTheirShareAtATime) {  // D-3.3.4.1-a
  const StormScenario scenario{.gateways = kGateways, .others = 9};
  const StormFigures figures = Storm(scenario).run();
  EXPECT_EQ(figures.served, kGateways);
  EXPECT_LT(figures.peak_100ms, kUneven * StormFigures::share(scenario));
  // Each comes once.
  EXPECT_EQ(figures.discoveries, kGateways);
  EXPECT_EQ(figures.requests, 2 * kGateways);
  EXPECT_LE(figures.updates, 2 * kGateways);
  // The source sends every 200 ms, a viewer of a real one waits that much less.
  EXPECT_LT(figures.last_served, milliseconds(2200));
}

TEST(Storm, WithoutChanceAllComeAtOnce) {  // the bound can be broken
  StormScenario scenario{.gateways = kGateways, .others = 9};
  const double share = StormFigures::share(scenario);
  scenario.gateway.silence_span = Duration::zero();
  EXPECT_GT(Storm(scenario).run().peak_100ms, kUneven * share);
}

TEST(Storm, RelayThatIsMuchTooSlowServesAllInTheEnd) {
  // 2000 gateways at 0.02 cores are as 100 000 at one.
  const StormScenario scenario{.gateways = kGateways, .cores = 0.02, .socket_datagrams = 200, .watched = seconds(60)};
  const StormFigures figures = Storm(scenario).run();
  EXPECT_GT(figures.overflowed, 0U);
  EXPECT_EQ(figures.served, kGateways);
  // With all the time in the world it would be 5.
  EXPECT_LT(figures.messages(), 12 * kGateways);
  EXPECT_LT(figures.last_served, seconds(20));
}

TEST(Storm, DnsIsAskedOnceByEach) {  // D-3.1.1-a, D-3.5-a
  const StormScenario scenario{.gateways = kGateways, .others = 9, .asks_dns = true};
  const StormFigures figures = Storm(scenario).run();
  EXPECT_EQ(figures.served, kGateways);
  EXPECT_EQ(figures.dns_queries, kGateways);
  const double span = std::chrono::duration<double>(scenario.gateway.silence_span).count();
  EXPECT_LT(figures.dns_peak_100ms, kUneven * static_cast<double>(kGateways) / span);
  EXPECT_LT(figures.peak_100ms, kUneven * StormFigures::share(scenario));
}

TEST(Storm, FullRelaysAreAskedOnceAndThenLeftAlone) {  // D-3.3.5-a, D-3.3.5-b, D-3.1.2-d
  const StormScenario scenario{
      .gateways = kGateways, .others = 3, .tunnels_max = kGateways / 6, .watched = seconds(120)};
  const StormFigures figures = Storm(scenario).run();
  EXPECT_EQ(figures.served, scenario.others * scenario.tunnels_max);
  EXPECT_LE(figures.discoveries, scenario.others * kGateways);
  EXPECT_LT(figures.peak_100ms, kUneven * StormFigures::share(scenario));
}

TEST(Storm, SourceThatPausesIsAskedAboutSpreadInTime) {  // D-3.3.4.1-a
  const StormScenario scenario{.gateways = kGateways, .others = 9, .source_pauses = true, .watched = seconds(10)};
  const StormFigures figures = Storm(scenario).run();
  // At the relay that all use: a Request and the repeated report within the span.
  const double span = std::chrono::duration<double>(scenario.gateway.silence_span).count();
  EXPECT_LT(figures.peak_100ms, kUneven * 3 * static_cast<double>(kGateways) / span);
}

TEST(Storm, DeadRelaysAreAskedEverMoreRarely) {
  StormScenario scenario{.gateways = 500, .others = 3, .others_dead = true, .watched = seconds(30)};
  const std::uint64_t early = Storm(scenario).run().messages();
  scenario.watched = seconds(90);
  const std::uint64_t all = Storm(scenario).run().messages();
  // Twice as long, and less than twice as many.
  EXPECT_LT(all - early, 2 * early);
  // No gateway asks a relay more than once a second, on average over the time.
  EXPECT_LT(all, 90 * scenario.others * scenario.gateways / 2);
}

}  // namespace
}  // namespace amt::sim
