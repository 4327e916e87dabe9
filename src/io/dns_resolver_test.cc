#include "io/dns_resolver.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/name_server_twin.hh"
#include "io/trust_anchor.hh"

namespace amt::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Twin = NameServerTwin;
const auto kAddress = Twin::address_data("192.0.2.1");

class DnsResolverTest : public ::testing::Test {
 protected:
  ~DnsResolverTest() override {
    if (!anchor_.empty()) std::filesystem::remove(anchor_);
  }
  void create(DnssecPolicy policy = DnssecPolicy::kOff) {
    DnsResolverOptions options;
    options.resolvers = {server_.endpoint()};
    options.dnssec = policy;
    if (policy != DnssecPolicy::kOff) options.trust_anchor_file = anchor();
    auto created = DnsResolver::create(options);
    ASSERT_TRUE(created) << created.error();
    resolver_ = std::move(*created);
  }
  DnsResolver::Ticket ask(const std::string& name, std::uint16_t type = kDnsTypeA) {
    return resolver_->look_up(name, type, [this](const DnsAnswer& answer) { answers_.push_back(answer); });
  }
  /// False: it did not happen.
  template <typename Condition>
  bool run_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::vector<pollfd> readable{{server_.fd(), POLLIN, 0}};
      for (const int fd : resolver_->fds()) readable.push_back({fd, POLLIN, 0});
      ::poll(readable.data(), readable.size(), 10);
      server_.process();
      resolver_->process();
    }
    return true;
  }
  bool is_answered(std::size_t count = 1) {
    return run_until([this, count] { return answers_.size() == count; });
  }
  /// A key that no zone of this server has.
  std::string anchor() {
    std::string pattern = (std::filesystem::temp_directory_path() / "amt-anchor-XXXXXX").string();
    const int file = ::mkstemp(pattern.data());
    EXPECT_GE(file, 0);
    ::close(file);
    anchor_ = pattern;
    std::ofstream(anchor_) << "; the root's\n. IN DS 20326 8 2 "
                              "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
    return anchor_;
  }

  NameServerTwin server_;
  std::string anchor_;
  std::unique_ptr<DnsResolver> resolver_;
  std::vector<DnsAnswer> answers_;
};

TEST_F(DnsResolverTest, GivesTheRecordsOfAName) {
  server_.add("relay.example.", kDnsTypeA, kAddress);
  create();
  ask("relay.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, ElementsAre(kAddress));
  EXPECT_EQ(answers_[0].dnssec, DnssecState::kUnchecked);
  EXPECT_EQ(answers_[0].problem, "");
  EXPECT_LE(answers_[0].ttl_seconds, 300U);
  EXPECT_GT(answers_[0].ttl_seconds, 0U);
}

TEST_F(DnsResolverTest, FollowsAnAlias) {
  server_.add("alias.example.", Twin::kTypeCname, Twin::wire_name("relay.example"));
  server_.add("relay.example.", kDnsTypeA, kAddress);
  create();
  ask("alias.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, ElementsAre(kAddress));
  EXPECT_THAT(answers_[0].canonical_name, HasSubstr("relay.example"));
}

TEST_F(DnsResolverTest, TellsANameThatIsNotThereFromATypeThatIsNot) {
  server_.refuse("none.example.", Twin::kNoSuchName);
  create();
  ask("none.example.");
  ASSERT_TRUE(is_answered(1));
  EXPECT_TRUE(answers_[0].denied);
  EXPECT_EQ(answers_[0].problem, "no such name");
  ask("relay.example.");
  ASSERT_TRUE(is_answered(2));
  EXPECT_TRUE(answers_[1].denied);
  EXPECT_EQ(answers_[1].problem, "no record of this type");
}

TEST_F(DnsResolverTest, AFailureOfTheServerDeniesNothing) {
  constexpr unsigned kServerFailure = 2;
  server_.refuse("relay.example.", kServerFailure);
  create();
  ask("relay.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_FALSE(answers_[0].denied);
  EXPECT_THAT(answers_[0].problem, HasSubstr("SERVFAIL"));
}

TEST_F(DnsResolverTest, LeavesOutRecordsBeyondTheMost) {
  for (unsigned i = 0; i < DnsResolver::kRecordsMax + 6; ++i) {
    server_.add("relay.example.", kDnsTypeA, Twin::address_data("192.0.2." + std::to_string(i)));
  }
  create();
  ask("relay.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, SizeIs(DnsResolver::kRecordsMax));
}

TEST_F(DnsResolverTest, BehindAResolverWithoutSignaturesUnsignedAnswersCountWhereTheyMay) {
  server_.add("relay.example.", kDnsTypeA, kAddress);
  create(DnssecPolicy::kPrefer);
  ask("relay.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, ElementsAre(kAddress));
  EXPECT_EQ(answers_[0].dnssec, DnssecState::kUnchecked);
  // It was the resolver's own key that was missing; the next answer needs no doubt.
  const std::size_t keys = server_.questions(Twin::kTypeDnskey);
  EXPECT_GT(keys, 0U);
  server_.add("other.example.", kDnsTypeA, kAddress);
  ask("other.example.");
  ASSERT_TRUE(is_answered(2));
  EXPECT_EQ(server_.questions(Twin::kTypeDnskey), keys);
}

TEST_F(DnsResolverTest, WhereSignaturesAreRequiredAnUnsignedAnswerIsNone) {
  server_.add("relay.example.", kDnsTypeA, kAddress);
  create(DnssecPolicy::kRequire);
  ask("relay.example.");
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, IsEmpty());
  EXPECT_NE(answers_[0].problem, "");
  EXPECT_FALSE(answers_[0].denied);
}

TEST_F(DnsResolverTest, WhoeverDoesNotWaitForSignaturesHasThePlainAnswer) {
  server_.add("relay.example.", kDnsTypeA, kAddress);
  // What the check of a signature needs never comes.
  server_.ignore(Twin::kTypeDnskey);
  create(DnssecPolicy::kPrefer);
  const DnsResolver::Ticket ticket = ask("relay.example.");
  resolver_->ask_plainly(ticket);
  EXPECT_TRUE(resolver_->stop_waiting(ticket));
  ASSERT_TRUE(is_answered());
  EXPECT_THAT(answers_[0].records, ElementsAre(kAddress));
  EXPECT_EQ(answers_[0].dnssec, DnssecState::kUnchecked);
  EXPECT_FALSE(resolver_->stop_waiting(ticket));
}

TEST_F(DnsResolverTest, AnAnchorIsNamedByItsFirstRecord) {
  EXPECT_EQ(anchor_name(anchor()), ".");
  std::ofstream(anchor_) << "; comment\n\n  example.net. IN DS 1 8 2 00\n";
  EXPECT_EQ(anchor_name(anchor_), "example.net.");
  EXPECT_EQ(anchor_name("/nonexistent/anchor"), ".");
}

}  // namespace
}  // namespace amt::test
