#include "engine/relay/upstream_owner.hh"

#include <gtest/gtest.h>

#include <cerrno>

#include <map>

#include "engine/runtime/virtual_time.hh"

/// The clock of this test program.
amt::Instant amt::monotonic_now() { return amt::test::VirtualTime::now(); }

namespace amt {
namespace {

IpAddress a(const char* text) { return *IpAddress::parse(text); }

/// What the owner did to an upstream that does nothing.
struct Seen {
  std::map<IpAddress, SourceFilter> wanted;
  int portions = 0;
  int portions_left = 0;
  int leaves = 0;
  bool leads_back = false;
  bool is_lost = false;
  /// An interface of that name is there.
  bool can_open = true;
  int opened = 0;
  /// Joins that failed, and how often they were tried again.
  std::size_t missing = 0;
  int retries = 0;
};

class TestUpstream final : public Upstream {
 public:
  explicit TestUpstream(Seen& seen) : seen_(seen) {}
  const std::string& interface() const override { return interface_; }
  UpstreamMode mode() const override { return UpstreamMode::kHost; }
  SysResult<std::unique_ptr<UpstreamCapture>> open_capture(std::optional<GivenCapture>) override {
    return std::unique_ptr<UpstreamCapture>();
  }
  void set_membership(Instant, const IpAddress& group, const SourceFilter& filter) override {
    seen_.wanted[group] = filter;
  }
  bool work(Instant) override {
    ++seen_.portions;
    return seen_.portions_left-- > 0;
  }
  void leave_all(Instant) override { ++seen_.leaves; }
  bool leads_back() const override { return seen_.leads_back; }
  bool is_lost() const override { return seen_.is_lost; }
  Statistics statistics() const override {
    Statistics statistics;
    statistics.joins_missing = seen_.missing;
    return statistics;
  }
  void retry_memberships() override { ++seen_.retries; }

 private:
  Seen& seen_;
  std::string interface_ = "eth7";
};

class UpstreamOwnerTest : public ::testing::Test {
 protected:
  UpstreamOwnerTest() {
    EXPECT_TRUE(owner_
                    .add([this]() -> SysResult<std::unique_ptr<Upstream>> {
                      if (!seen_.can_open) return Unexpected<SysError>(SysError{"open", "eth7", ENODEV});
                      ++seen_.opened;
                      seen_.is_lost = false;
                      return std::unique_ptr<Upstream>(std::make_unique<TestUpstream>(seen_));
                    })
                    .has_value());
  }

  void apply(const char* group, SourceFilter before, SourceFilter after) {
    owner_.apply({a(group), std::move(before), std::move(after)});
  }

