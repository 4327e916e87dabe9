#include "io/membership_sockets.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "io/native_membership.hh"

namespace amt {
namespace {

IpAddress group(std::uint32_t n) { return IpAddress::from_v4(0xe8010000U + n); }
IpAddress source(std::uint32_t n) { return IpAddress::from_v4(0xc6336400U + n); }

SourceFilter include(std::uint32_t from, std::uint32_t to) {
  SourceFilter filter;
  for (std::uint32_t n = from; n < to; ++n) filter.sources.push_back(source(n));
  return filter;
}
const SourceFilter kEverything{FilterMode::kExclude, {}};

/// A kernel in memory, with small limits.
class TestKernel final : public MembershipKernel {
 public:
  struct State {
    std::map<int, std::set<Channel>> sockets;
    std::vector<std::string> calls;
    std::set<IpAddress> refused;
    int opened = 0;

    std::set<Channel> joined() const {
      std::set<Channel> all;
      for (const auto& [socket, channels] : sockets) all.insert(channels.begin(), channels.end());
      return all;
    }
    std::size_t count(std::string_view call) const {
      return static_cast<std::size_t>(
          std::ranges::count_if(calls, [&](const std::string& one) { return one.starts_with(call); }));
    }
  };
  explicit TestKernel(State& state) : state_(state) {}

  Limits limits(Family) const override { return {kGroups, kSources}; }
  const std::string& interface() const override { return interface_; }
  int open(Family) override {
    state_.sockets[state_.opened];
    return state_.opened++;
  }
  void close(int socket) override {
    state_.calls.push_back("close " + std::to_string(socket));
    EXPECT_EQ(state_.sockets.erase(socket), 1U);
  }
  int join(int socket, const Channel& channel) override {
    state_.calls.push_back("join " + channel.to_string());
    if (channel.source && state_.refused.contains(*channel.source)) return EINVAL;
    std::set<Channel>& on = state_.sockets.at(socket);
    std::set<IpAddress> groups;
    std::size_t sources = 0;
    for (const Channel& one : on) {
      groups.insert(one.group);
      sources += one.group == channel.group ? 1 : 0;
    }
    if (sources == kSources || (sources == 0 && groups.size() == kGroups)) return ENOBUFS;
    EXPECT_TRUE(on.insert(channel).second);
    return 0;
  }
  int leave(int socket, const Channel& channel) override {
    state_.calls.push_back("leave " + channel.to_string());
    EXPECT_EQ(state_.sockets.at(socket).erase(channel), 1U);
    return 0;
  }
  int block(int, const IpAddress&, const IpAddress&) override { return 0; }
  int unblock(int, const IpAddress&, const IpAddress&) override { return 0; }

  static constexpr std::size_t kGroups = 4;
  static constexpr std::size_t kSources = 3;

 private:
  State& state_;
  std::string interface_ = "eth7";
};

class MembershipOnTestKernel : public ::testing::Test {
 protected:
  void work_all() {
    EXPECT_FALSE(membership_.work([] { return false; }));
  }
  /// So many looks at the clock, which is at least as many calls.
  bool work(int looks) {
    return membership_.work([looks]() mutable { return --looks <= 0; });
  }

