/// Random streams of reports against a naive model: the tables of RFC 3376 §6.4 spelt out with sets and whole seconds.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "base/random.hh"
#include "membership/router_test_support.hh"

namespace amt {
namespace {

using namespace router_test;

using Set = std::set<std::uint32_t>;
constexpr std::int64_t kLmqt = 2;

Set plus(const Set& a, const Set& b) {
  Set out = a;
  out.insert(b.begin(), b.end());
  return out;
}
Set minus(const Set& a, const Set& b) {
  Set out = a;
  for (const std::uint32_t s : b) out.erase(s);
  return out;
}
Set times(const Set& a, const Set& b) { return minus(a, minus(a, b)); }

/// One group as RFC 3376 §6.2 has it. `lmqt` 0 is a tunnel: queried timers are lowered to zero.
struct ModelGroup {
  std::int64_t gmi = 0;
  bool exclude = false;
  Set x;
  Set y;
  std::map<std::uint32_t, std::int64_t> timer;
  std::int64_t group_timer = 0;

  void set_timers(const Set& which, std::int64_t when) {
    for (const std::uint32_t s : which) timer[s] = when;
  }
  void query_sources(const Set& which, std::int64_t when) {
    for (const std::uint32_t s : which) timer[s] = std::min(timer.at(s), when);
  }

  void report(std::int64_t now, std::int64_t lmqt, RecordType type, const Set& b) {
    const Set old_x = x;
    const Set old_y = y;
    const Set all = plus(old_x, old_y);
    const std::int64_t old_group_timer = group_timer;
    switch (type) {
      case RecordType::kModeIsInclude:
      case RecordType::kAllowNewSources:
      case RecordType::kChangeToInclude:
        x = plus(old_x, b);
        y = minus(old_y, b);
        set_timers(b, now + gmi);
        if (type == RecordType::kChangeToInclude) {
          query_sources(minus(old_x, b), now + lmqt);
          if (exclude) group_timer = std::min(group_timer, now + lmqt);
        }
        break;
      case RecordType::kBlockOldSources:
        if (!exclude) {
          query_sources(times(old_x, b), now + lmqt);
        } else {
          x = plus(old_x, minus(b, old_y));
          set_timers(minus(b, all), old_group_timer);
          query_sources(minus(b, old_y), now + lmqt);
        }
        break;
      case RecordType::kModeIsExclude:
      case RecordType::kChangeToExclude:
        if (!exclude) {
          x = times(old_x, b);
          y = minus(b, old_x);
          if (type == RecordType::kChangeToExclude) query_sources(x, now + lmqt);
        } else {
          x = minus(b, old_y);
          y = times(old_y, b);
          set_timers(minus(b, all), type == RecordType::kModeIsExclude ? now + gmi : old_group_timer);
          if (type == RecordType::kChangeToExclude) query_sources(x, now + lmqt);
        }
        exclude = true;
        group_timer = now + gmi;
        break;
    }
    run_timers(now);
  }

  void run_timers(std::int64_t now) {
    const Set running = x;
    for (const std::uint32_t s : running) {
      if (timer.at(s) > now) continue;
      x.erase(s);
      if (exclude) y.insert(s);
    }
    if (exclude && group_timer <= now) {
      exclude = false;
      y.clear();
    }
  }

  [[nodiscard]] SourceFilter filter() const {
    SourceFilter out{exclude ? FilterMode::kExclude : FilterMode::kInclude, {}};
    for (const std::uint32_t s : exclude ? y : x) out.sources.push_back(source(s));
    return out;
  }
};

class RouterAgainstModel : public testing::TestWithParam<bool> {};

TEST_P(RouterAgainstModel, AgreesOverThousandsOfRandomReports) {
  constexpr std::uint32_t kGroups = 5;
  const bool single_reporter = GetParam();
  const std::int64_t lmqt = single_reporter ? 0 : kLmqt;
  RouterOptions options;
  options.single_reporter = single_reporter;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SeededRandom random(seed);
    RouterState state(options);
    std::array<ModelGroup, kGroups> model;
    for (ModelGroup& group : model) group.gmi = 2 * 125 + (single_reporter ? 1 : 2) * 10;
    std::int64_t now = 1;
    const auto group_of = [](std::uint32_t g) { return IpAddress::from_v4(0xef010100U + g); };
    for (int step = 0; step < 3000; ++step) {
      std::array<SourceFilter, kGroups> before;
      for (std::uint32_t g = 0; g < kGroups; ++g) before[g] = model[g].filter();
      std::vector<FilterChange> changes;
      const bool report_comes = random.below(4) != 0;
      if (report_comes) {
        // Several records, also of one group, in one report.
        GroupReport report;
        for (std::uint64_t n = random.below(3) + 1; n > 0; --n) {
          const auto g = static_cast<std::uint32_t>(random.below(kGroups));
          const auto type = static_cast<RecordType>(random.below(6) + 1);
          Set listed;
          if (random.below(5) != 0) {
            for (std::uint32_t s = 1; s <= 6; ++s) {
              if (random.below(3) == 0) listed.insert(s);
            }
          }
          GroupRecord record{type, group_of(g), {}};
          for (const std::uint32_t s : listed) record.sources.push_back(source(s));
          report.records.push_back(record);
          model[g].report(now, lmqt, type, listed);
        }
        (void)state.handle_report(at(now), report, changes);
      } else {
        const bool far = random.below(3) == 0;
        now += static_cast<std::int64_t>(random.below(far ? 300 : 4));
        // Timers run when they are due, not before.
        while (state.next_deadline() <= at(now)) {
          const Instant due = state.next_deadline();
          state.handle_timeout(due, changes);
          ASSERT_GT(state.next_deadline(), due);
        }
        for (ModelGroup& group : model) group.run_timers(now);
      }
      std::size_t expected_groups = 0;
      for (std::uint32_t g = 0; g < kGroups; ++g) {
        const SourceFilter expected = model[g].filter();
        ASSERT_EQ(state.filter(group_of(g)), expected) << "seed " << seed << " step " << step << ": " << text(expected)
                                                       << " is " << text(state.filter(group_of(g)));
        if (!expected.is_nothing()) ++expected_groups;
        // The changes lead from the filter before to the filter after, one for each group in a report.
        SourceFilter reached = before[g];
        std::size_t count = 0;
        for (const FilterChange& change : changes) {
          if (change.group != group_of(g)) continue;
          ASSERT_EQ(change.before, reached);
          ASSERT_NE(change.before, change.after);
          reached = change.after;
          ++count;
        }
        ASSERT_EQ(reached, expected);
        if (report_comes) {
          ASSERT_LE(count, 1U);
        }
      }
      ASSERT_EQ(state.group_count(), expected_groups);
      ASSERT_GT(state.next_deadline(), at(now));
      ASSERT_EQ(state.next_deadline() == kNoDeadline, state.empty());
      while (state.poll_query()) {
        ASSERT_FALSE(single_reporter);
      }
    }
  }
}

std::string name_of(const testing::TestParamInfo<bool>& info) { return info.param ? "Tunnel" : "Lan"; }

INSTANTIATE_TEST_SUITE_P(Both, RouterAgainstModel, testing::Bool(), name_of);

}  // namespace
}  // namespace amt
