#include "observe/status.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "amt/version.hh"

namespace amt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RelayStatus relay_status() {
  RelayStatus status;
  status.uptime = std::chrono::milliseconds(61'500);
  status.counters = {{"requests_received", 18446744073709551615U}, {"bad_mac", 0}};
  status.upstreams.push_back(
      {.interface = "amtr0", .mode = "router", .joins_missing = 0, .queries = 3, .reports = 4, .drops = 5});
  status.tunnels.push_back(
      {.endpoint = *Endpoint::parse("[2001:db8::1]:5000", 0),
       .groups = {{*IpAddress::parse("232.1.1.1"), {FilterMode::kInclude, {*IpAddress::parse("198.51.100.10")}}},
                  {*IpAddress::parse("239.1.1.1"), {FilterMode::kExclude, {}}}},
       .packets = 7,
       .bytes = 700,
       .expires = std::chrono::milliseconds(259'250)});
  status.channels.push_back({.group = *IpAddress::parse("232.1.1.1"),
                             .source = IpAddress::parse("198.51.100.10"),
                             .tunnels = 1,
                             .packets = 7,
                             .bytes = 700});
  status.channels.push_back(
      {.group = *IpAddress::parse("239.1.1.1"), .source = {}, .tunnels = 1, .packets = 0, .bytes = 0});
  status.workers = {{.tunnels = 1, .packets = 7, .bytes = 700, .receive_drops = 2, .upstream_drops = 5}, {}};
  return status;
}

GatewayStatus gateway_status() {
  GatewayStatus status;
  status.uptime = std::chrono::hours(25);
  status.counters = {{"requests_sent", 3}};
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
  EXPECT_EQ(to_json(relay_status()),
            head("relay", "61") +
                ",\"counters\":{\"requests_received\":18446744073709551615,\"bad_mac\":0},"
                "\"upstreams\":[{\"interface\":\"amtr0\",\"mode\":\"router\",\"joins_missing\":0,\"queries\":3,"
                "\"reports\":4,\"drops\":5}],"
                "\"workers\":[{\"tunnels\":1,\"packets\":7,\"bytes\":700,\"receive_drops\":2,\"upstream_drops\":5},"
                "{\"tunnels\":0,\"packets\":0,\"bytes\":0,\"receive_drops\":0,\"upstream_drops\":0}],"
                "\"tunnels\":[{\"endpoint\":\"[2001:db8::1]:5000\",\"family\":\"ipv6\",\"groups\":["
                "{\"group\":\"232.1.1.1\",\"mode\":\"include\",\"sources\":[\"198.51.100.10\"]},"
                "{\"group\":\"239.1.1.1\",\"mode\":\"exclude\",\"sources\":[]}],"
                "\"packets\":7,\"bytes\":700,\"expires_seconds\":260,\"path\":\"socket\"}],"
                "\"channels\":[{\"group\":\"232.1.1.1\",\"source\":\"198.51.100.10\",\"tunnels\":1,\"packets\":7,"
                "\"bytes\":700},"
                "{\"group\":\"239.1.1.1\",\"source\":null,\"tunnels\":1,\"packets\":0,\"bytes\":0}]}");
}

TEST(Status, OfAGatewayHasTheShapeThatIsPromised) {
  EXPECT_EQ(
      to_json(gateway_status()),
      head("gateway", "90000") +
          ",\"counters\":{\"requests_sent\":3},"
          "\"relays\":[{\"address\":\"192.0.2.1\",\"port\":2268,\"state\":\"connected\",\"groups\":1,\"packets\":5,"
          "\"bytes\":500}],"
          "\"memberships\":[{\"group\":\"ff3e::8000:1\",\"mode\":\"include\",\"sources\":[\"2001:db8::10\"]}],"
          "\"downstreams\":[{\"interface\":\"eth1\",\"kind\":\"lan\",\"up\":true,"
          "\"querier\":{\"ipv4\":true,\"ipv6\":false},"
          "\"querier_address\":{\"ipv4\":\"192.0.2.9\",\"ipv6\":null},"
          "\"groups\":[{\"group\":\"232.1.1.1\",\"mode\":\"exclude\",\"sources\":[]}],"
          "\"packets\":4,\"bytes\":400,\"drops\":1,\"hop_limit_exceeded\":2,\"too_big\":3}]}");
}

TEST(Status, WithNativeReceptionItTellsWhoServesAChannel) {
  GatewayStatus status = gateway_status();
  EXPECT_THAT(to_json(status), Not(HasSubstr("\"native\"")));
  status.native = NativeStatus{{{.interface = "eth0", .up = true, .groups = 2, .drops = 1}},
                               {{{IpAddress::parse("2001:db8::10"), *IpAddress::parse("ff3e::8000:1")}, "native"},
                                {{std::nullopt, *IpAddress::parse("239.1.1.1")}, "tunnel"}}};
  EXPECT_THAT(
      to_json(status),
      HasSubstr(",\"native\":{\"interfaces\":[{\"interface\":\"eth0\",\"up\":true,\"groups\":2,\"drops\":1}],"
                "\"channels\":[{\"group\":\"ff3e::8000:1\",\"source\":\"2001:db8::10\",\"served_by\":\"native\"},"
                "{\"group\":\"239.1.1.1\",\"source\":null,\"served_by\":\"tunnel\"}]}}"));
  const std::string text = status_text(to_json(status)).value_or("none");
  EXPECT_THAT(text, HasSubstr("  eth0       up       2      1\n"));
  EXPECT_THAT(text, HasSubstr("2001:db8::10@ff3e::8000:1     native\n"));
}

TEST(Status, OfNothingHasEmptyListsAndNotNone) {
  EXPECT_THAT(to_json(RelayStatus{}),
              HasSubstr("\"counters\":{},\"upstreams\":[],\"workers\":[],\"tunnels\":[],\"channels\":[]}"));
  EXPECT_THAT(to_json(GatewayStatus{}),
              HasSubstr("\"counters\":{},\"relays\":[],\"memberships\":[],\"downstreams\":[]}"));
}

TEST(Status, APersonReadsTables) {
  const std::string relay = status_text(to_json(relay_status())).value_or("none");
  EXPECT_THAT(relay, HasSubstr("relay " + std::string(version()) + ", up 1 min 1 s\n"));
  EXPECT_THAT(relay, HasSubstr("amtr0"));
  EXPECT_THAT(relay, HasSubstr("[2001:db8::1]:5000"));
  EXPECT_THAT(relay, HasSubstr("worker  tunnels  packets  bytes  receive drops  upstream drops\n"));
  EXPECT_THAT(relay, HasSubstr("    232.1.1.1 from 198.51.100.10\n    239.1.1.1 from any source\n"));
  EXPECT_THAT(relay, HasSubstr("198.51.100.10@232.1.1.1"));
  EXPECT_THAT(relay, HasSubstr("*@239.1.1.1"));
  EXPECT_THAT(relay, Not(HasSubstr("bad_mac")));  // zero
  const std::string gateway = status_text(to_json(gateway_status())).value_or("none");
  EXPECT_THAT(gateway, HasSubstr("gateway " + std::string(version()) + ", up 1 d 1 h\n"));
  EXPECT_THAT(gateway, HasSubstr("connected"));
  EXPECT_THAT(gateway, HasSubstr("ff3e::8000:1 from 2001:db8::10"));
  EXPECT_THAT(gateway, HasSubstr("  eth1           IPv4       1        4    400      1\n"));
}

TEST(Status, OfSeveralWorkersIsOfOneRelay) {
  const auto status_of = [](std::uint64_t requests, const char* endpoint, const char* group) {
    RelayStatus status;
    status.counters = {{"requests_received", requests}, {"secrets_changed", 3}};
    status.upstreams.push_back({.interface = {}, .mode = {}, .drops = requests});
    status.tunnels.push_back({.endpoint = *Endpoint::parse(endpoint, 0), .groups = {}});
    status.channels.push_back(
        {.group = *IpAddress::parse("232.1.1.1"), .source = {}, .tunnels = 1, .packets = 10 * requests, .bytes = 99});
    status.channels.push_back({.group = *IpAddress::parse(group), .source = {}, .tunnels = 1});
    status.workers.push_back({.tunnels = 1});
    return status;
  };
  RelayStatus whole = status_of(2, "192.0.2.1:1", "232.1.1.2");
  merge(whole, status_of(5, "192.0.2.1:2", "232.1.1.3"));
  EXPECT_EQ(whole.counters[0].value, 7U);
  EXPECT_EQ(whole.counters[1].value, 3U);  // of each the same
  EXPECT_EQ(whole.upstreams[0].drops, 7U);
  EXPECT_EQ(whole.tunnels.size(), 2U);
  EXPECT_EQ(whole.workers.size(), 2U);
  ASSERT_EQ(whole.channels.size(), 3U);
  EXPECT_EQ(whole.channels[0].tunnels, 2U);
  // The same packets were there for both.
  EXPECT_EQ(whole.channels[0].packets, 50U);
  EXPECT_EQ(whole.channels[0].bytes, 99U);
}

TEST(Status, WhatIsMissingOrOfAnotherKindIsLeftOut) {
  EXPECT_FALSE(status_text(""));
  EXPECT_FALSE(status_text("[]"));
  EXPECT_FALSE(status_text("{\"role\":\"toaster\"}"));
  EXPECT_FALSE(status_text("{\"role\":7}"));
  EXPECT_TRUE(status_text("{\"role\":\"relay\"}"));
  EXPECT_TRUE(
      status_text("{\"role\":\"relay\",\"version\":{},\"uptime_seconds\":\"x\",\"counters\":[],\"tunnels\":[1,{}],"
                  "\"channels\":{\"a\":1}}"));
  EXPECT_TRUE(status_text(
      "{\"role\":\"gateway\",\"uptime_seconds\":-1e300,\"relays\":[[]],\"memberships\":[{\"sources\":[1]}]}"));
  EXPECT_THAT(*status_text("{\"role\":\"gateway\",\"relays\":[{\"state\":\"\\u001b[2J\"}]}"), HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace amt
