#include "relay/answer_budget.hh"

#include <gtest/gtest.h>

#include "base/random.hh"
#include "membership/handmade_datagrams.hh"

namespace amt {
namespace {

using relay_test::ip;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = AnswerBudget::Kind;

constexpr AnswerLimits kUnlimited{0, 0, 0, 0, 1024};

Endpoint at(const char* address, std::uint16_t port = 2268) { return {ip(address), port}; }
std::string reason_of(const std::optional<Refusal>& refusal) {
  return refusal ? std::string(to_string(refusal->reason)) + " " + refusal->whose.to_string() : "";
}

class AnswerBudgetTest : public ::testing::Test {
 protected:
  /// Of `tries` within a second, how many are answered.
  double answered(AnswerBudget& budget, std::size_t tries, const auto& endpoint, Kind kind = Kind::kQuery) {
    double answers = 0;
    for (std::size_t i = 0; i < tries; ++i) {
      now_ += Duration(seconds(1)) / static_cast<Duration::rep>(tries);
      if (!take(budget, endpoint(i), kind)) ++answers;
    }
    return answers;
  }
  /// A Request or Discovery that was not made before.
  std::optional<Refusal> take(AnswerBudget& budget, const Endpoint& from, Kind kind = Kind::kQuery) {
    return budget.take(now_, from, kind, ++nonce_);
  }
  /// How many of the Requests of a newcomer at 192.0.2.1, sent as RFC 7450 §5.2.3.5.3 has it, pass without an answer
  /// while 20 000 a second are forged in the name of that address.
  std::size_t unanswered_of_newcomer(AnswerBudget& budget, const auto& forge) {
    constexpr std::uint32_t kNonce = 0xabcdef01;
    std::size_t unanswered = 0;
    for (const int wait : {1, 1, 2, 4, 8}) {
      for (int second = 0; second < wait; ++second) {
        for (int i = 0; i < 20'000; ++i) {
          now_ += Duration(seconds(1)) / 20'000;
          forge();
        }
      }
      if (!budget.take(now_, at("192.0.2.1", 40'000), Kind::kQuery, kNonce)) return unanswered;
      ++unanswered;
    }
    return unanswered;
  }
  Endpoint anywhere() {
    return {IpAddress::from_v4(static_cast<std::uint32_t>(random_.u64())),
            static_cast<std::uint16_t>(random_.below(65536))};
  }

  Instant now_{std::chrono::hours(1)};
  SeededRandom random_{3};
  std::uint32_t nonce_ = 0;
};

TEST_F(AnswerBudgetTest, AnswersOneAddressAsOftenAsItMayBeAsked) {
  AnswerBudget budget({}, KeyedHash());
  // A burst of a second's worth and a second; all endpoints of an address a quarter more.
  EXPECT_NEAR(answered(budget, 2000, [](std::size_t) { return at("192.0.2.1"); }), 400, 3);
  const auto any_port = [](std::size_t i) { return at("192.0.2.2", static_cast<std::uint16_t>(i)); };
  EXPECT_NEAR(answered(budget, 2000, any_port), 500, 3);
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.2", 9))), "request_rate_limit 192.0.2.2/32");
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.2", 9), Kind::kAdvertisement)), "");
}

// Forged from the victim's address and port, or ports: the port that the victim asks from has its own share.
TEST_F(AnswerBudgetTest, AnswersAnotherPortOfAnAddressThatIsForged) {
  AnswerBudget budget({}, KeyedHash());
  answered(budget, 20'000, [](std::size_t) { return at("192.0.2.1", 7); });
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.1", 8))), "");
}

TEST_F(AnswerBudgetTest, AnswersAnEndpointThatHasProvedItselfHoweverItsAddressIsForged) {
  AnswerBudget budget({}, KeyedHash());
  budget.note_proved(now_, at("192.0.2.1", 40'000));
  answered(budget, 20'000, [](std::size_t i) { return at("192.0.2.1", static_cast<std::uint16_t>(i)); });
  EXPECT_NE(reason_of(take(budget, at("192.0.2.1", 40'001))), "");
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.1", 40'000))), "");
}

// Forged from ever new ports of the newcomer's address: its first Request is one of 20 000, its second is its own.
TEST_F(AnswerBudgetTest, AnswersANewcomerThatAsksAgainHoweverItsAddressIsForged) {
  AnswerBudget budget({}, KeyedHash());
  const auto forge = [&] {
    static_cast<void>(take(budget, at("192.0.2.1", static_cast<std::uint16_t>(random_.below(65536)))));
  };
  EXPECT_LE(unanswered_of_newcomer(budget, forge), 1U);
  // The address gets no more than before.
  const auto any_port = [](std::size_t i) { return at("192.0.2.1", static_cast<std::uint16_t>(i)); };
  EXPECT_NEAR(answered(budget, 20'000, any_port), 250, 3);
}

// From all addresses of its network, likewise.
TEST_F(AnswerBudgetTest, AnswersANewcomerThatAsksAgainHoweverItsPrefixIsForged) {
  AnswerBudget budget({}, KeyedHash());
  const auto forge = [&] {
    static_cast<void>(take(budget, {IpAddress::from_v4(0xc0000200 + static_cast<std::uint32_t>(random_.below(256))),
                                    static_cast<std::uint16_t>(random_.below(65536))}));
  };
  EXPECT_LE(unanswered_of_newcomer(budget, forge), 1U);
}

// And while 150 000 a second come from anywhere.
TEST_F(AnswerBudgetTest, AnswersANewcomerThatAsksAgainWhenTheTotalIsUsedUp) {
  AnswerLimits limits;
  limits.total_max = 500;
  AnswerBudget budget(limits, KeyedHash());
  EXPECT_LE(unanswered_of_newcomer(budget, [&] { static_cast<void>(take(budget, anywhere())); }), 1U);
}

// A Request that is sent twice in one go is no retransmission: that costs a forger nothing.
TEST_F(AnswerBudgetTest, TakesNoRequestThatIsDoubledForOneThatIsRepeated) {
  AnswerBudget budget({}, KeyedHash());
  double answers = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    now_ += Duration(seconds(1)) / 20'000;
    const Endpoint from = at("192.0.2.1", static_cast<std::uint16_t>(i));
    for (int twice = 0; twice < 2; ++twice) {
      if (!budget.take(now_, from, Kind::kQuery, i)) ++answers;
    }
  }
  EXPECT_NEAR(answers, 500, 3);
}

// However many gateways have proved themselves, the networks that they are in stay known.
TEST_F(AnswerBudgetTest, RemembersPrefixesApartFromEndpoints) {
  AnswerLimits limits = kUnlimited;
  limits.per_prefix_max = 1'000'000;
  limits.total_max = 1000;
  AnswerBudget budget(limits, KeyedHash());
  budget.note_proved(now_, at("192.0.2.1"));
  now_ += seconds(1);
  for (std::uint16_t port = 1; port < 20'000; ++port) budget.note_proved(now_, at("203.0.113.1", port));
  answered(budget, 20'000, [this](std::size_t) { return anywhere(); });
  EXPECT_EQ(reason_of(take(budget, at("203.0.113.9"))), "");
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.9"))), "");
}

TEST_F(AnswerBudgetTest, HoldsAPrefixToItsShare) {
  AnswerLimits limits = kUnlimited;
  limits.per_prefix_max = 100;
  AnswerBudget budget(limits, KeyedHash());
  const auto neighbour = [](std::size_t i) { return Endpoint{IpAddress::from_v4(0xc0000200 + i % 256), 7}; };
  EXPECT_NEAR(answered(budget, 5000, neighbour), 200, 2);
  EXPECT_EQ(reason_of(take(budget, at("192.0.2.77"), Kind::kAdvertisement)), "answer_prefix_rate_limit 192.0.2.0/24");
  EXPECT_EQ(reason_of(take(budget, at("192.0.3.77"), Kind::kAdvertisement)), "");
  const auto in_site = [](std::size_t i) {
    std::array<std::byte, 16> octets = ip("2001:db8::1").mapped_octets();
    octets[6] = static_cast<std::byte>(i & 0xff);
    octets[7] = static_cast<std::byte>(i >> 8 & 0xff);
    return Endpoint{IpAddress::from_v6(octets), 7};
  };
  EXPECT_NEAR(answered(budget, 5000, in_site), 200, 2);
  EXPECT_EQ(reason_of(take(budget, at("2001:db8:0:7::1"))), "answer_prefix_rate_limit 2001:db8::/48");
}

// 150 000 Requests a second from random addresses.
TEST_F(AnswerBudgetTest, AnswersOnlySoManyOfAFloodAndFirstThoseWhoHaveProvedThemselves) {
  AnswerBudget budget({}, KeyedHash());
  budget.note_proved(now_, at("192.0.2.1"));
  const auto random = [this](std::size_t) { return anywhere(); };
  answered(budget, 150'000, random);
  EXPECT_NEAR(answered(budget, 150'000, random), 5000, 100);
  // Another gateway of a network where there was one.
  for (std::uint16_t i = 0; i < 50; ++i) EXPECT_EQ(reason_of(take(budget, at("192.0.2.9", i))), "");
}

TEST_F(AnswerBudgetTest, LetsAQuietPrefixGoBeforeOneThatIsNot) {
  AnswerLimits limits = kUnlimited;
  limits.per_prefix_max = 2000;
  limits.total_max = 1000;
  AnswerBudget budget(limits, KeyedHash());
  for (int i = 0; i < 3; ++i) answered(budget, 200'000, [](std::size_t) { return at("192.0.2.1"); });
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(reason_of(take(budget, {IpAddress::from_v4(0xcb007100U + 256 * i), 1})), "");
  }
}

TEST_F(AnswerBudgetTest, HasNoLimitWhereNoneIsSet) {
  AnswerBudget budget(kUnlimited, KeyedHash());
  EXPECT_EQ(answered(budget, 10'000, [](std::size_t) { return at("192.0.2.1"); }), 10'000);
}

}  // namespace
}  // namespace amt
