#include "client/driad_lookup.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kAaaa = 28;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
std::vector<std::byte> octets_of(std::string_view address) {
  const IpAddress parsed = ip(address);
  return {parsed.bytes().begin(), parsed.bytes().end()};
}

class DriadLookupTest : public ::testing::Test {
 protected:
  /// `records`: as a zone file has them.
  void answer_records(std::initializer_list<std::string_view> records) {
    DnsAnswer answer;
    for (const std::string_view text : records) answer.records.push_back(AmtRelay::parse_text(text)->rdata());
    answer.ttl_seconds = 300;
    answer.dnssec = DnssecState::kSecure;
    lookup_.handle_answer(0, answer);
  }
  /// The next question must be this one.
  void answer_address(std::string_view name, std::uint16_t type, std::vector<std::vector<std::byte>> records,
                      std::string problem = "") {
    const std::optional<DriadQuestion> question = lookup_.poll_question();
    ASSERT_TRUE(question);
    EXPECT_EQ(question->name, name);
    EXPECT_EQ(question->type, type);
    DnsAnswer answer;
    answer.records = std::move(records);
    answer.problem = std::move(problem);
    lookup_.handle_answer(question->number, answer);
  }
  DriadLookupTest() {
    const std::optional<DriadQuestion> first = lookup_.poll_question();
    EXPECT_TRUE(first && first->name == "10.100.51.198.in-addr.arpa." && first->type == kAmtRelayType);
  }
  std::vector<std::string> addresses_of(std::size_t relay) const {
    std::vector<std::string> out;
    for (const RelayOption& option : lookup_.result().relays.at(relay).options) {
      out.push_back(option.destination.address.to_string());
    }
    return out;
  }

  SeededRandom random_{1};
  const IpAddress source_ = ip("198.51.100.10");
  DriadLookup lookup_{random_, source_};
};

TEST_F(DriadLookupTest, AnAddressInARecordNeedsNoFurtherQuestion) {
  answer_records({"20 0 1 203.0.113.1", "10 1 2 2001:4860::1"});
  EXPECT_TRUE(lookup_.is_done());
  ASSERT_THAT(lookup_.result().relays, SizeIs(2));
  // The lower precedence is first.
  EXPECT_THAT(addresses_of(0), ElementsAre("2001:4860::1"));
  EXPECT_TRUE(lookup_.result().relays[0].options[0].discovery_optional);
  EXPECT_THAT(addresses_of(1), ElementsAre("203.0.113.1"));
  EXPECT_EQ(lookup_.result().relays[1].options[0].precedence, 20);
}

// D-4.2.4-b
TEST_F(DriadLookupTest, ANameIsAskedForBothFamiliesAndItsAddressesHaveItsPrecedence) {
  answer_records({"10 1 3 relay.example.com."});
  EXPECT_FALSE(lookup_.is_done());
  answer_address("relay.example.com.", kAaaa, {}, "no record of this type");
  EXPECT_EQ(lookup_.result().relays[0].problem, "no record of this type");
  answer_address("relay.example.com.", kA, {octets_of("203.0.113.1"), octets_of("203.0.113.2"), {std::byte{1}}});
  EXPECT_TRUE(lookup_.is_done());
  EXPECT_THAT(addresses_of(0), ElementsAre("203.0.113.1", "203.0.113.2"));
  EXPECT_EQ(lookup_.result().relays[0].options[1].precedence, 10);
  EXPECT_TRUE(lookup_.result().relays[0].options[1].discovery_optional);
  EXPECT_EQ(lookup_.result().relays[0].problem, "");
  EXPECT_EQ(why_no_relay(source_, lookup_.result()), "");
}

// RFC 8777 §3.2.2
TEST_F(DriadLookupTest, AsksForNoMoreNamesThanTheBudgetAllows) {
  answer_records({"1 0 3 a.example.", "2 0 3 b.example.", "3 0 3 c.example.", "4 0 3 d.example.", "5 0 3 e.example."});
  std::size_t questions = 0;
  while (lookup_.poll_question()) ++questions;
  EXPECT_EQ(questions, 2 * DriadLookup::kNamesMax);
  EXPECT_THAT(lookup_.result().relays[4].problem, HasSubstr("too many names"));
}

TEST_F(DriadLookupTest, AnAddressThatNoRelayCanHaveIsRefused) {
  answer_records({"10 0 3 relay.example."});
  answer_address("relay.example.", kAaaa, {octets_of("::1")});
  answer_address("relay.example.", kA, {octets_of("127.0.0.1")});
  EXPECT_THAT(addresses_of(0), IsEmpty());
  EXPECT_TRUE(lookup_.result().has_unroutable);
  EXPECT_THAT(unroutable_notice(lookup_.result()), HasSubstr("AMTRELAY of 10.100.51.198.in-addr.arpa. names a "));
  EXPECT_THAT(why_no_relay(source_, lookup_.result()), HasSubstr("10 0 3 relay.example.: 127.0.0.1: "));
}

TEST_F(DriadLookupTest, SaysWhyThereIsNoRelay) {
  DnsAnswer answer;
  answer.problem = "no such name";
  answer.denied = true;
  lookup_.handle_answer(0, answer);
  EXPECT_THAT(why_no_relay(source_, lookup_.result()), HasSubstr("its owner names no relay"));
  EXPECT_EQ(unroutable_notice(lookup_.result()), "");
  const SourceRecords records = source_records(source_, lookup_.result());
  EXPECT_FALSE(records.failed) << "the owner has nothing to say, and that is an answer";
}

TEST_F(DriadLookupTest, AFailureMayBeMendedByTheNextQuestion) {
  DnsAnswer answer;
  answer.problem = "the resolver could not find out (SERVFAIL)";
  lookup_.handle_answer(0, answer);
  EXPECT_THAT(why_no_relay(source_, lookup_.result()), HasSubstr("SERVFAIL"));
  EXPECT_TRUE(source_records(source_, lookup_.result()).failed);
}

TEST_F(DriadLookupTest, TheOwnerMaySayThatThereIsNone) {
  answer_records({"10 0 0 ."});
  EXPECT_TRUE(lookup_.result().no_relay);
  EXPECT_THAT(why_no_relay(source_, lookup_.result()), HasSubstr("says that no relay is to be used"));
  EXPECT_TRUE(source_records(source_, lookup_.result()).no_relay);
}

TEST_F(DriadLookupTest, ARecordThatCannotBeUsedIsSkipped) {
  DnsAnswer answer;
  answer.records = {{std::byte{10}, std::byte{1}, std::byte{1}}};
  lookup_.handle_answer(0, answer);
  EXPECT_THAT(lookup_.result().skipped, SizeIs(1));
  EXPECT_THAT(why_no_relay(source_, lookup_.result()), HasSubstr("no record that could be used"));
}

TEST_F(DriadLookupTest, TheSearchGetsAllAddressesOfAllRecords) {
  answer_records({"10 0 1 203.0.113.1", "20 0 1 203.0.113.2"});
  const SourceRecords records = source_records(source_, lookup_.result());
  EXPECT_THAT(records.options, SizeIs(2));
  EXPECT_EQ(records.lifetime, std::chrono::seconds(300));
  EXPECT_EQ(records.problem, "");
}

}  // namespace
}  // namespace amt
