#include "engine/runtime/dns_client.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "discovery/query_budget.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/host_client.hh"
#include "engine/runtime/network_events.hh"
#include "engine/runtime/run_until.hh"
#include "io/name_server_twin.hh"
#include "sys/test_namespace.hh"

namespace amt::test {
namespace {

using ::testing::SizeIs;

class DnsClientTest : public ::testing::Test {
 protected:
  DnsClientTest() : watch_(loop_, server_.fd(), [this] { server_.process(); }) {
    DnsResolverOptions options;
    options.resolvers = {server_.endpoint()};
    options.dnssec = DnssecPolicy::kOff;
    auto created = DnsClient::create(loop_, options);
    EXPECT_TRUE(created);
    client_ = std::move(*created);
  }
  void ask(const std::string& name) {
    client_->look_up(name, kDnsTypeA, [this](const DnsAnswer& answer) { answers_.push_back(answer); });
  }

  EventLoop loop_;
  NameServerTwin server_;
  ReadWatch watch_;
  std::unique_ptr<DnsClient> client_;
  std::vector<DnsAnswer> answers_;
};

TEST_F(DnsClientTest, AnswersFromTheLoop) {
  server_.add("relay.example.", kDnsTypeA, NameServerTwin::address_data("192.0.2.1"));
  ask("relay.example.");
  EXPECT_THAT(answers_, SizeIs(0));
  ASSERT_TRUE(run_until(loop_, [this] { return answers_.size() == 1; }));
  EXPECT_THAT(answers_[0].records, SizeIs(1));
}

TEST_F(DnsClientTest, AsksNoFasterThanItMay) {
  const Instant start = monotonic_now();
  for (std::size_t i = 0; i < 2 * QueryBudget::kQueriesMax + 1; ++i) ask("name" + std::to_string(i) + ".example.");
  ASSERT_TRUE(run_until(loop_, [this] { return answers_.size() == 2 * QueryBudget::kQueriesMax + 1; }));
  EXPECT_GE(monotonic_now() - start, 2 * QueryBudget::kPeriod);
}

TEST_F(DnsClientTest, RefusesMoreThanMayWait) {
  for (std::size_t i = 0; i < DnsClient::kWaitingMax + 20; ++i) ask("name" + std::to_string(i) + ".example.");
  ASSERT_FALSE(answers_.empty());
  EXPECT_EQ(answers_[0].problem, "too many look-ups at once");
}

TEST(HostClient, FindsTheAddressesOfAName) {
  EventLoop loop;
  HostClient client(loop);
  std::vector<HostAnswer> answers;
  client.look_up("localhost", [&](const HostAnswer& answer) { answers.push_back(answer); });
  client.look_up("no-such-host.invalid", [&](const HostAnswer& answer) { answers.push_back(answer); });
  ASSERT_TRUE(run_until(loop, [&] { return answers.size() == 2; }));
  const bool first_is_localhost = !answers[0].addresses.empty();
  EXPECT_TRUE(answers[first_is_localhost ? 0 : 1].addresses.front().is_loopback());
  EXPECT_NE(answers[first_is_localhost ? 1 : 0].problem, "");
}

using NetworkEventsTest = InTestNamespace;

TEST_F(NetworkEventsTest, TellOfAChangeAtOnceAndOfABurstOnce) {
  EventLoop loop;
  int told = 0;
  NetworkEvents events(loop, [&] { ++told; });
  ASSERT_TRUE(ok(events.start()));
  ASSERT_TRUE(ok(create_veth("one", "other", std::nullopt)));
  ASSERT_TRUE(run_until(loop, [&] { return told == 1; }));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(ok(set_link_up(find_link("one")->index)));
    ASSERT_TRUE(ok(set_link_down(find_link("one")->index)));
  }
  ASSERT_TRUE(run_until(loop, [&] { return told == 2; }));
  events.stop();
  ASSERT_TRUE(ok(set_link_up(find_link("one")->index)));
  int turns = 0;
  ASSERT_TRUE(run_until(loop, [&] { return ++turns >= 100; }));
  EXPECT_LE(told, 3);
}

}  // namespace
}  // namespace amt::test
