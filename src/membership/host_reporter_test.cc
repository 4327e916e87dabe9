#include "membership/host_reporter.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>

namespace amt {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

/// One family's addresses.
struct Names {
  const char* host;
  const char* ssm_group;
  const char* asm_group;
  const char* source;
  std::uint8_t newest;
};
constexpr Names kIgmp{"198.18.0.2", "232.1.2.3", "239.1.2.3", "192.0.2.10", 3};
constexpr Names kMld{"fe80::2", "ff3e::8000:1", "ff1e::7", "2001:db8::10", 2};

class HostReporterOf : public ::testing::TestWithParam<Names> {
 protected:
  [[nodiscard]] IpAddress ssm() const { return a(GetParam().ssm_group); }
  [[nodiscard]] IpAddress any_source() const { return a(GetParam().asm_group); }
  [[nodiscard]] SourceFilter from_source() const { return {FilterMode::kInclude, {a(GetParam().source)}}; }
  [[nodiscard]] GroupQuery query(std::uint8_t version, const IpAddress& group) const {
    GroupQuery query;
    query.version = version;
    query.group = group;
    query.max_response_time = seconds(10);
    query.robustness = 2;
    return query;
  }
  [[nodiscard]] GroupQuery general(std::uint8_t version) const {
    return query(version, IpAddress::unspecified(a(GetParam().host).family()));
  }

  /// What is said until `until`, each as "TYPE GROUP", and checked as a router on a real link would.
  std::vector<std::string> said(Instant until) {
    std::vector<std::string> all;
    for (int round = 0; round < 1000 && reporter_.next_deadline() <= until; ++round) {
      now_ = std::max(now_, reporter_.next_deadline());
      std::vector<std::vector<std::byte>> reports;
      reporter_.handle_timeout(now_, reports);
      for (const std::vector<std::byte>& report : reports) describe(report, all);
    }
    now_ = until;
    return all;
  }
  std::vector<std::string> said_now() { return said(now_); }

  void describe(const std::vector<std::byte>& octets, std::vector<std::string>& out) const {
    const DatagramView view = DatagramView::parse(octets).value();
    EXPECT_EQ(view.source, a(GetParam().host));
    const auto message = parse_group_message(view, {.link_local_source = true});
    ASSERT_TRUE(message.has_value());
    if (const auto* report = std::get_if<GroupReport>(&*message)) {
      for (const GroupRecord& record : report->records) {
        out.push_back(std::string(to_string(record.type)) + " " + record.group.to_string());
      }
    } else if (const auto* older = std::get_if<OlderReport>(&*message)) {
      out.push_back("V" + std::to_string(older->version) + " " + older->group.to_string());
    } else if (const auto* leave = std::get_if<OlderLeave>(&*message)) {
      out.push_back("LEAVE " + leave->group.to_string());
    }
  }
  [[nodiscard]] std::string line(const char* type, const char* group) const { return std::string(type) + " " + group; }

