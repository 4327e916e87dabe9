#include "membership/host.hh"

#include <gtest/gtest.h>

#include <string>

namespace amt {
namespace {

IpAddress a(const char* text) { return *IpAddress::parse(text); }
const IpAddress kGroup = a("239.1.1.1");
const IpAddress kSsm = a("232.1.1.1");

Instant at(std::int64_t milliseconds) { return Instant{} + std::chrono::milliseconds(milliseconds); }
IpAddress source(std::uint32_t n) { return IpAddress::from_v4(0x0a000000U + n); }
SourceList list(std::initializer_list<std::uint32_t> numbers) {
  SourceList out;
  for (const std::uint32_t n : numbers) out.push_back(source(n));
  return out;
}
SourceFilter include(std::initializer_list<std::uint32_t> numbers) { return {FilterMode::kInclude, list(numbers)}; }
SourceFilter exclude(std::initializer_list<std::uint32_t> numbers) { return {FilterMode::kExclude, list(numbers)}; }
const SourceFilter kNothing{};

std::string text(const std::vector<GroupRecord>& records) {
  std::string out;
  for (const GroupRecord& record : records) {
    if (!out.empty()) out += " ";
    out += std::string(to_string(record.type)) + "{";
    for (std::size_t i = 0; i < record.sources.size(); ++i) {
      out += (i == 0 ? "" : ",") + std::to_string(std::to_integer<unsigned>(record.sources[i].mapped_octets()[15]));
    }
    out += "}";
  }
  return out;
}

class Host : public testing::Test {
 protected:
  /// The one report that is due, or "-".
  std::string due(HostMachine& host) {
    const auto report = host.poll_report();
    if (!report) return "-";
    EXPECT_FALSE(host.poll_report()) << "one report, not more";
    return text(*report);
  }
  std::string due() { return due(host_); }
  /// Runs to the next deadline, which comes within the Unsolicited Report Interval.
  std::string repeat() {
    const Instant next = host_.next_deadline();
    if (next == kNoDeadline) return "never";
    EXPECT_GT(next, last_);
    EXPECT_LE(next, last_ + std::chrono::seconds(1));
    last_ = next;
    host_.handle_timeout(next);
    return due();
  }
  bool set(const SourceFilter& filter, const IpAddress& group = kGroup) {
    return host_.set_filter(last_, group, filter);
  }
  void use_robustness(std::uint8_t robustness) { host_.handle_general_query(last_, robustness); }

