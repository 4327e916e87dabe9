#include "observe/flow_exporter.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::seconds;

const WallClock kClock{Instant(seconds(100)), WallTime(seconds(1'772'366'400))};

RelayEvent event_of(RelayEvent::Kind kind) {
  RelayEvent event;
  event.kind = kind;
  event.channel = {std::nullopt, *IpAddress::parse("239.1.1.1")};
  event.at = Instant(seconds(90));
  event.packets = 10;
  event.octets = 1000;
  event.told = {Instant(seconds(80)), 4, 300};
  return event;
}

TEST(FlowExporter, RecordsWhatHasNotBeenToldYet) {
  const std::optional<FlowRecord> record = flow_of(event_of(RelayEvent::Kind::kChannelEnd), kClock);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->packets, 6U);
  EXPECT_EQ(record->octets, 700U);
  EXPECT_EQ(record->start, kClock.wall - seconds(20));
  EXPECT_EQ(record->end, kClock.wall - seconds(10));
  RelayEvent nothing = event_of(RelayEvent::Kind::kChannelEnd);
  nothing.told.packets = nothing.packets;
  EXPECT_FALSE(flow_of(nothing, kClock).has_value());
  EXPECT_FALSE(flow_of(event_of(RelayEvent::Kind::kTunnelEnd), kClock).has_value());
  EXPECT_FALSE(flow_of(event_of(RelayEvent::Kind::kChannelBegin), kClock).has_value());
}

// IANA, element 136.
TEST(FlowExporter, SaysWhyAFlowEnds) {
  RelayEvent event = event_of(RelayEvent::Kind::kFlow);
  EXPECT_EQ(flow_of(event, kClock)->reason, FlowEnd::kActive);
  event.is_idle = true;
  EXPECT_EQ(flow_of(event, kClock)->reason, FlowEnd::kIdle);
  event.kind = RelayEvent::Kind::kChannelEnd;
  for (const EndReason reason : {EndReason::kLeft, EndReason::kTornDown, EndReason::kExpired, EndReason::kMoved}) {
    event.reason = reason;
    EXPECT_EQ(flow_of(event, kClock)->reason, FlowEnd::kEnded);
  }
  for (const EndReason reason : {EndReason::kShutDown, EndReason::kDrained}) {
    event.reason = reason;
    EXPECT_EQ(flow_of(event, kClock)->reason, FlowEnd::kForced);
  }
}

}  // namespace
}  // namespace amt