  SeededRandom random_{1};
  Instant now_{seconds(1000)};
  HostReporter reporter_{a(GetParam().host), random_};
};

TEST_P(HostReporterOf, TellsOfJoinsAndLeavesAtOnceAndOnceMore) {  // H-c
  const Names& names = GetParam();
  reporter_.set_filter(now_, ssm(), from_source());
  EXPECT_THAT(said_now(), ElementsAre(line("ALLOW", names.ssm_group)));
  EXPECT_THAT(said(now_ + seconds(5)), ElementsAre(line("ALLOW", names.ssm_group)));
  reporter_.set_filter(now_, ssm(), {});
  reporter_.set_filter(now_, any_source(), {FilterMode::kExclude, {}});
  EXPECT_EQ(said_now().size(), 2U);
  EXPECT_EQ(said(now_ + seconds(5)).size(), 2U);
  EXPECT_EQ(reporter_.next_deadline(), kNoDeadline);
}

// A routing daemon that opens the interface late.
TEST_P(HostReporterOf, TellsWhatIsWantedAgainUntilThereIsAQuerier) {
  const Names& names = GetParam();
  reporter_ = HostReporter(a(names.host), random_, HostReporter::BeforeAQuery::kRepeat);
  reporter_.set_filter(now_, ssm(), from_source());
  EXPECT_THAT(said(now_ + seconds(1)), ElementsAre(line("ALLOW", names.ssm_group), line("ALLOW", names.ssm_group)));
  // After 2 s and 6 s, 14 s, 30 s, 62 s.
  EXPECT_THAT(said(now_ + seconds(62)), ::testing::AllOf(::testing::SizeIs(5), Each(line("IS_IN", names.ssm_group))));
  EXPECT_LE(said(now_ + seconds(640)).size(), 10U);
  reporter_.set_filter(now_, any_source(), {FilterMode::kExclude, {}});
  EXPECT_THAT(said(now_ + seconds(3)), ::testing::Contains(line("IS_EX", names.asm_group)));
  reporter_.handle_query(now_, general(names.newest));
  said(now_ + seconds(10));
  EXPECT_EQ(reporter_.next_deadline(), kNoDeadline);
}

TEST_P(HostReporterOf, TellsNothingAgainOfWhichNothingIsWanted) {
  reporter_ = HostReporter(a(GetParam().host), random_, HostReporter::BeforeAQuery::kRepeat);
  reporter_.set_filter(now_, ssm(), from_source());
  reporter_.set_filter(now_, ssm(), {});
  said(now_ + seconds(5));
  EXPECT_EQ(reporter_.next_deadline(), kNoDeadline);
}

TEST_P(HostReporterOf, AnswersQueriesWithinTheirTime) {  // H-d, RFC 3376 §5.2
  const Names& names = GetParam();
  reporter_.set_filter(now_, ssm(), from_source());
  reporter_.set_filter(now_, any_source(), {FilterMode::kExclude, {}});
  said(now_ + seconds(5));
  reporter_.handle_query(now_, general(names.newest));
  EXPECT_LE(reporter_.next_deadline(), now_ + seconds(10));
  EXPECT_EQ(said(now_ + seconds(10)).size(), 2U);
  GroupQuery specific = query(names.newest, ssm());
  specific.sources = {a(names.source)};
  reporter_.handle_query(now_, specific);
  EXPECT_THAT(said(now_ + seconds(10)), ElementsAre(line("IS_IN", names.ssm_group)));
  reporter_.handle_query(now_, query(names.newest, a(names.asm_group)));
  EXPECT_THAT(said(now_ + seconds(10)), ElementsAre(line("IS_EX", names.asm_group)));
  reporter_.set_filter(now_, ssm(), {});
  said(now_ + seconds(5));
  reporter_.handle_query(now_, specific);
  EXPECT_THAT(said(now_ + seconds(10)), IsEmpty());
}

TEST_P(HostReporterOf, SpeaksAnOlderQueriersVersionWhileItIsThere) {  // RFC 3376 §7.2.1, RFC 3810 §8.2.1
  const Names& names = GetParam();
  const auto older = static_cast<std::uint8_t>(names.newest - 1);
  const std::string report = "V" + std::to_string(older);
  reporter_.set_filter(now_, ssm(), from_source());
  said(now_ + seconds(5));
  reporter_.handle_query(now_, general(older));
  EXPECT_EQ(reporter_.version(now_), older);
  EXPECT_THAT(said(now_ + seconds(10)), Each(line(report.c_str(), names.ssm_group)));
  said(now_ + seconds(5));
  reporter_.set_filter(now_, any_source(), {FilterMode::kExclude, {}});
  EXPECT_THAT(said_now(), ElementsAre(line(report.c_str(), names.asm_group)));
  said(now_ + seconds(5));
  // Its newer neighbour does not change that.
  reporter_.handle_query(now_, general(names.newest));
  EXPECT_EQ(reporter_.version(now_), older);
  said(now_ + seconds(10));
  reporter_.set_filter(now_, any_source(), {});
  EXPECT_THAT(said_now(), ElementsAre(line("LEAVE", names.asm_group)));
  said(now_ + seconds(5));
  // 2 times 125 s and 10 s after its last query it is taken to be gone.
  now_ += seconds(260);
  EXPECT_EQ(reporter_.version(now_), names.newest);
  reporter_.handle_query(now_, general(names.newest));
  EXPECT_THAT(said(now_ + seconds(10)), ElementsAre(line("IS_IN", names.ssm_group)));
}

TEST_P(HostReporterOf, KeepsItsVersionForASpecificQueryOfAnOlderOne) {
  const Names& names = GetParam();
  reporter_.set_filter(now_, any_source(), {FilterMode::kExclude, {}});
  said(now_ + seconds(5));
  reporter_.handle_query(now_, query(static_cast<std::uint8_t>(names.newest - 1), any_source()));
  EXPECT_EQ(reporter_.version(now_), names.newest);
  EXPECT_THAT(said(now_ + seconds(10)), ElementsAre(line("IS_EX", names.asm_group)));
}

INSTANTIATE_TEST_SUITE_P(Families, HostReporterOf, ::testing::Values(kIgmp, kMld),
                         [](const auto& each) { return each.param.newest == 3 ? "Igmp" : "Mld"; });

TEST(HostReporter, LeavesNothingToSayToAnIgmpV1Querier) {
  SeededRandom random(1);
  HostReporter reporter(a("198.18.0.2"), random);
  Instant now{seconds(1000)};
  GroupQuery v1;
  v1.version = 1;
  v1.group = IpAddress::unspecified(Family::kIpv4);
  v1.max_response_time = seconds(10);
  reporter.handle_query(now, v1);
  EXPECT_EQ(reporter.version(now), 1);
  std::vector<std::vector<std::byte>> reports;
  reporter.set_filter(now, a("239.1.2.3"), {FilterMode::kExclude, {}});
  reporter.handle_timeout(now, reports);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(DatagramView::parse(reports[0])->destination, a("239.1.2.3"));
  reports.clear();
  reporter.set_filter(now, a("239.1.2.3"), {});
  reporter.handle_timeout(now, reports);
  EXPECT_THAT(reports, IsEmpty());
}

}  // namespace
}  // namespace amt
