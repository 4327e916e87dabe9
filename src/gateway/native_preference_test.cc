#include "gateway/native_preference.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Names {
  const char* source;
  const char* other;
  const char* group;
  const char* any_group;
};

/// One channel, its source, a local network and a relay that each bring it or do not, and everything that the machine
/// asks for. A relay takes a round trip to begin.
class Native : public testing::TestWithParam<Names> {
 protected:
  static constexpr Duration kTick = milliseconds(5);
  static constexpr Duration kRoundTrip = milliseconds(30);

  IpAddress source = *IpAddress::parse(GetParam().source);
  IpAddress other = *IpAddress::parse(GetParam().other);
  IpAddress group = *IpAddress::parse(GetParam().group);
  IpAddress any_group = *IpAddress::parse(GetParam().any_group);
  NativeOptions options;
  NativePreference machine;
  Instant now{std::chrono::hours(1)};

  // The world
  bool native_path = true;
  bool tunnel_path = true;
  Duration apart = milliseconds(10);
  /// Of so many native packets one arrives.
  unsigned native_one_of = 1;

  // What happened
  std::map<IpAddress, SourceFilter> joined;
  std::map<IpAddress, SourceFilter> asked;
  Instant asked_at = kNoDeadline;
  Instant let_go_at = kNoDeadline;
  unsigned times_asked = 0;
  std::vector<std::string> told;
  Instant next_packet{std::chrono::hours(1)};
  std::uint64_t sent = 0;
  std::uint64_t natively = 0;
  std::uint64_t by_tunnel = 0;
  Instant last_heard{std::chrono::hours(1)};
  Duration longest_gap{};
  Duration both_for{};
  Duration both_longest{};

  static SourceFilter include(SourceList sources) { return {FilterMode::kInclude, std::move(sources)}; }
  static bool wants(const std::map<IpAddress, SourceFilter>& filters, const IpAddress& of, const IpAddress& from) {
    const auto filter = filters.find(of);
    return filter != filters.end() && filter->second.accepts(from);
  }

  void drain() {
    while (const std::optional<NativeStep> step = machine.poll_step()) {
      if (const auto* join = std::get_if<JoinNatively>(&*step)) joined[join->group] = join->filter;
      if (const auto* tell = std::get_if<ChangedOver>(&*step)) told.push_back(tell->text);
      if (const auto* ask = std::get_if<AskTunnel>(&*step)) {
        asked[ask->group] = ask->filter;
        (ask->filter.is_nothing() ? let_go_at : asked_at) = now;
        times_asked += ask->filter.is_nothing() ? 0 : 1;
      }
    }
  }
  void want(const IpAddress& of, SourceFilter filter) {
    machine.set_membership(now, of, filter);
    drain();
  }
  void hear() {
    longest_gap = std::max(longest_gap, now - last_heard);
    last_heard = now;
  }
  void packet(const IpAddress& to) {
    ++sent;
    bool twice = false;
    if (native_path && sent % native_one_of == 0 && wants(joined, to, source)) {
      const NativeVerdict verdict = machine.handle_native(now, source, to);
      EXPECT_NE(verdict, NativeVerdict::kUnwanted);
      ++natively;
      hear();
      twice = true;
    }
    drain();
    if (tunnel_path && wants(asked, to, source) && now - asked_at >= kRoundTrip) {
      const NativeVerdict verdict = machine.handle_tunnel(now, source, to);
      EXPECT_NE(verdict, NativeVerdict::kUnwanted);
      // Two copies are never delivered unlooked at.
      EXPECT_TRUE(!twice || verdict == NativeVerdict::kCheck);
      ++by_tunnel;
      hear();
    } else {
      twice = false;
    }
    drain();
    both_for = twice ? both_for + apart : Duration::zero();
    both_longest = std::max(both_longest, both_for);
  }
  void run(Duration duration, const IpAddress& to) {
    for (const Instant end = now + duration; now < end; now += kTick) {
      if (now >= machine.next_deadline()) machine.handle_timeout(now);
      drain();
      if (now < next_packet) continue;
      next_packet = now + apart;
      packet(to);
    }
  }
  void run(Duration duration) { run(duration, group); }
  ServedBy served(const IpAddress& of) const {
    ServedBy found = ServedBy::kNobody;
    machine.for_each_channel([&](const Channel& channel, ServedBy by) {
      if (channel.group == of) found = by;
    });
    return found;
  }
  bool tunnel_asked() const { return wants(asked, group, source); }
};

