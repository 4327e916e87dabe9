#include "observe/status.hh"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "amt/version.hh"
#include "gateway/gateway.hh"
#include "observe/status_rows.hh"
#include "observe/status_text.hh"
#include "relay/relay_counters.hh"

namespace amt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RelayStatus relay_status() {
  RelayStatus status;
  status.uptime = std::chrono::milliseconds(61'500);
  status.channel_count = 2;
  status.counters = {{&counter_info(RelayCounter::kRequestsReceived), 18446744073709551615U},
                     {&counter_info(RelayReject::kBadMac), 0}};
  status.upstreams.push_back(
      {.interface = "amtr0", .up = true, .mode = "router", .joins_missing = 0, .queries = 3, .reports = 4, .drops = 5});
  status.workers = {{.tunnels = 1, .packets = 7, .bytes = 700, .receive_drops = 2, .upstream_drops = 5}, {}};
  return status;
}

TunnelStatus tunnel_status() {
  return {.endpoint = *Endpoint::parse("[2001:db8::1]:5000", 0),
          .groups = {{*IpAddress::parse("232.1.1.1"), {FilterMode::kInclude, {*IpAddress::parse("198.51.100.10")}}},
                     {*IpAddress::parse("239.1.1.1"), {FilterMode::kExclude, {}}}},
          .packets = 7,
          .bytes = 700,
          .since = std::chrono::milliseconds(90'900),
          .heard = std::chrono::milliseconds(750),
          .expires = std::chrono::milliseconds(259'250)};
}

/// As `relay_status_stream` puts it together.
std::string relay_json() {
  std::string out = status_head_json(relay_status(), true) + ",\"tunnels\":[";
  JsonRows tunnels;
  tunnels.add_tunnel(out, {.tunnel = tunnel_status()});
  out += "],\"tunnels_matched\":1,\"channels\":[";
  JsonRows channels;
  channels.add_channel(out, {.group = *IpAddress::parse("232.1.1.1"),
                             .source = IpAddress::parse("198.51.100.10"),
                             .tunnels = 1,
                             .packets = 7,
                             .bytes = 700});
  channels.add_channel(out, {.group = *IpAddress::parse("239.1.1.1"), .source = {}, .tunnels = 1});
  return out + "],\"channels_matched\":2}";
}

GatewayStatus gateway_status() {
  GatewayStatus status;
  status.uptime = std::chrono::hours(25);
  status.counters = {{&counter_info(GatewayCounter::kRequestsSent), 3}};
  status.relays.push_back(
      {.relay = *Endpoint::parse("192.0.2.1", 2268), .state = "connected", .groups = 1, .packets = 5, .bytes = 500});
  status.memberships = {
      {*IpAddress::parse("ff3e::8000:1"), {FilterMode::kInclude, {*IpAddress::parse("2001:db8::10")}}}};
  status.downstreams.push_back({.info = {.interface = "eth1",
                                         .kind = "lan",
                                         .up = true,
                                         .is_querier = {true, false},
                                         .querier = {IpAddress::parse("192.0.2.9"), std::nullopt},
                                         .packets = 4,
                                         .bytes = 400,
                                         .drops = 1,
                                         .hop_limit_exceeded = 2,
                                         .too_big = 3},
                                .groups = {{*IpAddress::parse("232.1.1.1"), {FilterMode::kExclude, {}}}}});
  return status;
}

std::string head(const char* role, const char* uptime) {
  return std::string("{\"role\":\"") + role + "\",\"version\":\"" + std::string(version()) +
         "\",\"uptime_seconds\":" + uptime;
}

TEST(Status, OfARelayHasTheShapeThatIsPromised) {
  EXPECT_EQ(
      relay_json(),
      head("relay", "61") +
          ",\"counters\":{\"requests_received\":18446744073709551615,\"reject_bad_mac\":0},\"tunnel_count\":1,"
          "\"channel_count\":2,\"draining\":false,"
          "\"upstreams\":[{\"interface\":\"amtr0\",\"up\":true,\"mode\":\"router\",\"joins_missing\":0,\"queries\":3,"
          "\"reports\":4,\"drops\":5}],"
          "\"workers\":[{\"tunnels\":1,\"packets\":7,\"bytes\":700,\"receive_drops\":2,\"upstream_drops\":5},"
          "{\"tunnels\":0,\"packets\":0,\"bytes\":0,\"receive_drops\":0,\"upstream_drops\":0}],"
          "\"tunnels\":[{\"endpoint\":\"[2001:db8::1]:5000\",\"family\":\"ipv6\",\"packets\":7,\"bytes\":700,"
          "\"since_seconds\":90,\"heard_seconds\":0,\"expires_seconds\":260,\"path\":\"socket\","
          "\"groups\":[{\"group\":\"232.1.1.1\",\"mode\":\"include\",\"sources\":[\"198.51.100.10\"]},"
          "{\"group\":\"239.1.1.1\",\"mode\":\"exclude\",\"sources\":[]}]}],\"tunnels_matched\":1,"
          "\"channels\":[{\"group\":\"232.1.1.1\",\"source\":\"198.51.100.10\",\"tunnels\":1,\"packets\":7,"
          "\"bytes\":700},"
          "{\"group\":\"239.1.1.1\",\"source\":null,\"tunnels\":1,\"packets\":0,\"bytes\":0}],"
          "\"channels_matched\":2}");
}

TEST(Status, OfATunnelInPartsIsOneObject) {
  TunnelStatus first = tunnel_status();
  TunnelStatus rest = tunnel_status();
  first.groups.pop_back();
  rest.groups.erase(rest.groups.begin());
  std::string whole;
  JsonRows().add_tunnel(whole, {.tunnel = tunnel_status()});
  std::string parts;
  JsonRows rows;
  rows.add_tunnel(parts, {.begins = true, .ends = false, .tunnel = first});
  rows.add_tunnel(parts, {.begins = false, .ends = true, .tunnel = rest});
  EXPECT_EQ(parts, whole);
  rows.add_tunnel(parts, {.tunnel = tunnel_status()});
  EXPECT_EQ(parts, whole + "," + whole);
}

TEST(Status, OfAGatewayHasTheShapeThatIsPromised) {
  EXPECT_EQ(
      to_json(gateway_status(), {}),
      head("gateway", "90000") +
          ",\"counters\":{\"requests_sent\":3},"
          "\"memberships\":[{\"group\":\"ff3e::8000:1\",\"mode\":\"include\",\"sources\":[\"2001:db8::10\"],"
          "\"packets\":0,\"bytes\":0,\"idle_seconds\":null}],"
          "\"relays\":[{\"address\":\"192.0.2.1\",\"port\":2268,\"state\":\"connected\",\"groups\":1,\"packets\":5,"
          "\"bytes\":500}],"
          "\"downstreams\":[{\"interface\":\"eth1\",\"kind\":\"lan\",\"up\":true,"
          "\"querier\":{\"ipv4\":true,\"ipv6\":false},"
          "\"querier_address\":{\"ipv4\":\"192.0.2.9\",\"ipv6\":null},"
          "\"groups\":[{\"group\":\"232.1.1.1\",\"mode\":\"exclude\",\"sources\":[]}],"
          "\"packets\":4,\"bytes\":400,\"drops\":1,\"hop_limit_exceeded\":2,\"too_big\":3,\"counters\":{}}]}");
}

TEST(Status, OfMembershipsAloneIsFilteredAndSorted) {
  GatewayStatus status = gateway_status();
  const auto add = [&](const char* group, const char* source, std::uint64_t packets, std::optional<Duration> idle) {
    status.memberships.push_back({.group = *IpAddress::parse(group),
                                  .filter = {FilterMode::kInclude, {*IpAddress::parse(source)}},
                                  .use = {.packets = packets, .bytes = 2 * packets, .idle = idle}});
  };
  add("232.1.1.2", "198.51.100.1", 5, std::chrono::seconds(3));
  add("232.1.1.1", "198.51.100.2", 9, std::chrono::milliseconds(1500));
  add("232.2.1.1", "203.0.113.1", 7, std::nullopt);
  const auto groups = [&](const char* query) {
    const std::string json = to_json(status, *StatusQuery::parse(query));
    std::string out;
    for (std::size_t at = 0; (at = json.find("\"group\":\"", at)) != std::string::npos; ++at) {
      out += json.substr(at + 9, json.find('"', at + 9) - at - 9) + " ";
    }
    return out;
  };
  EXPECT_EQ(groups("list=memberships&group=232.1.0.0/16"), "232.1.1.2 232.1.1.1 ");
  EXPECT_EQ(groups("list=memberships&sort=packets"), "232.1.1.1 232.2.1.1 232.1.1.2 ff3e::8000:1 ");
  EXPECT_EQ(groups("list=memberships&top=1"), "232.1.1.1 ");
  EXPECT_EQ(groups("list=memberships&sort=idle&top=2"), "232.1.1.2 232.1.1.1 ");
  EXPECT_EQ(groups("list=memberships&address=203.0.113.0/24"), "232.2.1.1 ");
  const std::string alone = to_json(status, *StatusQuery::parse("list=memberships&group=232.1.1.1"));
  EXPECT_EQ(alone, head("gateway", "90000") +
                       ",\"memberships\":[{\"group\":\"232.1.1.1\",\"mode\":\"include\",\"sources\":[\"198.51.100.2\"],"
                       "\"packets\":9,\"bytes\":18,\"idle_seconds\":1}]}");
}

TEST(Status, WithNativeReceptionItTellsWhoServesAChannel) {
  GatewayStatus status = gateway_status();
  EXPECT_THAT(to_json(status, {}), Not(HasSubstr("\"native\"")));
  status.native = NativeStatus{{{.interface = "eth0", .up = true, .groups = 2, .drops = 1}},
                               {{{IpAddress::parse("2001:db8::10"), *IpAddress::parse("ff3e::8000:1")}, "native"},
                                {{std::nullopt, *IpAddress::parse("239.1.1.1")}, "tunnel"}}};
  EXPECT_THAT(
      to_json(status, {}),
      HasSubstr(",\"native\":{\"interfaces\":[{\"interface\":\"eth0\",\"up\":true,\"groups\":2,\"drops\":1}],"
                "\"channels\":[{\"group\":\"ff3e::8000:1\",\"source\":\"2001:db8::10\",\"served_by\":\"native\"},"
                "{\"group\":\"239.1.1.1\",\"source\":null,\"served_by\":\"tunnel\"}]}}"));
  const std::string text = status_text(to_json(status, {}), "").value_or("none");
  EXPECT_THAT(text, HasSubstr("  eth0       up       2      1\n"));
  EXPECT_THAT(text, HasSubstr("2001:db8::10@ff3e::8000:1     native\n"));
}

TEST(Status, OfNothingHasEmptyListsAndNotNone) {
  EXPECT_THAT(
      status_head_json(RelayStatus{}, true),
      HasSubstr(
          "\"counters\":{},\"tunnel_count\":0,\"channel_count\":0,\"draining\":false,\"upstreams\":[],\"workers\":[]"));
  EXPECT_THAT(to_json(GatewayStatus{}, {}),
              HasSubstr("\"counters\":{},\"memberships\":[],\"relays\":[],\"downstreams\":[]}"));
}

TEST(Status, APersonReadsTables) {
  const std::string relay = status_text(relay_json(), "").value_or("none");
  EXPECT_THAT(relay, HasSubstr("relay " + std::string(version()) + ", up 1 min 1 s\n"));
  EXPECT_THAT(relay, HasSubstr("amtr0"));
  EXPECT_THAT(relay, HasSubstr("[2001:db8::1]:5000"));
  EXPECT_THAT(relay, HasSubstr("worker  tunnels  packets  bytes  receive drops  upstream drops\n"));
  EXPECT_THAT(relay, HasSubstr("tunnels: 1 of 1,"));
  EXPECT_THAT(relay, HasSubstr("198.51.100.10@232.1.1.1"));
  EXPECT_THAT(relay, HasSubstr("*@239.1.1.1"));
  EXPECT_THAT(relay, Not(HasSubstr("bad_mac")));  // zero
  const std::string gateway = status_text(to_json(gateway_status(), {}), "").value_or("none");
  EXPECT_THAT(gateway, HasSubstr("gateway " + std::string(version()) + ", up 1 d 1 h\n"));
  EXPECT_THAT(gateway, HasSubstr("connected"));
  EXPECT_THAT(gateway, HasSubstr("ff3e::8000:1 from 2001:db8::10        0      0  none yet\n"));
  EXPECT_THAT(gateway, HasSubstr("  eth1           IPv4       1        4    400      1\n"));
}

TEST(Status, OneListIsShownWhole) {
  const std::string tunnels = status_text(relay_json(), "tunnels").value_or("none");
  EXPECT_THAT(tunnels, HasSubstr("    232.1.1.1 from 198.51.100.10\n    239.1.1.1 from any source\n"));
  EXPECT_THAT(tunnels, Not(HasSubstr("worker")));
  EXPECT_THAT(status_text(relay_json(), "channels").value_or("none"),
              HasSubstr("198.51.100.10@232.1.1.1        1        7    700\n"));
  EXPECT_THAT(status_text(relay_json(), "counters").value_or("none"), HasSubstr("requests_received"));
  EXPECT_THAT(status_text(to_json(gateway_status(), {}), "memberships").value_or("none"), HasSubstr("none yet"));
}

// Whatever the relay has, the summary fits a screen.
TEST(Status, ASummaryIsBounded) {
  RelayStatus status;
  for (int i = 0; i < 64; ++i) status.workers.push_back({.tunnels = 1000});
  Counters<RelayReject> rejects;
  for (std::size_t i = 0; i < rejects.kSize; ++i) rejects.add(static_cast<RelayReject>(i));
  append_counters(status.counters, rejects);
  const std::string text = status_text(status_head_json(status, true) + "}", "").value_or("none");
  EXPECT_LT(std::ranges::count(text, '\n'), 32);
  EXPECT_THAT(text, HasSubstr("and 60 more: amt status --json\n"));
  EXPECT_THAT(text, HasSubstr(fmt::format("and {} more: amt status counters\n", Counters<RelayReject>::kSize - 8)));
}

TEST(Status, WhatIsMissingOrOfAnotherKindIsLeftOut) {
  EXPECT_FALSE(status_text("", ""));
  EXPECT_FALSE(status_text("[]", ""));
  EXPECT_FALSE(status_text("{\"role\":\"toaster\"}", ""));
  EXPECT_FALSE(status_text("{\"role\":7}", ""));
  EXPECT_TRUE(status_text("{\"role\":\"relay\"}", ""));
  EXPECT_TRUE(
      status_text("{\"role\":\"relay\",\"version\":{},\"uptime_seconds\":\"x\",\"counters\":[],\"tunnels\":[1,{}],"
                  "\"channels\":{\"a\":1}}",
                  ""));
  EXPECT_TRUE(status_text(
      "{\"role\":\"gateway\",\"uptime_seconds\":-1e300,\"relays\":[[]],\"memberships\":[{\"sources\":[1]}]}", ""));
  EXPECT_THAT(*status_text("{\"role\":\"gateway\",\"relays\":[{\"state\":\"\\u001b[2J\"}]}", ""),
              HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace amt
