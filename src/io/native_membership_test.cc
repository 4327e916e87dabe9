#include "io/native_membership.hh"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "sys/test_namespace.hh"

namespace amt {
namespace {

/// With all the time that it takes.
class AtOnce {
 public:
  explicit AtOnce(int interface_index) : membership_(open_membership_kernel(interface_index), budget_) {}
  SysResult<void> set(const IpAddress& group, const SourceFilter& filter) {
    static_cast<void>(membership_.take_failure());
    membership_.set(group, filter);
    EXPECT_FALSE(membership_.work([] { return false; }));
    const std::optional<SysError> failure = membership_.take_failure();
    return failure ? SysResult<void>(tl::unexpected(*failure)) : SysResult<void>();
  }
  /// What is missing then.
  std::size_t retry() {
    membership_.retry();
    EXPECT_FALSE(membership_.work([] { return false; }));
    return membership_.missing();
  }
  std::size_t missing() const { return membership_.missing(); }
  std::size_t socket_count() const { return membership_.socket_count(); }

 private:
  DescriptorBudget budget_;
  NativeMembership membership_;
};

class NativeMembershipOf : public InTestNamespace, public ::testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
    index_ = find_link("near")->index;
    // No link-local address: the group of its neighbour discovery would be joined whenever the kernel comes to it, and
    // hide the others from the listing (see kernel_sources).
    std::ofstream("/proc/sys/net/ipv6/conf/near/addr_gen_mode") << 1;
    ASSERT_TRUE(ok(set_link_up(index_)));
    ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
  }

  /// Sources of a group on one socket, as Linux is.
  const unsigned kPerGroup = v4() ? 10 : 64;

  static bool v4() { return GetParam() == Family::kIpv4; }
  static IpAddress group(unsigned n = 0) {
    const std::string text = v4() ? "232.1." + std::to_string(n / 250) + '.' + std::to_string(n % 250 + 1)
                                  : "ff3e::8000:" + std::to_string(n + 1);
    return *IpAddress::parse(text);
  }
  static IpAddress source(unsigned n = 0) {
    return *IpAddress::parse((v4() ? "198.51.100." : "2001:db8::") + std::to_string(n + 1));
  }
  static SourceList sources(unsigned from, unsigned to) {
    SourceList list;
    for (unsigned i = from; i < to; ++i) list.push_back(source(i));
    return to_source_list(list);
  }
  static SourceFilter include(unsigned from, unsigned to) { return {FilterMode::kInclude, sources(from, to)}; }
  static SourceFilter exclude(unsigned from, unsigned to) { return {FilterMode::kExclude, sources(from, to)}; }

  /// "0xE8010101" or 32 digits without a prefix, as /proc/net writes addresses.
  static IpAddress from_hex(std::string text) {
    if (text.starts_with("0x")) text.erase(0, 2);
    std::vector<std::byte> octets;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
      octets.push_back(static_cast<std::byte>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return IpAddress::from_bytes(octets);
  }

  /// What the kernel holds for `near`: how many sockets include, and how many exclude, each source of the group.
  using Counts = std::map<IpAddress, std::pair<int, int>>;
  Counts kernel_sources(const IpAddress& wanted) const {
    // The kernel's listing leaves an interface out when its newest group has no sources: give it one that has.
    AtOnce newest(index_);
    EXPECT_TRUE(ok(newest.set(group(999), include(0, 1))));
    std::ifstream file(v4() ? "/proc/net/mcfilter" : "/proc/net/mcfilter6");
    Counts counts;
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      int index = 0;
      std::string device;
      std::string group_text;
      std::string source_text;
      int included = 0;
      int excluded = 0;
      if (!(fields >> index >> device >> group_text >> source_text >> included >> excluded)) continue;
      if (device == "near" && from_hex(group_text) == wanted) counts[from_hex(source_text)] = {included, excluded};
    }
    return counts;
  }

  /// Every group above link scope that the kernel is a member of on `near`.
  static std::set<IpAddress> kernel_groups() {
    std::set<IpAddress> groups;
    std::string line;
    std::ifstream file(v4() ? "/proc/net/igmp" : "/proc/net/igmp6");
    bool near = false;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string first;
      std::string second;
      std::string third;
      fields >> first >> second >> third;
      if (v4() && line[0] != '\t') near = second == "near";
      if (v4() && line[0] == '\t' && near) {  // the address as a number of this machine: octets reversed
        const std::string g = first;
        groups.insert(from_hex(g.substr(6, 2) + g.substr(4, 2) + g.substr(2, 2) + g.substr(0, 2)));
      }
      if (!v4() && second == "near") groups.insert(from_hex(third));
    }
    std::erase_if(groups,
                  [](const IpAddress& g) { return g.bytes()[0] != std::byte{232} && g.bytes()[1] < std::byte{3}; });
    return groups;
  }

  static Counts counts(const SourceList& list, std::pair<int, int> each) {
    Counts all;
    for (const IpAddress& source : list) all[source] = each;
    return all;
  }

  int index_ = 0;
};

TEST_P(NativeMembershipOf, JoinsAndLeavesSources) {
  AtOnce membership(index_);
  EXPECT_TRUE(ok(membership.set(group(), include(0, 3))));
  EXPECT_EQ(kernel_sources(group()), counts(sources(0, 3), {1, 0}));
  EXPECT_TRUE(ok(membership.set(group(), include(1, 5))));
  EXPECT_EQ(kernel_sources(group()), counts(sources(1, 5), {1, 0}));
  EXPECT_TRUE(ok(membership.set(group(), {})));
  EXPECT_TRUE(kernel_groups().empty());
  EXPECT_EQ(membership.socket_count(), 0U);
}