TEST_P(Native, TrafficThatIsThereNeedsNoTunnel) {  // D-3.1.1-a (1)
  want(group, include({source}));
  EXPECT_TRUE(wants(joined, group, source));
  run(minutes(5));
  EXPECT_EQ(times_asked, 0U);
  EXPECT_EQ(by_tunnel, 0U);
  EXPECT_EQ(served(group), ServedBy::kNative);
  EXPECT_FALSE(machine.may_double());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], source.to_string() + "@" + group.to_string() + " comes natively");
}

TEST_P(Native, WithoutItTheTunnelIsAskedAfterTheHeadStart) {
  native_path = false;
  const Instant begin = now;
  want(group, include({source}));
  EXPECT_EQ(served(group), ServedBy::kNobody);
  run(minutes(5));
  EXPECT_EQ(asked_at, begin + options.head_start);
  EXPECT_EQ(times_asked, 1U);
  EXPECT_EQ(served(group), ServedBy::kTunnel);
  EXPECT_TRUE(wants(joined, group, source));
}

TEST_P(Native, LateTrafficLetsTheTunnelGoAfterTheOverlap) {
  native_path = false;
  want(group, include({source}));
  run(seconds(20));
  native_path = true;
  const Instant back = now;
  EXPECT_TRUE(machine.may_double());
  run(seconds(1));
  EXPECT_EQ(served(group), ServedBy::kBoth);
  run(seconds(10));
  EXPECT_NEAR(static_cast<double>((let_go_at - back - options.overlap).count()), 0,
              static_cast<double>(2 * apart.count()));
  EXPECT_LE(both_longest, options.overlap + 2 * apart);
  EXPECT_EQ(served(group), ServedBy::kNative);
  EXPECT_LE(longest_gap, options.head_start + kRoundTrip + 2 * apart);
  EXPECT_FALSE(machine.may_double());
}

TEST_P(Native, WhenItStopsTheTunnelIsBack) {
  want(group, include({source}));
  run(seconds(20));
  native_path = false;
  const Instant stop = now;
  run(seconds(20));
  EXPECT_EQ(served(group), ServedBy::kTunnel);
  EXPECT_LE(asked_at - stop, options.silence);
  EXPECT_LE(longest_gap, options.silence + kRoundTrip + 2 * apart);
  // The join stays, so that native traffic can be back at once.
  EXPECT_TRUE(wants(joined, group, source));
  native_path = true;
  run(seconds(20));
  EXPECT_EQ(served(group), ServedBy::kNative);
  EXPECT_LE(both_longest, options.overlap + 2 * apart);
}

TEST_P(Native, SlowStreamIsJudgedByItsOwnRhythm) {
  apart = seconds(3);
  want(group, include({source}));
  run(minutes(2));
  const unsigned before = times_asked;
  run(minutes(10));
  EXPECT_EQ(times_asked, before);
  EXPECT_EQ(served(group), ServedBy::kNative);
}

TEST_P(Native, FewPacketsThatStopAreMissedToo) {
  want(group, include({source}));
  packet(group);
  EXPECT_EQ(served(group), ServedBy::kNative);
  native_path = false;
  const Instant stop = now;
  run(seconds(5));
  EXPECT_EQ(asked_at - stop, options.silence_unknown);
}

TEST_P(Native, PauseOfTheSourceIsNoFailure) {
  want(group, include({source}));
  for (int i = 0; i < 20; ++i) {
    run(seconds(10));
    now += seconds(120);  // nobody brings anything
  }
  run(seconds(10));
  EXPECT_EQ(served(group), ServedBy::kNative);
  EXPECT_TRUE(wants(joined, group, source));
  EXPECT_LE(both_longest, options.overlap + 2 * apart);
}

TEST_P(Native, FlappingIsDamped) {
  want(group, include({source}));
  unsigned rejoined = 0;
  bool was_joined = true;
  for (int i = 0; i < 600; ++i) {  // ten minutes, up and down every three seconds
    native_path = i % 6 < 3;
    run(seconds(1));
    const bool is_joined = wants(joined, group, source);
    rejoined += is_joined && !was_joined ? 1 : 0;
    was_joined = is_joined;
  }
  // After 10, 20, 40, 80, 160, 300 s.
  EXPECT_LE(rejoined, 6U);
  EXPECT_LE(times_asked, 8U);
  EXPECT_LE(both_longest, options.overlap + 2 * apart);
  // It is tried again, and trusted again.
  native_path = true;
  run(minutes(6));
  EXPECT_EQ(served(group), ServedBy::kNative);
  native_path = false;
  run(seconds(10));
  native_path = true;
  run(seconds(5));
  EXPECT_EQ(served(group), ServedBy::kNative);
}

