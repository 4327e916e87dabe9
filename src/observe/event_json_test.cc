#include "observe/event_json.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

/// 2026-03-01T12:00:00Z, when the other clock stood at 100 s.
const WallTime kNoon = WallTime(seconds(1'772'366'400));
const WallClock kClock{Instant(seconds(100)), kNoon};

std::string line_of(const RelayEvent& event) {
  std::string line;
  append_event(line, event, kClock);
  return line;
}

TEST(EventJson, WritesTimesAsRfc3339) {
  EXPECT_EQ(to_rfc3339(kNoon), "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(to_rfc3339(kNoon + milliseconds(7)), "2026-03-01T12:00:00.007Z");
  EXPECT_EQ(to_rfc3339(WallTime(milliseconds(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(EventJson, TellsWhenSomethingHappenedNotWhenItIsWritten) {
  EXPECT_EQ(line_of({.kind = RelayEvent::Kind::kTunnelBegin,
                     .endpoint = {ip("2001:db8::7"), 2268},
                     .at = Instant(seconds(40)),
                     .since = Instant(seconds(40))}),
            "{\"time\":\"2026-03-01T11:59:00.000Z\",\"event\":\"tunnel-begin\",\"endpoint\":\"[2001:db8::7]:2268\"}\n");
}

TEST(EventJson, GivesAnEndItsReasonAndTotals) {
  RelayEvent event{.kind = RelayEvent::Kind::kChannelEnd,
                   .reason = EndReason::kTornDown,
                   .endpoint = {ip("192.0.2.7"), 40000},
                   .channel = {ip("198.51.100.1"), ip("232.1.1.1")},
                   .at = Instant(milliseconds(100'500)),
                   .since = Instant(seconds(90)),
                   .packets = 3,
                   .octets = 4000};
  EXPECT_EQ(line_of(event),
            "{\"time\":\"2026-03-01T12:00:00.500Z\",\"event\":\"channel-end\",\"endpoint\":\"192.0.2.7:40000\","
            "\"group\":\"232.1.1.1\",\"source\":\"198.51.100.1\",\"reason\":\"torn-down\",\"seconds\":10.500,"
            "\"packets\":3,\"bytes\":4000}\n");
  event.channel.source.reset();
  EXPECT_NE(line_of(event).find("\"source\":null"), std::string::npos);
  event.kind = RelayEvent::Kind::kTunnelEnd;
  EXPECT_EQ(line_of(event),
            "{\"time\":\"2026-03-01T12:00:00.500Z\",\"event\":\"tunnel-end\",\"endpoint\":\"192.0.2.7:40000\","
            "\"reason\":\"torn-down\",\"seconds\":10.500,\"packets\":3,\"bytes\":4000}\n");
}

TEST(EventJson, WritesTheOthers) {
  EXPECT_EQ(refused_event(kNoon, RelayReject::kBadMac, 12),
            "{\"time\":\"2026-03-01T12:00:00.000Z\",\"event\":\"refused\",\"reason\":\"bad_mac\",\"count\":12}\n");
  EXPECT_EQ(upstream_event(kNoon, {.kind = UpstreamOwner::Change::Kind::kInterfaceLost, .interface = "eth\"0"}),
            "{\"time\":\"2026-03-01T12:00:00.000Z\",\"event\":\"upstream\",\"change\":\"lost\",\"interface\":"
            "\"eth\\\"0\"}\n");
  EXPECT_EQ(upstream_event(kNoon, {.kind = UpstreamOwner::Change::Kind::kInterfaceDown, .interface = "eth0"}),
            "{\"time\":\"2026-03-01T12:00:00.000Z\",\"event\":\"upstream\",\"change\":\"down\",\"interface\":"
            "\"eth0\"}\n");
  EXPECT_EQ(upstream_event(kNoon, {.kind = UpstreamOwner::Change::Kind::kJoined, .channel = {{}, ip("ff3e::8000:1")}}),
            "{\"time\":\"2026-03-01T12:00:00.000Z\",\"event\":\"upstream\",\"change\":\"joined\","
            "\"group\":\"ff3e::8000:1\",\"source\":null}\n");
  EXPECT_EQ(named_event(kNoon, "reload", {{"changed", "max-tunnels"}}),
            "{\"time\":\"2026-03-01T12:00:00.000Z\",\"event\":\"reload\",\"changed\":\"max-tunnels\"}\n");
}

}  // namespace
}  // namespace amt