TEST_P(NativeMembershipOf, TakesManyGroupsAndManySources) {  // beyond igmp_max_memberships and igmp_max_msf
  AtOnce membership(index_);
  std::set<IpAddress> expected;
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_TRUE(ok(membership.set(group(i), i % 2 == 0 ? include(0, 1) : exclude(0, 0))));
    expected.insert(group(i));
  }
  EXPECT_TRUE(ok(membership.set(group(0), include(0, 50))));
  EXPECT_EQ(kernel_groups(), expected);
  EXPECT_EQ(kernel_sources(group(0)), counts(sources(0, 50), {1, 0}));
  EXPECT_EQ(membership.missing(), 0U);
  EXPECT_LE(membership.socket_count(), 20U);
  for (unsigned i = 0; i < 200; ++i) EXPECT_TRUE(ok(membership.set(group(i), {})));
  EXPECT_TRUE(kernel_groups().empty());
  EXPECT_EQ(membership.socket_count(), 0U);
}

TEST_P(NativeMembershipOf, ChangesBetweenIncludeAndExclude) {
  AtOnce membership(index_);
  EXPECT_TRUE(ok(membership.set(group(), include(0, 15))));
  EXPECT_TRUE(ok(membership.set(group(), exclude(0, 2))));
  EXPECT_EQ(kernel_sources(group()), counts(sources(0, 2), {0, 1}));
  EXPECT_TRUE(ok(membership.set(group(), exclude(1, 4))));
  EXPECT_EQ(kernel_sources(group()), counts(sources(1, 4), {0, 1}));
  EXPECT_TRUE(ok(membership.set(group(), include(2, 4))));
  EXPECT_EQ(kernel_sources(group()), counts(sources(2, 4), {1, 0}));
  EXPECT_EQ(kernel_groups(), std::set<IpAddress>{group()});
  EXPECT_EQ(membership.socket_count(), 1U);
}

TEST_P(NativeMembershipOf, LeavesOutTheBlocksThatTheKernelDoesNotTake) {
  AtOnce membership(index_);
  EXPECT_TRUE(ok(membership.set(group(), exclude(0, 100))));
  EXPECT_EQ(membership.missing(), 0U);
  EXPECT_EQ(kernel_groups(), std::set<IpAddress>{group()});
  EXPECT_EQ(kernel_sources(group()), counts(sources(0, kPerGroup), {0, 1}));
}

TEST_P(NativeMembershipOf, RemembersWhatFailedAndHarmsNoOther) {
  AtOnce membership(index_);
  EXPECT_TRUE(ok(membership.set(group(0), include(0, 1))));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};  // no further descriptor
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const SysResult<void> result = membership.set(group(1), include(0, 2 * kPerGroup + 5));
  const SysResult<void> shared = membership.set(group(2), exclude(0, 0));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, EMFILE);
  EXPECT_EQ(result.error().object, source(kPerGroup).to_string() + '@' + group(1).to_string() + " on near");
  EXPECT_TRUE(ok(shared));
  EXPECT_EQ(membership.missing(), kPerGroup + 5);
  EXPECT_EQ(kernel_groups(), (std::set<IpAddress>{group(0), group(1), group(2)}));
  EXPECT_EQ(membership.retry(), 0U);
  EXPECT_EQ(kernel_sources(group(1)), counts(sources(0, 2 * kPerGroup + 5), {1, 0}));
}

// Whoever owns the thread has other things to do, however much has failed.
TEST_P(NativeMembershipOf, RetriesABoundedNumberOfGroupsAtATime) {
  constexpr unsigned kGroups = 2 * NativeMembership::kRetriesMax + 10;
  AtOnce membership(index_);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (unsigned i = 0; i < kGroups; ++i) EXPECT_FALSE(membership.set(group(i), include(0, 1)).has_value());
  EXPECT_EQ(membership.retry(), kGroups);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(membership.retry(), kGroups - NativeMembership::kRetriesMax);
  EXPECT_EQ(membership.retry(), 10U);
  EXPECT_EQ(membership.retry(), 0U);
}

TEST_P(NativeMembershipOf, ForgetsWhatFailedWhenItIsNoLongerWanted) {
  AtOnce membership(4711);
  const SysResult<void> result = membership.set(group(), include(0, 2));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ENODEV);
  EXPECT_EQ(membership.missing(), 2U);
  EXPECT_EQ(membership.retry(), 2U);
  EXPECT_TRUE(ok(membership.set(group(), {})));
  EXPECT_EQ(membership.missing(), 0U);
  EXPECT_EQ(membership.retry(), 0U);
}

TEST_P(NativeMembershipOf, LearnsLowerLimits) {
  if (!v4()) GTEST_SKIP() << "IPv6 has no limit that can be set per namespace";
  AtOnce membership(index_);
  {
    std::ofstream groups("/proc/sys/net/ipv4/igmp_max_memberships");
    if (!(groups << 3 << std::flush)) GTEST_SKIP() << "igmp_max_memberships cannot be set here";
    std::ofstream sources("/proc/sys/net/ipv4/igmp_max_msf");
    sources << 2 << std::flush;
  }
  for (unsigned i = 0; i < 10; ++i) EXPECT_TRUE(ok(membership.set(group(i), include(0, 5))));
  EXPECT_EQ(membership.missing(), 0U);
  for (unsigned i = 0; i < 10; ++i) EXPECT_EQ(kernel_sources(group(i)), counts(sources(0, 5), {1, 0}));
}

INSTANTIATE_TEST_SUITE_P(Families, NativeMembershipOf, ::testing::Values(Family::kIpv4, Family::kIpv6),
                         [](const auto& each) { return each.param == Family::kIpv4 ? "Ipv4" : "Ipv6"; });

}  // namespace
}  // namespace amt
