#include "discovery/relay_race.hh"

#include <gtest/gtest.h>

#include <map>

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
RelayOption option(const char* address, std::uint16_t precedence, RelayOrigin origin = RelayOrigin::kDriad) {
  RelayOption option;
  option.destination = {ip(address), ip("10.0.0.1")};
  option.precedence = precedence;
  option.origin = origin;
  return option;
}

class Race : public testing::Test {
 protected:
  /// `start 192.0.2.1, won 192.0.2.1`
  std::string steps() {
    std::string text;
    while (const std::optional<RaceStep> step = race.poll_step()) {
      if (!text.empty()) text += ", ";
      if (const auto* start = std::get_if<StartAttempt>(&*step)) {
        text += "start " + start->option.destination.address.to_string();
      } else if (const auto* won = std::get_if<RaceWon>(&*step)) {
        text += "won " + won->option.destination.address.to_string();
      } else {
        text += "lost";
      }
    }
    return text;
  }
  void pass(Duration duration) {
    now += duration;
    race.handle_timeout(now);
  }

  SeededRandom random{1};
  HoldDowns hold_downs;
  Instant now = Instant() + std::chrono::hours(1);
  RelayRace race{{}, hold_downs, random};
};

TEST_F(Race, AttemptsAreStaggeredInOrderOfPreference) {  // D-3.2.1-a, D-8305-a
  race.add(now, option("192.0.2.20", 20));
  race.add(now, option("192.0.2.30", 30));
  race.add(now, option("192.0.2.10", 10));
  EXPECT_EQ(steps(), "start 192.0.2.20");  // connection initiation does not wait
  EXPECT_EQ(race.next_deadline(), now + milliseconds(250));
  pass(milliseconds(249));
  EXPECT_EQ(steps(), "");
  pass(milliseconds(1));
  EXPECT_EQ(steps(), "start 192.0.2.10");
  pass(milliseconds(250));
  EXPECT_EQ(steps(), "start 192.0.2.30");
  EXPECT_EQ(race.next_deadline(), kNoDeadline);
}

TEST_F(Race, LateAnswersJoin) {  // D-3.2.2-b
  race.add(now, option("192.0.2.20", 20));
  pass(milliseconds(100));
  race.add(now, option("192.0.2.1", 0, RelayOrigin::kDnsSd));
  EXPECT_EQ(steps(), "start 192.0.2.20");
  pass(milliseconds(150));
  EXPECT_EQ(steps(), "start 192.0.2.1");
}

TEST_F(Race, FirstQueryWinsAndNobodyElseIsAskedAnyMore) {  // D-3.2.3-a, D-3.2.3-b, D-3.2.1-b
  race.add(now, option("192.0.2.10", 10));
  race.add(now, option("192.0.2.20", 20));
  race.add(now, option("192.0.2.30", 30));
  pass(milliseconds(250));
  EXPECT_EQ(steps(), "start 192.0.2.10, start 192.0.2.20");
  race.handle_query(now, ip("192.0.2.20"), false);
  EXPECT_EQ(steps(), "won 192.0.2.20");
  EXPECT_TRUE(race.is_over());
  race.handle_query(now, ip("192.0.2.10"), false);
  pass(milliseconds(1000));
  EXPECT_EQ(steps(), "");
  EXPECT_EQ(race.next_deadline(), kNoDeadline);
}

TEST_F(Race, LimitFlagLoses) {  // D-3.3.5-a
  race.add(now, option("192.0.2.10", 10));
  race.lookups_done(now);
  EXPECT_EQ(steps(), "start 192.0.2.10");
  race.handle_query(now, ip("192.0.2.10"), true);
  EXPECT_EQ(steps(), "lost");
}

TEST_F(Race, FailureHurriesTheNextButNotBelowTheLeastDistance) {  // D-8305-a
  race.add(now, option("192.0.2.10", 10));
  race.add(now, option("192.0.2.20", 20));
  steps();
  race.handle_failure(now, ip("192.0.2.10"));
  EXPECT_EQ(steps(), "");
  EXPECT_EQ(race.next_deadline(), now + milliseconds(10));
  pass(milliseconds(10));
  EXPECT_EQ(steps(), "start 192.0.2.20");
}

TEST_F(Race, AttemptDelayIsHeldWithinBounds) {  // D-8305-a
  RelayRace hasty({.attempt_delay = milliseconds(1)}, hold_downs, random);
  hasty.add(now, option("192.0.2.10", 10));
  hasty.add(now, option("192.0.2.20", 20));
  EXPECT_EQ(hasty.next_deadline(), now + milliseconds(10));
  RelayRace slow({.attempt_delay = std::chrono::hours(1)}, hold_downs, random);
  slow.add(now, option("192.0.2.10", 10));
  slow.add(now, option("192.0.2.20", 20));
  EXPECT_EQ(slow.next_deadline(), now + std::chrono::seconds(2));
}

