/// Every row of the state tables of RFC 3376 §6.4.1 and §6.4.2 (RFC 3810 §7.4.1, §7.4.2), on a LAN and on a tunnel.
#include <gtest/gtest.h>

#include <ostream>

#include "membership/router_test_support.hh"

namespace amt {
namespace {

using namespace router_test;

/// From INCLUDE(A), A = {1,2} since 0 s, or from EXCLUDE(X,Y), Y = {3,4} since 0 s and X = {1,2} since 5 s, a record
/// arrives at 10 s. GMI is 260 s on a tunnel and 270 s on a LAN, LMQT 2 s.
struct Row {
  const char* name;
  FilterMode from;
  RecordType type;
  SourceList listed;
  /// Changes of the filter from then on, until nothing is left.
  const char* trace;
  /// Queries sent: `10 Q{2}`; a trailing s for the S flag.
  const char* queries;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class RouterTable : public testing::TestWithParam<Row> {
 protected:
  void play(bool single_reporter) {
    const Row& row = GetParam();
    RouterOptions options;
    options.single_reporter = single_reporter;
    RouterState state(options);
    std::vector<FilterChange> changes;
    if (row.from == FilterMode::kInclude) {
      state.handle_report(at(0), report(RecordType::kAllowNewSources, sources({1, 2})), changes);
      ASSERT_EQ(text(state.filter(kGroup)), "I{1,2}");
    } else {
      state.handle_report(at(0), report(RecordType::kChangeToExclude, sources({3, 4})), changes);
      state.handle_report(at(5), report(RecordType::kAllowNewSources, sources({1, 2})), changes);
      ASSERT_EQ(text(state.filter(kGroup)), "E{3,4}");
    }
    ASSERT_FALSE(state.poll_query());

    const SourceFilter before = state.filter(kGroup);
    changes.clear();
    const RouterRejects rejects = state.handle_report(at(10), report(row.type, row.listed), changes);
    EXPECT_EQ(rejects.sources_limit + rejects.groups_limit + rejects.exclude_of_ssm_group, 0U);
    std::string trace;
    if (before != state.filter(kGroup)) {
      ASSERT_EQ(changes.size(), 1U);
      EXPECT_EQ(changes[0].before, before);
      EXPECT_EQ(changes[0].after, state.filter(kGroup));
      trace = "10 " + text(changes[0].after);
    } else {
      EXPECT_TRUE(changes.empty());
    }
    std::string queries = take_queries(state, 10);
    const std::string second = run(state, at(11));
    queries += take_queries(state, 11);
    EXPECT_EQ(second, "");
    const std::string rest = run(state);
    if (!trace.empty() && !rest.empty()) trace += " | ";
    EXPECT_EQ(trace + rest, row.trace);
    EXPECT_EQ(queries, row.queries);
    EXPECT_FALSE(state.poll_query());
    EXPECT_TRUE(state.empty());
  }

  static std::string take_queries(RouterState& state, std::int64_t second) {
    std::string out;
    while (const auto query = state.poll_query()) {
      EXPECT_EQ(query->group, kGroup);
      EXPECT_EQ(query->version, 3);
      EXPECT_EQ(query->max_response_time, std::chrono::seconds(1));
      EXPECT_EQ(query->robustness, 2);
      out += std::to_string(second) + " Q" + (query->sources.empty() ? "" : text(query->sources)) +
             (query->suppress_router_processing ? "s; " : "; ");
    }
    return out;
  }
};

class OnLan : public RouterTable {};
TEST_P(OnLan, Row) { play(false); }

class OnTunnel : public RouterTable {};
TEST_P(OnTunnel, Row) { play(true); }  // R-5.3.1-c

constexpr FilterMode kIn = FilterMode::kInclude;
constexpr FilterMode kEx = FilterMode::kExclude;
const SourceList kB = sources({2, 3});
const SourceList kA = sources({2, 4, 5});

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Lan, OnLan,
    testing::Values(
        Row{"IncludeIsIn", kIn, RecordType::kModeIsInclude, kB, "10 I{1,2,3} | 270 I{2,3} | 280 I{}", ""},
        Row{"IncludeIsEx", kIn, RecordType::kModeIsExclude, kB, "10 E{3} | 270 E{2,3} | 280 I{}", ""},
        Row{"ExcludeIsIn", kEx, RecordType::kModeIsInclude, kA, "10 E{3} | 270 I{1,2,4,5} | 275 I{2,4,5} | 280 I{}",
            ""},
        Row{"ExcludeIsEx", kEx, RecordType::kModeIsExclude, kA, "10 E{4} | 275 E{2,4} | 280 I{}", ""},
        Row{"IncludeAllow", kIn, RecordType::kAllowNewSources, kB, "10 I{1,2,3} | 270 I{2,3} | 280 I{}", ""},
        Row{"IncludeBlock", kIn, RecordType::kBlockOldSources, kB, "12 I{1} | 270 I{}", "10 Q{2}; 11 Q{2}; "},
        Row{"IncludeToEx", kIn, RecordType::kChangeToExclude, kB, "10 E{3} | 12 E{2,3} | 280 I{}",
            "10 Q{2}; 11 Q{2}; "},
        Row{"IncludeToIn", kIn, RecordType::kChangeToInclude, kB, "10 I{1,2,3} | 12 I{2,3} | 280 I{}",
            "10 Q{1}; 11 Q{1}; "},
        Row{"ExcludeAllow", kEx, RecordType::kAllowNewSources, kA, "10 E{3} | 270 I{1,2,4,5} | 275 I{2,4,5} | 280 I{}",
            ""},
        Row{"ExcludeBlock", kEx, RecordType::kBlockOldSources, kA, "12 E{2,3,4,5} | 270 I{1} | 275 I{}",
            "10 Q{2,5}; 11 Q{2,5}; "},
        Row{"ExcludeToEx", kEx, RecordType::kChangeToExclude, kA, "10 E{4} | 12 E{2,4,5} | 280 I{}",
            "10 Q{2,5}; 11 Q{2,5}; "},
        Row{"ExcludeToIn", kEx, RecordType::kChangeToInclude, kA, "10 E{3} | 12 I{2,4,5} | 280 I{}",
            "10 Q; 10 Q{1}; 11 Q; 11 Q{1}; "},
        // Empty lists.
        Row{"IncludeIsExOfNobody", kIn, RecordType::kModeIsExclude, {}, "10 E{} | 280 I{}", ""},
        Row{"IncludeToInOfNobody", kIn, RecordType::kChangeToInclude, {}, "12 I{}", "10 Q{1,2}; 11 Q{1,2}; "},
        Row{"ExcludeToInOfNobody",
            kEx,
            RecordType::kChangeToInclude,
            {},
            "12 I{}",
            "10 Q; 10 Q{1,2}; 11 Q; 11 Q{1,2}; "},
        Row{"ExcludeIsExOfNobody", kEx, RecordType::kModeIsExclude, {}, "10 E{} | 280 I{}", ""}),
    name_of);

INSTANTIATE_TEST_SUITE_P(  // I-e, I-f: LMQT = 0
    Tunnel, OnTunnel,
    testing::Values(
        Row{"IncludeIsIn", kIn, RecordType::kModeIsInclude, kB, "10 I{1,2,3} | 260 I{2,3} | 270 I{}", ""},
        Row{"IncludeIsEx", kIn, RecordType::kModeIsExclude, kB, "10 E{3} | 260 E{2,3} | 270 I{}", ""},
        Row{"ExcludeIsIn", kEx, RecordType::kModeIsInclude, kA, "10 E{3} | 260 I{1,2,4,5} | 265 I{2,4,5} | 270 I{}",
            ""},
        Row{"ExcludeIsEx", kEx, RecordType::kModeIsExclude, kA, "10 E{4} | 265 E{2,4} | 270 I{}", ""},
        Row{"IncludeAllow", kIn, RecordType::kAllowNewSources, kB, "10 I{1,2,3} | 260 I{2,3} | 270 I{}", ""},
        Row{"IncludeBlock", kIn, RecordType::kBlockOldSources, kB, "10 I{1} | 260 I{}", ""},
        Row{"IncludeToEx", kIn, RecordType::kChangeToExclude, kB, "10 E{2,3} | 270 I{}", ""},
        Row{"IncludeToIn", kIn, RecordType::kChangeToInclude, kB, "10 I{2,3} | 270 I{}", ""},
        Row{"ExcludeAllow", kEx, RecordType::kAllowNewSources, kA, "10 E{3} | 260 I{1,2,4,5} | 265 I{2,4,5} | 270 I{}",
            ""},
        Row{"ExcludeBlock", kEx, RecordType::kBlockOldSources, kA, "10 E{2,3,4,5} | 260 I{1} | 265 I{}", ""},
        Row{"ExcludeToEx", kEx, RecordType::kChangeToExclude, kA, "10 E{2,4,5} | 270 I{}", ""},
        Row{"ExcludeToIn", kEx, RecordType::kChangeToInclude, kA, "10 I{2,4,5} | 270 I{}", ""},
        // Empty lists: a leave.
        Row{"IncludeIsExOfNobody", kIn, RecordType::kModeIsExclude, {}, "10 E{} | 270 I{}", ""},
        Row{"IncludeToInOfNobody", kIn, RecordType::kChangeToInclude, {}, "10 I{}", ""},
        Row{"ExcludeToInOfNobody", kEx, RecordType::kChangeToInclude, {}, "10 I{}", ""},
        Row{"IncludeBlockOfAll", kIn, RecordType::kBlockOldSources, sources({1, 2}), "10 I{}", ""}),
    name_of);

}  // namespace
}  // namespace amt
