/// A gateway that goes on with what another one knew: its relay does not notice.

#include <gtest/gtest.h>

#include "base/test_state.hh"
#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

constexpr std::string_view kGroup = "232.1.1.1";
constexpr std::string_view kSource = "198.51.100.1";

StateOctets record_of(const Bench& bench) {
  return saved(bench.now, [&](StateRecordWriter& out) { bench.gateway.save(out); });
}

/// Another gateway goes on with `record` at `now`. False: it cannot.
bool restore(Bench& next, const StateOctets& record, Instant now) {
  next.now = now;
  StateRecordReader in(record, now);
  next.gateway.restore(now, in);
  next.forget();
  return in.is_good();
}

/// With data that flows, for longer than reports are repeated.
void connect(Bench& bench, QueryText query = {.seen_as = kSeenAs}) {
  ASSERT_TRUE(bench.set(kGroup, include({kSource})));
  ASSERT_TRUE(bench.answer_igmp(std::move(query)));
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(bench.data(udp_data(kSource, kGroup)));
    bench.run_for(milliseconds(20));
  }
}

TEST(GatewayRestored, SendsNothingAndTakesData) {
  Bench before;
  connect(before, {});
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  EXPECT_EQ(next.gateway.phase(), GatewayPhase::kConnected);
  EXPECT_EQ(next.gateway.relay(), kRelay);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(next.data(udp_data(kSource, kGroup)));
    next.run_for(milliseconds(100));
  }
  EXPECT_TRUE(next.sent.empty());
  EXPECT_TRUE(next.events.empty());
  EXPECT_EQ(next.gateway.counters()[GatewayCounter::kDataReceived],
            before.gateway.counters()[GatewayCounter::kDataReceived] + 100);
}

TEST(GatewayRestored, AsksWhenTheOneBeforeWouldHave) {
  Bench before;
  connect(before, {.qqic = 20});
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  before.forget();
  before.run_for(seconds(30));
  next.run_for(seconds(30));
  ASSERT_FALSE(next.all(kRequest).empty());
  EXPECT_EQ(next.all(kRequest).front().at, before.all(kRequest).front().at);
}

TEST(GatewayRestored, ReportsUnderTheQueryOfTheOneBefore) {
  Bench before;
  connect(before);
  const Sent update = before.last(kUpdate);
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  ASSERT_TRUE(next.set("232.1.1.2", include({kSource})));
  ASSERT_EQ(next.sent.size(), 1U);
  EXPECT_EQ(next.last(kUpdate).nonce(), update.nonce());
  EXPECT_EQ(next.last(kUpdate).mac(), update.mac());
  next.shut_down();
  EXPECT_EQ(next.last(kTeardown).nonce(), update.nonce());
}

TEST(GatewayRestored, RepeatsAReportThatWasToBeRepeated) {
  Bench before;
  ASSERT_TRUE(before.set(kGroup, include({kSource})));
  ASSERT_TRUE(before.answer_igmp());
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  next.run_for(seconds(1));
  EXPECT_EQ(next.all(kUpdate).size(), 1U);
}

TEST(GatewayRestored, TakesTheAnswerToARequestOfTheOneBefore) {
  Bench before;
  ASSERT_TRUE(before.set(kGroup, include({kSource})));
  const Octets nonce = before.last(kRequest).nonce();
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  QueryText query;
  query.nonce = nonce;
  ASSERT_TRUE(next.receive(query.igmp()));
  EXPECT_EQ(next.all(kUpdate).size(), 1U);
}

TEST(GatewayRestored, AsksAboutDataThatStops) {
  Bench before;
  connect(before, {});
  Bench next;
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  next.run_for(seconds(2));
  EXPECT_TRUE(next.told(GatewayEvent::Kind::kDataStopped));
  EXPECT_FALSE(next.requests(false).empty());
}

TEST(GatewayRestored, LeavesARelayThatTheOptionsDoNotName) {
  Bench before;
  connect(before);
  Bench next(Bench::with_relays({kOtherRelay}));
  StateOctets record = record_of(before);
  StateRecordReader in(record, before.now);
  next.now = before.now;
  next.forget();
  next.gateway.restore(next.now, in);
  ASSERT_TRUE(in.is_good());
  next.run_for(milliseconds(1));
  EXPECT_EQ(next.last(kTeardown).to, kRelay);
  EXPECT_EQ(next.last(kRequest).to, kOtherRelay);
}

TEST(GatewayRestored, KeepsTheRelayThatDiscoveryNamed) {
  Bench before(Bench::with_discovery());
  ASSERT_TRUE(before.receive(advertisement(before.last(kDiscovery).nonce(), "192.0.2.9"), kAnycast));
  connect(before);
  Bench next(Bench::with_discovery());
  ASSERT_TRUE(restore(next, record_of(before), before.now));
  next.run_for(seconds(1));
  EXPECT_EQ(next.gateway.relay(), kRelay);
  EXPECT_TRUE(next.all(kDiscovery).empty());
}

TEST(GatewayRestored, FromADamagedRecordRefusesOrLivesOn) {
  Bench before;
  connect(before, {.seen_as = kSeenAs});
  ASSERT_TRUE(before.set("ff3e::8000:1", include({"2001:db8::1"})));
  ASSERT_TRUE(before.set(kGroup, include({kSource, "198.51.100.2"})));
  std::size_t refused = 0;
  std::size_t taken = 0;
  for_each_damage(record_of(before), [&](const StateOctets& damaged) {
    Bench next;
    if (!restore(next, damaged, before.now)) {
      ++refused;
      return;
    }
    ++taken;
    // Timers may be over by far.
    next.gateway.handle_timeout(next.now);
    static_cast<void>(next.data(udp_data(kSource, kGroup)));
    next.run_for(seconds(200));
    next.shut_down();
  });
  EXPECT_GT(refused, 100U);
  EXPECT_GT(taken, 100U);
}

}  // namespace
}  // namespace amt::test