  SeededRandom random_{3376};
  HostMachine host_{HostOptions{}, random_};
  Instant last_ = at(1000);
};

TEST_F(Host, ReportsEveryKindOfChange) {  // H-b
  struct Case {
    SourceFilter from;
    SourceFilter to;
    const char* records;
  };
  for (const Case& c : {
           Case{kNothing, include({1, 2}), "ALLOW{1,2}"},
           Case{include({1, 2}), include({2, 3}), "ALLOW{3} BLOCK{1}"},
           Case{include({1, 2}), include({2}), "BLOCK{1}"},
           Case{include({1}), kNothing, "BLOCK{1}"},
           Case{exclude({1, 2}), exclude({2, 3}), "ALLOW{1} BLOCK{3}"},
           Case{exclude({1}), exclude({}), "ALLOW{1}"},
           Case{include({1}), exclude({2}), "TO_EX{2}"},
           Case{kNothing, exclude({}), "TO_EX{}"},
           Case{exclude({2}), include({1}), "TO_IN{1}"},
           Case{exclude({2}), kNothing, "TO_IN{}"},
       }) {
    HostMachine host(HostOptions{}, random_);
    host.discard_pending();
    ASSERT_TRUE(host.set_filter(at(0), kGroup, c.from));
    host.handle_general_query(at(0), 2);
    while (host.poll_report()) {
    }
    ASSERT_TRUE(host.set_filter(at(0), kGroup, c.to));
    EXPECT_EQ(due(host), c.records) << c.from.to_string() << " to " << c.to.to_string();
    EXPECT_EQ(host.filter(kGroup), c.to);
  }
}

TEST_F(Host, RepeatsAChangeRobustnessMinusOneTimes) {  // H-c
  EXPECT_TRUE(set(include({1})));
  EXPECT_EQ(host_.next_deadline(), last_);
  EXPECT_EQ(due(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, SaysNothingWhenNothingChanged) {
  EXPECT_TRUE(set(include({1})));
  (void)due();
  (void)repeat();
  EXPECT_TRUE(set(include({1})));
  EXPECT_EQ(due(), "-");
  EXPECT_TRUE(set(kNothing, a("239.9.9.9")));
  EXPECT_EQ(due(), "-");
  EXPECT_EQ(host_.next_deadline(), kNoDeadline);
}

TEST_F(Host, MergesANewChangeWithThePendingOne) {  // H-c, RFC 3376 §5.1
  use_robustness(3);
  (void)set(include({1}));
  EXPECT_EQ(due(), "ALLOW{1}");
  (void)set(include({1, 2}));
  // Source 1 has two reports left, source 2 three.
  EXPECT_EQ(due(), "ALLOW{1,2}");
  EXPECT_EQ(repeat(), "ALLOW{1,2}");
  EXPECT_EQ(repeat(), "ALLOW{2}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, ASourceThatWentAndCameIsReportedAsItIs) {
  (void)set(include({1, 2}));
  EXPECT_EQ(due(), "ALLOW{1,2}");
  (void)set(include({2}));
  EXPECT_EQ(due(), "ALLOW{2} BLOCK{1}");
  (void)set(include({1, 2}));
  EXPECT_EQ(due(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, ModeChangeIsSaidInRobustnessReportsWhateverElseChanges) {  // RFC 3376 §5.1
  use_robustness(3);
  (void)set(include({1}));
  EXPECT_EQ(due(), "ALLOW{1}");
  (void)set(exclude({2}));
  EXPECT_EQ(due(), "TO_EX{2}");
  // A change of the list in between keeps the Filter-Mode-Change records, with the new list.
  (void)set(exclude({2, 3}));
  EXPECT_EQ(due(), "TO_EX{2,3}");
  EXPECT_EQ(repeat(), "TO_EX{2,3}");
  // Three have gone since the mode changed; source 3 still has one to go.
  EXPECT_EQ(repeat(), "BLOCK{3}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, ModeChangedBackBeforeItsRepeat) {
  (void)set(exclude({}));
  EXPECT_EQ(due(), "TO_EX{}");
  (void)set(kNothing);
  EXPECT_EQ(due(), "TO_IN{}");
  EXPECT_EQ(repeat(), "TO_IN{}");
  EXPECT_EQ(repeat(), "never");
  EXPECT_TRUE(host_.empty());
}

TEST_F(Host, ChangesBeforeTheFirstPollAreOneReport) {
  (void)set(include({1}));
  (void)set(include({1, 2}));
  EXPECT_EQ(due(), "ALLOW{1,2}");
}

TEST_F(Host, GroupsThatChangeTogetherAreRepeatedTogether) {
  for (std::uint32_t g = 0; g < 20; ++g) (void)set(exclude({}), IpAddress::from_v4(0xef020000U + g));
  auto report = host_.poll_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->size(), 20U);
  ASSERT_FALSE(host_.poll_report());
  ASSERT_NE(host_.next_deadline(), kNoDeadline);
  host_.handle_timeout(host_.next_deadline());
  report = host_.poll_report();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->size(), 20U);
}

TEST_F(Host, AnswersAGeneralQueryWithEveryGroup) {  // H-d
  (void)set(include({1}), kSsm);
  (void)set(exclude({2}));
  while (host_.next_deadline() != kNoDeadline) {
    host_.handle_timeout(host_.next_deadline());
    while (host_.poll_report()) {
    }
  }
  host_.handle_general_query(last_, 2);
  EXPECT_EQ(host_.next_deadline(), last_);
  EXPECT_EQ(due(), "IS_IN{1} IS_EX{2}");
  EXPECT_EQ(host_.next_deadline(), kNoDeadline);
}

TEST_F(Host, AnswersNothingWhenNothingIsWanted) {  // H-d
  host_.handle_general_query(last_, 2);
  EXPECT_EQ(due(), "-");
  (void)set(include({1}));
  (void)set(kNothing);
  EXPECT_EQ(due(), "BLOCK{1}");
  host_.handle_general_query(last_, 2);
  EXPECT_EQ(due(), "-");  // the leave has no state; its repeat is not lost
  EXPECT_EQ(repeat(), "BLOCK{1}");
}

TEST_F(Host, GeneralQueryDelayIsRandomAndTheSoonerOneWins) {  // RFC 3376 §5.2, rules 1 and 2
  host_.discard_pending();
  (void)set(exclude({}));
  host_.handle_general_query(last_, 2, std::chrono::seconds(10));
  const Instant first = host_.next_deadline();
  EXPECT_GT(first, last_);
  EXPECT_LE(first, last_ + std::chrono::seconds(10));
  EXPECT_EQ(due(), "-");
  for (int i = 0; i < 20; ++i) {
    host_.handle_general_query(last_, 2, std::chrono::seconds(10));
    EXPECT_LE(host_.next_deadline(), first);
  }
  host_.handle_timeout(host_.next_deadline());
  EXPECT_EQ(due(), "IS_EX{}");
}

TEST_F(Host, AnswersSpecificQueries) {  // RFC 3376 §5.2, rules 3 to 5
  host_.discard_pending();
  (void)set(include({1, 2, 3}));
  (void)set(exclude({1, 2}), a("239.1.1.2"));
  host_.handle_general_query(last_, 2);
  EXPECT_EQ(due(), "IS_IN{1,2,3} IS_EX{1,2}");
  EXPECT_EQ(repeat(), "IS_IN{1,2,3} IS_EX{1,2}");
  GroupQuery query;
  query.robustness = 2;
  query.max_response_time = std::chrono::seconds(1);
  const auto answer = [&](const IpAddress& group, std::initializer_list<std::uint32_t> sources) {
    query.group = group;
    query.sources = list(sources);
    host_.handle_specific_query(last_, query);
  };
  answer(kGroup, {});
  EXPECT_EQ(repeat(), "IS_IN{1,2,3}");
  answer(kGroup, {2, 9});
  EXPECT_EQ(repeat(), "IS_IN{2}");
  answer(kGroup, {9});
  EXPECT_EQ(repeat(), "-");
  answer(a("239.1.1.2"), {2, 9});
  EXPECT_EQ(repeat(), "IS_IN{9}");
  answer(a("239.9.9.9"), {});
  EXPECT_EQ(repeat(), "never");
  // Rule 5: lists add up. Rule 4: a group query clears them.
  answer(kGroup, {1});
  answer(kGroup, {3});
  EXPECT_EQ(repeat(), "IS_IN{1,3}");
  answer(kGroup, {1});
  answer(kGroup, {});
  answer(kGroup, {3});
  EXPECT_EQ(repeat(), "IS_IN{1,2,3}");
}

TEST_F(Host, PendingGeneralAnswerCoversASpecificQuery) {  // rule 1
  host_.discard_pending();
  (void)set(include({1}));
  host_.handle_general_query(last_, 2);
  GroupQuery query;
  query.group = kGroup;
  query.max_response_time = std::chrono::seconds(10);
  host_.handle_specific_query(last_, query);
  EXPECT_EQ(due(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, WhatChangedWithNobodyToTellIsRepeatedLikeAnyChange) {  // H-c
  host_.discard_pending();
  (void)set(include({1}));
  host_.handle_general_query(last_, 3);
  EXPECT_EQ(due(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "never");
  host_.handle_general_query(last_, 3);  // the answer to a later query is given once
  EXPECT_EQ(due(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, TakesRobustnessFromTheLastQuery) {  // H-g, R-5.2.1-e
  use_robustness(4);
  (void)set(include({1}));
  EXPECT_EQ(due(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "never");
  use_robustness(1);
  EXPECT_EQ(due(), "IS_IN{1}");
  (void)set(kNothing);
  EXPECT_EQ(due(), "BLOCK{1}");
  EXPECT_EQ(repeat(), "never");
  use_robustness(0);  // "above 7 or unset": the default
  (void)set(include({1}));
  EXPECT_EQ(due(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, LowerRobustnessShortensWhatIsUnderWay) {
  use_robustness(7);
  (void)set(include({1}));
  EXPECT_EQ(due(), "ALLOW{1}");
  host_.handle_general_query(last_, 1);
  EXPECT_EQ(due(), "IS_IN{1}");
  EXPECT_EQ(repeat(), "ALLOW{1}");
  EXPECT_EQ(repeat(), "never");
}

TEST_F(Host, KeepsQuietUntilThereIsSomebodyToReportTo) {  // R-5.2.3.6.1-b
  (void)set(include({1}));
  (void)set(include({7}), kSsm);
  host_.discard_pending();
  EXPECT_EQ(due(), "-");
  EXPECT_EQ(host_.next_deadline(), kNoDeadline);
  (void)set(exclude({2}));
  (void)set(kNothing, kSsm);
  EXPECT_EQ(due(), "-");
  EXPECT_EQ(host_.next_deadline(), kNoDeadline);
  host_.handle_general_query(last_, 2);
  EXPECT_EQ(due(), "IS_EX{2}");
  (void)set(exclude({}));
  EXPECT_EQ(due(), "ALLOW{2}");
}

TEST_F(Host, RefusesWhatMustNotBeReported) {  // H-f, I-o, S-b, S-c, S-f
  EXPECT_FALSE(set(exclude({}), a("224.0.0.1")));
  EXPECT_FALSE(set(exclude({}), a("224.0.0.251")));
  EXPECT_FALSE(set(exclude({}), kSsm));
  EXPECT_FALSE(set(exclude({1}), kSsm));
  EXPECT_FALSE(set(include({1}), a("232.0.0.0")));
  EXPECT_FALSE(set(exclude({}), a("192.0.2.1")));
  EXPECT_FALSE(set(exclude({}), a("ff1e::1")));
  EXPECT_FALSE(set({FilterMode::kInclude, {a("2001:db8::1")}}));
  EXPECT_EQ(due(), "-");
  EXPECT_TRUE(host_.empty());
  EXPECT_TRUE(set(include({1}), kSsm));
  EXPECT_FALSE(set(exclude({}), kSsm));
  EXPECT_EQ(host_.filter(kSsm), include({1}));
  HostOptions v6;
  v6.family = Family::kIpv6;
  HostMachine mld(v6, random_);
  EXPECT_FALSE(mld.set_filter(last_, a("ff02::1"), {FilterMode::kExclude, {}}));
  EXPECT_FALSE(mld.set_filter(last_, a("ff3e::8000:1"), {FilterMode::kExclude, {}}));
  EXPECT_TRUE(mld.set_filter(last_, a("ff1e::1"), {FilterMode::kExclude, {}}));
}

// ---- Sizes (H-e)

class HostSplit : public Host {
 protected:
  /// Room for 10 IPv4 sources in one record.
  static HostOptions small() {
    HostOptions options;
    options.report_octets_max = report_overhead_octets(Family::kIpv4) + 8 + 4 * 10;
    return options;
  }
  static SourceList many(std::uint32_t count) {
    SourceList out;
    for (std::uint32_t n = 1; n <= count; ++n) out.push_back(source(n));
    return out;
  }
  static std::vector<std::vector<GroupRecord>> all(HostMachine& host, std::size_t octets_max) {
    std::vector<std::vector<GroupRecord>> reports;
    while (const auto report = host.poll_report()) {
      EXPECT_LE(write_report(a("0.0.0.0"), *report).size(), octets_max);
      reports.push_back(*report);
    }
    return reports;
  }
  HostMachine host_{small(), random_};
};

TEST_F(HostSplit, AllowListIsSplitOverReports) {
  (void)host_.set_filter(last_, kGroup, {FilterMode::kInclude, many(25)});
  const auto reports = all(host_, small().report_octets_max);
  ASSERT_EQ(reports.size(), 3U);
  SourceList seen;
  for (const auto& report : reports) {
    ASSERT_EQ(report.size(), 1U);
    EXPECT_EQ(report[0].type, RecordType::kAllowNewSources);
    seen.insert(seen.end(), report[0].sources.begin(), report[0].sources.end());
  }
  EXPECT_EQ(seen, many(25));
}

TEST_F(HostSplit, ExcludeListIsCutTheSameWayEachTime) {
  (void)host_.set_filter(last_, kGroup, {FilterMode::kExclude, many(25)});
  const auto reports = all(host_, small().report_octets_max);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0], (std::vector{GroupRecord{RecordType::kChangeToExclude, kGroup, many(10)}}));
  ASSERT_NE(host_.next_deadline(), kNoDeadline);
  host_.handle_timeout(host_.next_deadline());
  EXPECT_EQ(all(host_, small().report_octets_max), reports);
  host_.handle_general_query(last_, 2);
  const auto current = all(host_, small().report_octets_max);
  ASSERT_EQ(current.size(), 1U);
  EXPECT_EQ(current[0][0], (GroupRecord{RecordType::kModeIsExclude, kGroup, many(10)}));
}

TEST_F(HostSplit, SplitChangeToIncludeKeepsEverySourceAtALmqtOfZero) {
  (void)host_.set_filter(last_, kGroup, {FilterMode::kExclude, {}});
  (void)all(host_, small().report_octets_max);
  (void)host_.set_filter(last_, kGroup, {FilterMode::kInclude, many(25)});
  const auto reports = all(host_, small().report_octets_max);
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0][0].type, RecordType::kChangeToInclude);
  EXPECT_EQ(reports[1][0].type, RecordType::kAllowNewSources);
  EXPECT_EQ(reports[2][0].type, RecordType::kAllowNewSources);
}

TEST_F(HostSplit, ManyGroupsArePackedIntoFewReports) {
  HostOptions options;
  HostMachine host(options, random_);
  for (std::uint32_t g = 0; g < 1000; ++g) {
    (void)host.set_filter(last_, IpAddress::from_v4(0xef020000U + g), {FilterMode::kExclude, {}});
  }
  // 8 octets a record, 32 around them: 171 a report.
  EXPECT_EQ(all(host, options.report_octets_max).size(), 6U);
  host.handle_general_query(last_, 2);
  std::size_t records = 0;
  for (const auto& report : all(host, options.report_octets_max)) records += report.size();
  EXPECT_EQ(records, 1000U);
}

TEST_F(HostSplit, Ipv6ReportsKeepTheirSizeToo) {
  HostOptions options;
  options.family = Family::kIpv6;
  options.report_octets_max = 200;
  HostMachine host(options, random_);
  SourceList sources;
  for (std::uint8_t n = 1; n <= 30; ++n) {
    std::array<std::byte, 16> octets{std::byte{0x20}};
    octets[15] = std::byte{n};
    sources.push_back(IpAddress::from_v6(octets));
  }
  (void)host.set_filter(last_, a("ff1e::1"), {FilterMode::kInclude, sources});
  SourceList seen;
  while (const auto report = host.poll_report()) {
    EXPECT_LE(write_report(a("fe80::1"), *report).size(), 200U);
    for (const GroupRecord& record : *report) seen.insert(seen.end(), record.sources.begin(), record.sources.end());
  }
  EXPECT_EQ(seen, sources);
}

}  // namespace
}  // namespace amt
