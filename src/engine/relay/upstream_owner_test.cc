#include "engine/relay/upstream_owner.hh"

#include <gtest/gtest.h>

#include <map>

#include "sys/clock.hh"

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
  bool is_lost() const override { return false; }
  Statistics statistics() const override { return {}; }

 private:
  Seen& seen_;
  std::string interface_ = "eth7";
};

class UpstreamOwnerTest : public ::testing::Test {
 protected:
  UpstreamOwnerTest() {
    EXPECT_TRUE(owner_
                    .add([this]() -> SysResult<std::unique_ptr<Upstream>> {
                      return std::unique_ptr<Upstream>(std::make_unique<TestUpstream>(seen_));
                    })
                    .has_value());
  }

  /// Runs the loop until it is so; false: it never was.
  bool run_until(const std::function<bool()>& condition) {
    const Instant end = monotonic_now() + std::chrono::seconds(10);
    Timer look(loop_, [&] {
      if (condition() || monotonic_now() > end) return loop_.stop();
      look.set(monotonic_now() + std::chrono::milliseconds(1));
    });
    look.set(monotonic_now());
    loop_.run();
    return condition();
  }
  void apply(const char* group, SourceFilter before, SourceFilter after) {
    owner_.apply({a(group), std::move(before), std::move(after)});
  }

  const SourceFilter nothing_{};
  const SourceFilter any_{FilterMode::kExclude, {}};
  const SourceFilter one_{FilterMode::kInclude, {a("192.0.2.7")}};
  EventLoop loop_;
  Seen seen_;
  std::vector<bool> local_;
  UpstreamOwner owner_{loop_, 1, SsmRange(), [](std::size_t, std::size_t, auto) {},
                       [this](bool wanted) { local_.push_back(wanted); }};
};

TEST_F(UpstreamOwnerTest, WorksInPortionsUntilNothingWaits) {
  seen_.portions_left = 5;
  apply("232.1.1.1", nothing_, one_);
  EXPECT_EQ(seen_.portions, 0) << "not while the change is taken";
  EXPECT_TRUE(run_until([this] { return seen_.portions == 6; }));
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
  EXPECT_TRUE(run_until([this] { return seen_.leaves == 1; }));
  apply("232.1.1.2", nothing_, one_);
  EXPECT_FALSE(seen_.wanted.contains(a("232.1.1.2")));
  seen_.wanted.clear();
  seen_.leads_back = false;
  owner_.check_now();
  EXPECT_TRUE(run_until([this] { return seen_.wanted.size() == 2; }));
}

}  // namespace
}  // namespace amt
