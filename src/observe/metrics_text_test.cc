#include "observe/metrics_text.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "observe/host_counters.hh"
#include "relay/relay_counters.hh"

namespace amt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RelayStatus relay_status() {
  RelayStatus status;
  status.uptime = std::chrono::seconds(61);
  status.channel_count = 3;
  Counters<RelayCounter> counters;
  counters.add(RelayCounter::kRequestsReceived, 7);
  counters.add(RelayCounter::kTunnelsExpired, 2);
  counters.add(RelayCounter::kDataOverload, 5);
  counters.add(RelayCounter::kUpdatesAccepted, 4);
  append_counters(status.counters, counters);
  Counters<RelayReject> rejects;
  rejects.add(RelayReject::kBadMac, 9);
  append_counters(status.counters, rejects);
  append_counters(status.counters, Counters<RelayHostCounter>());
  status.workers = {{.tunnels = 2}, {.tunnels = 1}};
  status.upstreams.push_back({.interface = "eth0", .up = true, .mode = "host"});
  return status;
}

TEST(MetricsText, OfARelayHasTheNamesThatArePromised) {
  const std::vector<ChannelStatus> channels = {
      {.group = *IpAddress::parse("232.1.1.1"), .source = IpAddress::parse("192.0.2.9"), .tunnels = 3, .bytes = 100}};
  const std::string text = relay_metrics(relay_status(), channels, MetricsFormat::kPrometheus);
  for (const char* const line :
       {"# TYPE amt_build_info gauge\n", "amt_relay_tunnels 3\n", "amt_relay_channels 3\n",
        "amt_relay_uptime_seconds 61\n", "# TYPE amt_relay_messages_total counter\n",
        "amt_relay_messages_total{type=\"request\",direction=\"in\"} 7\n",
        "amt_relay_rejects_total{reason=\"bad_mac\"} 9\n", "amt_relay_drops_total{reason=\"data_overload\"} 5\n",
        "amt_relay_data_packets_total{direction=\"out\"} 0\n", "amt_relay_data_bytes_total{direction=\"in\"} 0\n",
        "amt_relay_tunnels_ended_total{reason=\"expired\"} 2\n", "amt_relay_updates_accepted_total 4\n",
        "# TYPE amt_relay_upstream_joins_missing gauge\n", "amt_relay_upstream_up{interface=\"eth0\"} 1\n",
        "amt_relay_worker_tunnels{worker=\"1\"} 1\n",
        "amt_relay_channel_tunnels{group=\"232.1.1.1\",source=\"192.0.2.9\"} 3\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("# EOF")));
}

/// No line twice, and the samples of a family follow its TYPE line.
void expect_families_are_whole(const std::string& text) {
  std::set<std::string> families;
  std::set<std::string> samples;
  std::istringstream lines(text);
  std::string family;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.rfind(' ') - 7);
      EXPECT_TRUE(families.insert(family).second) << family;
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(family)) << line << " after " << family;
      EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
  }
}

TEST(MetricsText, EachFamilyStandsTogetherAndOnce) {
  expect_families_are_whole(relay_metrics(relay_status(), {}, MetricsFormat::kPrometheus));
  expect_families_are_whole(relay_metrics(relay_status(), {}, MetricsFormat::kOpenMetrics));
}

TEST(MetricsText, OpenMetricsNamesFamiliesWithoutSuffix) {
  const std::string text = relay_metrics(relay_status(), {}, MetricsFormat::kOpenMetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE amt_build info\namt_build_info{version="));
  EXPECT_THAT(text, HasSubstr("# TYPE amt_relay_rejects counter\namt_relay_rejects_total{"));
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(MetricsText, GoesByWhatTheClientAccepts) {
  EXPECT_EQ(metrics_format(""), MetricsFormat::kPrometheus);
  EXPECT_EQ(metrics_format("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), MetricsFormat::kPrometheus);
  EXPECT_EQ(metrics_format("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"), MetricsFormat::kOpenMetrics);
  EXPECT_EQ(metrics_format("text/plain, application/openmetrics-text; q=0"), MetricsFormat::kPrometheus);
}

TEST(MetricsText, EscapesLabels) { EXPECT_EQ(label("a", "x\"y\\z\nw"), "a=\"x\\\"y\\\\z w\""); }

TEST(MetricsText, OfAGatewayCountsMembershipsThatDoNotCome) {
  GatewayStatus status;
  status.memberships.resize(3);
  status.memberships[0].use.idle = std::chrono::seconds(1);
  status.memberships[1].use.idle = std::chrono::seconds(60);
  status.relays.push_back({.relay = *Endpoint::parse("[2001:db8::1]:2268", 0), .state = "connected", .bytes = 7});
  const std::string text = gateway_metrics(status, MetricsFormat::kPrometheus);
  EXPECT_THAT(text, HasSubstr("amt_gateway_memberships 3\n"));
  EXPECT_THAT(text, HasSubstr("amt_gateway_memberships_silent 2\n"));
  EXPECT_THAT(text, HasSubstr("amt_gateway_relay_connected{relay=\"[2001:db8::1]:2268\"} 1\n"));
  expect_families_are_whole(text);
}

}  // namespace
}  // namespace amt
