#include "client/relay_names.hh"

#include <gtest/gtest.h>

#include "base/test_bytes.hh"
#include "gateway/test_bench.hh"

namespace amt::test {
namespace {

constexpr std::string_view kOld = "192.0.2.1";
constexpr std::string_view kNew = "192.0.2.2";

class Names : public testing::Test {
 protected:
  Names() {
    given.push_back({.name = "relay.example", .port = kAmtPort, .endpoints = {endpoint(kOld)}});
    given.push_back({.endpoints = {endpoint("192.0.2.9")}});
  }
  void begin(const std::optional<IpAddress>& local = {}) { names.emplace(given, local, now); }
  /// All that is due happens; how many names are asked for.
  std::size_t wait(Duration duration) {
    now += duration;
    names->handle_timeout(now);
    std::size_t asked = 0;
    while (const auto question = names->poll_question()) {
      EXPECT_EQ(question->name, "relay.example");
      EXPECT_EQ(question->relay, 0U);
      ++asked;
    }
    return asked;
  }
  void answer(std::vector<IpAddress> addresses) { names->handle_answer(now, 0, {std::move(addresses), {}}); }

  std::vector<NamedRelay> given;
  Instant now = Instant() + seconds(100);
  std::optional<RelayNames> names;
};

TEST_F(Names, AreAskedForEveryFewMinutes) {
  begin();
  EXPECT_EQ(wait(RelayNames::kRefresh - seconds(1)), 0U);
  EXPECT_EQ(wait(seconds(1)), 1U);
  EXPECT_EQ(names->next_deadline(), kNoDeadline) << "one question at a time";
  answer({address(kOld)});
  EXPECT_EQ(names->next_deadline(), now + RelayNames::kRefresh);
  EXPECT_FALSE(names->poll_change());
}

TEST_F(Names, AreAskedForSoonWhileTheRelayDoesNotAnswer) {
  begin();
  static_cast<void>(wait(seconds(60)));
  names->set_trouble(now, true);
  EXPECT_EQ(wait(Duration::zero()), 1U) << "the last look-up is long ago";
  answer({address(kOld)});
  EXPECT_EQ(wait(RelayNames::kHurry), 1U);
  names->handle_answer(now, 0, {{}, "no resolver answers"});
  names->set_trouble(now, false);
  EXPECT_EQ(names->next_deadline(), now + RelayNames::kRefresh);
}

TEST_F(Names, AChangeTellsAllRelaysInOrder) {
  begin();
  EXPECT_EQ(wait(RelayNames::kRefresh), 1U);
  answer({address(kNew), address(kOld)});
  const auto change = names->poll_change();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->relays, (std::vector{endpoint(kNew), endpoint(kOld), endpoint("192.0.2.9")}));
  EXPECT_EQ(change->text, "relay relay.example is now at 192.0.2.2:2268");
  EXPECT_EQ(wait(RelayNames::kRefresh), 1U);
  answer({address(kOld), address(kNew)});
  EXPECT_FALSE(names->poll_change()) << "another order is no change";
}

TEST_F(Names, KeepTheirAddressesWhenNoneIsUsable) {
  begin(address("10.0.0.1"));
  EXPECT_EQ(wait(RelayNames::kRefresh), 1U);
  answer({address("2001:db8::1"), address("239.1.1.1")});
  EXPECT_FALSE(names->poll_change()) << "another family than that of the local address, or no unicast";
  EXPECT_EQ(wait(RelayNames::kRefresh), 1U);
  names->handle_answer(now, 0, {{}, "no such name"});
  EXPECT_FALSE(names->poll_change());
}

}  // namespace
}  // namespace amt::test