TEST_F(Race, AnswersOfThoseThatDoNotRunAreIgnored) {
  race.add(now, option("192.0.2.10", 10));
  race.add(now, option("192.0.2.20", 20));
  steps();
  race.handle_query(now, ip("192.0.2.20"), false);  // was not asked yet
  race.handle_query(now, ip("192.0.2.99"), false);
  EXPECT_FALSE(race.is_over());
  EXPECT_EQ(steps(), "");
}

TEST_F(Race, HeldDownRelaysDoNotRun) {  // D-3.1.2-d
  hold_downs.hold_after_limit(now, ip("192.0.2.10"));
  race.add(now, option("192.0.2.10", 10));
  EXPECT_EQ(race.next_deadline(), kNoDeadline);
  race.add(now, option("192.0.2.20", 20));
  EXPECT_EQ(steps(), "start 192.0.2.20");
  race.lookups_done(now);
  race.handle_failure(now, ip("192.0.2.20"));
  EXPECT_EQ(steps(), "lost");
}

TEST_F(Race, RelaysThatDeliveredNothingComeLast) {  // D-3.1.2-d
  hold_downs.hold_after_no_traffic(now, ip("192.0.2.10"), ip("198.51.100.1"), random);
  for (const bool unserved : {true, false}) {
    RelayRace one({.source = ip("198.51.100.1"), .unserved = unserved}, hold_downs, random);
    one.add(now, option("192.0.2.10", 10));
    one.add(now, option("192.0.2.20", 20));
    one.lookups_done(now);
    EXPECT_EQ(std::get<StartAttempt>(*one.poll_step()).option.precedence, 20);
    one.handle_timeout(now + seconds(5));
    EXPECT_FALSE(one.poll_step());
    one.handle_failure(now + seconds(5), ip("192.0.2.20"));
    const std::optional<RaceStep> last = one.poll_step();
    ASSERT_TRUE(last);
    // Better than none; but whoever has one keeps it.
    EXPECT_EQ(std::holds_alternative<StartAttempt>(*last), unserved);
    EXPECT_EQ(std::holds_alternative<RaceLost>(*last), !unserved);
  }
  race.add(now, option("192.0.2.10", 10));  // for another source it is as good as any
  EXPECT_EQ(steps(), "start 192.0.2.10");
}

TEST_F(Race, UnreachableRelaysDoNotRun) {
  RelayOption away = option("2001:db8::1", 1);
  away.destination.source.reset();
  race.add(now, away);
  race.lookups_done(now);
  EXPECT_EQ(steps(), "lost");
}

TEST_F(Race, NothingFoundIsLostOnceTheLookupsAreOver) {
  pass(seconds(9));
  EXPECT_EQ(steps(), "");
  race.lookups_done(now);
  EXPECT_EQ(steps(), "lost");
  race.lookups_done(now);
  EXPECT_EQ(steps(), "");
}

TEST_F(Race, RepeatedAddressRunsOnceInItsBetterPlace) {
  race.add(now, option("192.0.2.5", 5));
  race.add(now, option("192.0.2.30", 30));
  race.add(now, option("192.0.2.20", 20));
  race.add(now, option("192.0.2.30", 10));
  pass(milliseconds(250));
  EXPECT_EQ(steps(), "start 192.0.2.5, start 192.0.2.30");
  pass(milliseconds(250));
  EXPECT_EQ(steps(), "start 192.0.2.20");
  pass(milliseconds(250));
  EXPECT_EQ(steps(), "");
}

TEST_F(Race, OriginsThatAreNotInTheOrderDoNotRun) {  // D-3.1.2-a
  RelayRace only_driad({.order = {RelayOrigin::kDriad}}, hold_downs, random);
  only_driad.add(now, option("192.52.193.1", 0, RelayOrigin::kAnycast));
  only_driad.lookups_done(now);
  EXPECT_TRUE(std::holds_alternative<RaceLost>(*only_driad.poll_step()));
}

TEST_F(Race, EqualsStartInAnyOrder) {  // D-3.1.2-c
  // The second of three equals is whichever has the lowest lot: each of both others in a third to two thirds of races.
  std::map<std::string, int> counts;
  for (int i = 0; i < 300; ++i) {
    RelayRace one({}, hold_downs, random);
    for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) one.add(now, option(address, 10));
    one.handle_timeout(now + milliseconds(250));
    static_cast<void>(one.poll_step());
    const std::optional<RaceStep> second = one.poll_step();
    ASSERT_TRUE(second);
    ++counts[std::get<StartAttempt>(*second).option.destination.address.to_string()];
  }
  EXPECT_GT(counts["192.0.2.2"], 100);
  EXPECT_GT(counts["192.0.2.3"], 100);
}

TEST_F(Race, NumberOfOptionsIsBounded) {
  for (std::uint32_t i = 0; i < 1000; ++i) {
    RelayOption one = option("192.0.2.1", 10);
    one.destination.address = IpAddress::from_v4(0xc6336400 + i);
    race.add(now, one);
  }
  std::size_t started = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    while (race.poll_step()) ++started;
    pass(milliseconds(250));
  }
  EXPECT_EQ(started, RelayRace::kOptionsMax);
}

}  // namespace
}  // namespace amt