  TestKernel::State kernel_;
  DescriptorBudget budget_{5};
  NativeMembership membership_{std::make_unique<TestKernel>(kernel_), budget_};
};

TEST_F(MembershipOnTestKernel, CostsNothingWhenLeftBeforeItsTurn) {
  for (std::uint32_t n = 0; n < 100; ++n) membership_.set(group(n), include(0, 3));
  for (std::uint32_t n = 0; n < 100; ++n) membership_.set(group(n), {});
  EXPECT_EQ(membership_.waiting(), 0U);
  work_all();
  EXPECT_TRUE(kernel_.calls.empty());
  // And the other way round.
  membership_.set(group(1), include(0, 1));
  work_all();
  kernel_.calls.clear();
  membership_.set(group(1), {});
  membership_.set(group(1), include(0, 1));
  work_all();
  EXPECT_TRUE(kernel_.calls.empty());
  EXPECT_EQ(kernel_.joined(), (std::set<Channel>{{source(0), group(1)}}));
}

TEST_F(MembershipOnTestKernel, TellsTheKernelDifferences) {
  membership_.set(group(1), include(0, 9));
  work_all();
  kernel_.calls.clear();
  membership_.set(group(1), include(1, 10));
  work_all();
  EXPECT_EQ(kernel_.calls, (std::vector<std::string>{"join " + Channel{source(9), group(1)}.to_string(),
                                                     "leave " + Channel{source(0), group(1)}.to_string()}));
}

TEST_F(MembershipOnTestKernel, WorksInPortions) {
  for (std::uint32_t n = 0; n < 3; ++n) membership_.set(group(n), include(0, 6));
  std::size_t before = 0;
  int portions = 1;
  for (; work(2); ++portions) {
    EXPECT_GT(kernel_.count("join"), before);
    EXPECT_LE(kernel_.count("join"), before + 4);
    before = kernel_.count("join");
  }
  EXPECT_GE(portions, 5);
  EXPECT_EQ(kernel_.joined().size(), 18U);
}

TEST_F(MembershipOnTestKernel, LetsANewcomerNotWaitForMany) {
  for (std::uint32_t n = 0; n < 16; ++n) membership_.set(group(n), include(0, 1));
  EXPECT_TRUE(work(1));
  membership_.set(group(99), include(0, 1));
  EXPECT_TRUE(work(8));
  EXPECT_TRUE(kernel_.joined().contains({source(0), group(99)}));
  EXPECT_TRUE(kernel_.joined().contains({source(0), group(0)})) << "the oldest has its turn, too";
}

TEST_F(MembershipOnTestKernel, LeavesTheNewestFirst) {
  for (std::uint32_t n = 0; n < 8; ++n) {
    membership_.set(group(n), include(0, 1));
    work_all();
  }
  kernel_.calls.clear();
  for (std::uint32_t n = 1; n < 8; ++n) membership_.set(group(n), {});
  work_all();
  std::vector<std::string> expected;
  for (std::uint32_t n = 7; n > 4; --n) expected.push_back("leave " + Channel{source(0), group(n)}.to_string());
  expected.emplace_back("close 1");
  for (std::uint32_t n = 3; n > 0; --n) expected.push_back("leave " + Channel{source(0), group(n)}.to_string());
  EXPECT_EQ(kernel_.calls, expected);
}

TEST_F(MembershipOnTestKernel, KeepsToItsBudgetAndJoinsTheRestWhenThereIsRoom) {
  constexpr std::uint32_t kRoom = 5 * TestKernel::kGroups;
  for (std::uint32_t n = 0; n < kRoom + 10; ++n) membership_.set(group(n), include(0, 1));
  work_all();
  EXPECT_EQ(budget_.used(), 5U);
  EXPECT_EQ(kernel_.joined().size(), kRoom);
  EXPECT_EQ(membership_.missing(), 10U);
  EXPECT_EQ(membership_.take_failure()->code, EMFILE);
  // A group that goes makes room on its socket: told by a retry.
  std::uint32_t some = 0;
  while (!kernel_.joined().contains({source(0), group(some)})) ++some;
  membership_.set(group(some), {});
  work_all();
  membership_.retry();
  work_all();
  EXPECT_EQ(membership_.missing(), 9U);
  // A descriptor that is free is used by those that wait, with nobody asking.
  const std::set<Channel> on_one = kernel_.sockets.begin()->second;
  for (const Channel& channel : on_one) membership_.set(channel.group, {});
  work_all();
  EXPECT_EQ(membership_.missing(), 9U - TestKernel::kGroups);
  EXPECT_EQ(kernel_.joined().size(), kRoom);
  for (std::uint32_t n = 0; n < kRoom + 10; ++n) membership_.set(group(n), {});
  work_all();
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_EQ(membership_.missing(), 0U);
}

TEST_F(MembershipOnTestKernel, GetsPastSourcesThatFailHoweverSmallThePortions) {
  kernel_.refused = {source(0), source(1), source(2)};
  membership_.set(group(1), include(0, 6));
  for (int portion = 0; portion < 20 && work(1); ++portion) {
  }
  EXPECT_EQ(membership_.waiting(), 0U);
  EXPECT_EQ(membership_.missing(), 3U);
  EXPECT_EQ(kernel_.joined().size(), 3U);
}

TEST_F(MembershipOnTestKernel, TakesAWholeGroupInPlaceOfItsSources) {
  membership_.set(group(1), include(0, 7));
  work_all();
  EXPECT_EQ(membership_.socket_count(), 3U);
  membership_.set(group(1), kEverything);
  work_all();
  EXPECT_EQ(kernel_.joined(), (std::set<Channel>{{std::nullopt, group(1)}}));
  EXPECT_EQ(membership_.socket_count(), 1U);
}

TEST_F(MembershipOnTestKernel, ClosesTheNewestSocketFirstAtTheEnd) {
  TestKernel kernel(kernel_);
  {
    MembershipSockets sockets(kernel, budget_);
    for (std::uint32_t n = 0; n < 12; ++n) {
      MembershipSockets::Places places;
      ASSERT_TRUE(sockets.join({source(0), group(n)}, places).has_value());
    }
    EXPECT_EQ(sockets.size(), 3U);
    kernel_.calls.clear();
  }
  EXPECT_EQ(kernel_.calls, (std::vector<std::string>{"close 2", "close 1", "close 0"}));
  EXPECT_EQ(budget_.used(), 0U);
}

TEST(DescriptorBudget, KeepsSomeForTheRest) {
  EXPECT_EQ(descriptors_for_joins(20'000, 100), 20'000 - 100 - kDescriptorsKept);
  EXPECT_EQ(descriptors_for_joins(256, 20), 256 - 20 - 64U);
  EXPECT_EQ(descriptors_for_joins(64, 60), 0U);
}

}  // namespace
}  // namespace amt