TEST_P(Native, ReceptionWithGapsIsNotTaken) {
  native_one_of = 4;
  native_path = false;
  want(group, include({source}));
  run(seconds(5));
  native_path = true;
  run(seconds(5));
  EXPECT_TRUE(tunnel_asked());
  EXPECT_FALSE(wants(joined, group, source));
  EXPECT_LE(both_longest, options.overlap + 2 * apart);
  // What somebody else on this host joined goes on coming.
  EXPECT_EQ(machine.handle_native(now, source, group), NativeVerdict::kUnwanted);
  native_one_of = 1;
  run(seconds(10));
  EXPECT_EQ(served(group), ServedBy::kNative);
}

TEST_P(Native, OfAGroupThatTakesAnySourceEachCounts) {
  native_path = false;
  want(any_group, {FilterMode::kExclude, {other}});
  EXPECT_EQ(joined[any_group], (SourceFilter{FilterMode::kExclude, {other}}));
  run(seconds(5), any_group);
  EXPECT_EQ(asked[any_group], (SourceFilter{FilterMode::kExclude, {other}}));
  EXPECT_EQ(machine.handle_native(now, other, any_group), NativeVerdict::kUnwanted);
  native_path = true;
  run(seconds(5), any_group);
  EXPECT_TRUE(asked[any_group].is_nothing());
  EXPECT_EQ(served(any_group), ServedBy::kNative);
}

TEST_P(Native, SourcesOfAGroupAreServedApart) {
  want(group, include({std::min(source, other), std::max(source, other)}));
  run(seconds(5));
  EXPECT_EQ(asked[group], include({other}));
  EXPECT_TRUE(wants(joined, group, source) && wants(joined, group, other));
}

TEST_P(Native, ChangeOfModeLeavesNoGap) {
  native_path = false;
  want(any_group, include({source}));
  run(seconds(5), any_group);
  want(any_group, {FilterMode::kExclude, {}});
  EXPECT_EQ(asked[any_group].mode, FilterMode::kExclude);
  want(any_group, include({source}));
  EXPECT_EQ(asked[any_group], include({source}));
  native_path = true;
  run(seconds(5), any_group);
  EXPECT_EQ(served(any_group), ServedBy::kNative);
  const unsigned before = times_asked;
  want(any_group, {FilterMode::kExclude, {}});
  run(seconds(5), any_group);
  EXPECT_EQ(times_asked, before);
}

TEST_P(Native, WhatIsLeftIsLeftByBothWays) {
  native_path = false;
  want(group, include({source}));
  run(seconds(5));
  want(group, {});
  EXPECT_TRUE(joined[group].is_nothing());
  EXPECT_TRUE(asked[group].is_nothing());
  EXPECT_EQ(machine.next_deadline(), kNoDeadline);
  EXPECT_EQ(machine.handle_native(now, source, group), NativeVerdict::kUnwanted);
  EXPECT_FALSE(machine.may_double());
}

TEST_P(Native, WhateverHappensBothWaysLastNoLongerThanTheOverlap) {
  SeededRandom random(7);
  want(group, include({source}));
  for (int i = 0; i < 2000; ++i) {
    native_path = random.u64() % 2 == 0;
    tunnel_path = random.u64() % 8 != 0;
    native_one_of = random.u64() % 4 == 0 ? 3 : 1;
    run(milliseconds(100 + random.u64() % 4000));
    EXPECT_TRUE(wants(joined, group, source) || tunnel_asked());
    ASSERT_LE(both_longest, options.overlap + 2 * apart) << i;
  }
  // And nothing of it lasts.
  native_path = tunnel_path = true;
  native_one_of = 1;
  run(minutes(10));
  EXPECT_EQ(served(group), ServedBy::kNative);
  longest_gap = Duration::zero();
  last_heard = now;
  run(minutes(10));
  EXPECT_LE(longest_gap, 2 * apart);
}

INSTANTIATE_TEST_SUITE_P(Families, Native,
                         testing::Values(Names{"198.51.100.1", "198.51.100.2", "232.1.1.1", "239.1.1.1"},
                                         Names{"2001:db8::1", "2001:db8::2", "ff3e::8000:1", "ff1e::1"}),
                         [](const auto& each) { return each.index == 0 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace amt