  const SourceFilter nothing_{};
  const SourceFilter any_{FilterMode::kExclude, {}};
  const SourceFilter one_{FilterMode::kInclude, {a("192.0.2.7")}};
  test::VirtualTime time_;
  Seen seen_;
  std::vector<bool> local_;
  std::vector<UpstreamOwner::Change::Kind> changes_;
  UpstreamOwner owner_{time_.loop(),
                       1,
                       SsmRange(),
                       [](std::size_t, std::size_t, auto) {},
                       [this](bool wanted) { local_.push_back(wanted); },
                       [this](const UpstreamOwner::Change& change) { changes_.push_back(change.kind); }};
};

TEST_F(UpstreamOwnerTest, WorksInPortionsUntilNothingWaits) {
  seen_.portions_left = 5;
  apply("232.1.1.1", nothing_, one_);
  EXPECT_EQ(seen_.portions, 0) << "not while the change is taken";
  time_.pass(Duration::zero());
  EXPECT_EQ(seen_.portions, 6);
  EXPECT_EQ(seen_.wanted.at(a("232.1.1.1")), one_);
}

TEST_F(UpstreamOwnerTest, AsksForManySourcesAsAWholeGroup) {
  SourceFilter many;
  for (std::uint32_t n = 0; n < 65; ++n) many.sources.push_back(IpAddress::from_v4(0xc0000200 + n));
  apply("239.1.1.1", nothing_, many);
  apply("232.1.1.1", nothing_, many);
  EXPECT_EQ(seen_.wanted.at(a("239.1.1.1")), any_);
  EXPECT_EQ(seen_.wanted.at(a("232.1.1.1")), many);
}

TEST_F(UpstreamOwnerTest, WantsLocalSendersWhileOneMayBeWanted) {
  apply("232.1.1.1", nothing_, one_);
  EXPECT_TRUE(local_.empty()) << "192.0.2.7 is no address of this host";
  apply("239.1.1.1", nothing_, any_);
  apply("239.1.1.2", nothing_, any_);
  apply("239.1.1.1", any_, nothing_);
  EXPECT_EQ(local_, std::vector{true});
  apply("239.1.1.2", any_, nothing_);
  EXPECT_EQ(local_, (std::vector{true, false}));
}

TEST_F(UpstreamOwnerTest, JoinsNothingOnAnInterfaceThatLeadsBack) {
  apply("232.1.1.1", nothing_, one_);
  seen_.leads_back = true;
  owner_.check_now();
  time_.pass(Duration::zero());
  EXPECT_EQ(seen_.leaves, 1);
  apply("232.1.1.2", nothing_, one_);
  EXPECT_FALSE(seen_.wanted.contains(a("232.1.1.2")));
  seen_.wanted.clear();
  seen_.leads_back = false;
  owner_.check_now();
  time_.pass(Duration::zero());
  EXPECT_EQ(seen_.wanted.size(), 2U);
}

TEST_F(UpstreamOwnerTest, AnInterfaceThatWentIsOpenedAgainAndJoinedWhenItIsBack) {
  using Kind = UpstreamOwner::Change::Kind;
  apply("232.1.1.1", nothing_, one_);
  time_.pass(std::chrono::seconds(10));
  seen_.is_lost = true;
  seen_.can_open = false;
  changes_.clear();
  time_.pass(std::chrono::minutes(1));
  EXPECT_EQ(changes_, std::vector{Kind::kInterfaceLost});  // told once
  EXPECT_EQ(seen_.opened, 1);
  seen_.can_open = true;
  seen_.wanted.clear();
  time_.pass(std::chrono::minutes(1));
  EXPECT_EQ(changes_, (std::vector{Kind::kInterfaceLost, Kind::kInterfaceBack}));
  EXPECT_EQ(seen_.opened, 2);
  EXPECT_EQ(seen_.wanted.at(a("232.1.1.1")), one_);
}

TEST_F(UpstreamOwnerTest, JoinsThatFailAreTriedAgainUntilNoneIsMissing) {
  seen_.missing = 3;
  apply("232.1.1.1", nothing_, one_);
  time_.pass(std::chrono::hours(1));
  const int tried = seen_.retries;
  EXPECT_GT(tried, 10);
  seen_.missing = 0;
  time_.pass(std::chrono::hours(1));
  EXPECT_LE(seen_.retries, tried + 1);
}

TEST_F(UpstreamOwnerTest, WhatIsRemovedIsLeftAndNotAskedForAgain) {
  apply("232.1.1.1", nothing_, one_);
  owner_.remove("eth8");
  EXPECT_EQ(seen_.leaves, 0);
  owner_.remove("eth7");
  EXPECT_EQ(seen_.leaves, 1);
  seen_.wanted.clear();
  apply("232.1.1.2", nothing_, one_);
  time_.pass(std::chrono::minutes(1));
  EXPECT_TRUE(seen_.wanted.empty());
  int visited = 0;
  owner_.for_each([&](const Upstream&, std::size_t) { ++visited; });
  EXPECT_EQ(visited, 0);
}

TEST_F(UpstreamOwnerTest, TellsWhatTheWorkersWantTogetherAndNotEachOfThem) {
  using Kind = UpstreamOwner::Change::Kind;
  apply("232.1.1.1", nothing_, one_);
  apply("232.1.1.1", nothing_, one_);  // another worker's
  EXPECT_EQ(changes_, std::vector{Kind::kJoined});
  apply("232.1.1.1", one_, nothing_);
  EXPECT_EQ(changes_.size(), 1U);
  EXPECT_EQ(seen_.wanted.at(a("232.1.1.1")), one_);
  apply("232.1.1.1", one_, nothing_);
  EXPECT_EQ(changes_, (std::vector{Kind::kJoined, Kind::kLeft}));
  EXPECT_TRUE(seen_.wanted.at(a("232.1.1.1")).is_nothing());
}

TEST_F(UpstreamOwnerTest, TheEndLeavesEverythingAndTellsOfIt) {
  using Kind = UpstreamOwner::Change::Kind;
  apply("232.1.1.1", nothing_, one_);
  changes_.clear();
  owner_.shutdown();
  EXPECT_EQ(seen_.leaves, 1);
  EXPECT_EQ(changes_, std::vector{Kind::kLeft});
}

}  // namespace
}  // namespace amt
