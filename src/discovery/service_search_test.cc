#include "discovery/service_search.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "amt/endpoint.hh"
#include "base/byte_reader.hh"

namespace amt {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Rdata = std::vector<std::byte>;

DomainName name(const char* text) { return *DomainName::parse(text); }
Rdata ptr(const char* text) {
  const DomainName target = name(text);
  return {target.wire().begin(), target.wire().end()};
}
Rdata srv(std::uint16_t priority, std::uint16_t weight, std::uint16_t port, const char* target) {
  Rdata rdata(6);
  ByteWriter out(rdata);
  out.u16(priority);
  out.u16(weight);
  out.u16(port);
  const Rdata host = ptr(target);
  rdata.insert(rdata.end(), host.begin(), host.end());
  return rdata;
}
Rdata address(const char* text) {
  const IpAddress parsed = *IpAddress::parse(text);
  return {parsed.bytes().begin(), parsed.bytes().end()};
}
std::string shown(const ServiceQuestion& question) {
  const std::map<DnsType, const char*> types{
      {DnsType::kA, " A"}, {DnsType::kPtr, " PTR"}, {DnsType::kAaaa, " AAAA"}, {DnsType::kSrv, " SRV"}};
  return question.name.to_string() + types.at(question.type);
}

class Services : public testing::Test {
 protected:
  void start(const char* domain = "example.net") { search.start(now, {{name(domain)}, {}}); }
  /// What is asked now.
  std::vector<std::string> asked() {
    std::vector<std::string> texts;
    while (const std::optional<ServiceQuestion> question = search.poll_question()) {
      texts.push_back(shown(*question));
      open.emplace(texts.back(), *question);
    }
    return texts;
  }
  void answer(const std::string& question, const std::vector<Rdata>& records, std::uint32_t ttl_seconds = 300) {
    asked();
    ServiceAnswer answer;
    answer.records.assign(records.begin(), records.end());
    answer.ttl_seconds = ttl_seconds;
    answer.denied = records.empty();
    if (records.empty()) answer.problem = "no such name";
    search.handle_answer(now, open.at(question), answer);
    open.erase(question);
  }
  void fail(const std::string& question) {
    asked();
    ServiceAnswer answer;
    answer.problem = "SERVFAIL";
    search.handle_answer(now, open.at(question), answer);
    open.erase(question);
  }
  /// Answers everything else with "no such name".
  void deny_the_rest() {
    asked();
    while (!open.empty()) {
      answer(open.begin()->first, {});
      asked();
    }
  }
  void relay(const char* instance, const char* host, const char* at, std::uint16_t priority = 0,
             std::uint16_t weight = 0) {
    answer(name(instance).to_string() + " SRV", {srv(priority, weight, 2268, host)});
    answer(name(host).to_string() + " AAAA", {});
    answer(name(host).to_string() + " A", {address(at)});
  }
  /// `192.0.2.1:2268/0, ...`
  std::string found() const {
    std::string text;
    for (const RelayOption& option : search.options()) {
      text += (text.empty() ? "" : ", ") + Endpoint{option.destination.address, option.port}.to_string() + "/" +
              std::to_string(option.precedence);
    }
    return text;
  }
  void pass(Duration duration) {
    now += duration;
    search.handle_timeout(now);
  }

  SeededRandom random{1};
  ServiceSearch search{random};
  Instant now = Instant() + hours(1);
  std::map<std::string, ServiceQuestion> open;
};

const char* const kService = "_amt._udp.example.net. PTR";
const char* const kOne = "one._amt._udp.example.net";
const char* const kTwo = "two._amt._udp.example.net";

TEST_F(Services, FromTheDomainToTheRelay) {  // D-3.1.2-e
  start();
  EXPECT_TRUE(search.is_searching());
  EXPECT_EQ(asked(), std::vector<std::string>{kService});
  answer(kService, {ptr("The\\032relay\\.1._AMT._udp.example.net")});
  EXPECT_EQ(asked(), std::vector<std::string>{"The\\032relay\\.1._AMT._udp.example.net. SRV"});
  answer("The\\032relay\\.1._AMT._udp.example.net. SRV", {srv(0, 0, 2268, "relay.example.net")});
  EXPECT_EQ(asked(), (std::vector<std::string>{"relay.example.net. AAAA", "relay.example.net. A"}));
  answer("relay.example.net. A", {address("192.0.2.1"), address("192.0.2.2")});
  EXPECT_EQ(found(), "");
  answer("relay.example.net. AAAA", {address("2001:db8::1")});
  EXPECT_FALSE(search.is_searching());
  EXPECT_EQ(found(), "192.0.2.1:2268/0, 192.0.2.2:2268/0, [2001:db8::1]:2268/0");
  EXPECT_EQ(search.options().front().origin, RelayOrigin::kDnsSd);
  // D-4.2.2-a: no bit here says that the relay may be asked directly.
  EXPECT_FALSE(search.options().front().discovery_optional);
  EXPECT_EQ(search.problem(), "");
}

TEST_F(Services, DomainsAreAskedForAndNamed) {  // D-3.1.2-e, RFC 6763 section 11
  search.start(now, {{name("example.net"), name("Example.Net"), name("printer.local"), name("local")},
                     {name("example.net"), name("0.2.0.192.in-addr.arpa")}});
  EXPECT_EQ(asked(), (std::vector<std::string>{kService, "lb._dns-sd._udp.example.net. PTR",
                                               "lb._dns-sd._udp.0.2.0.192.in-addr.arpa. PTR"}));
  answer("lb._dns-sd._udp.0.2.0.192.in-addr.arpa. PTR", {ptr("site.example"), ptr("example.net"), ptr("local")});
  EXPECT_EQ(asked(), std::vector<std::string>{"_amt._udp.site.example. PTR"});
  answer("_amt._udp.site.example. PTR", {ptr("r._amt._udp.site.example")});
  relay("r._amt._udp.site.example", "r.site.example", "192.0.2.9");
  deny_the_rest();
  EXPECT_EQ(found(), "192.0.2.9:2268/0");
  EXPECT_EQ(search.domains().size(), 4U);  // what is multicast DNS's is named, and not asked
}

TEST_F(Services, PriorityComesFirst) {  // D-3.1.2-e, RFC 6763 section 5
  start();
  answer(kService, {ptr(kOne), ptr(kTwo)});
  relay(kOne, "a.example.net", "192.0.2.1", 20, 60000);
  EXPECT_EQ(found(), "");  // the better one may still come
  relay(kTwo, "b.example.net", "192.0.2.2", 10, 0);
  EXPECT_EQ(found(), "192.0.2.2:2268/0, 192.0.2.1:2268/1");
}

TEST_F(Services, WeightSharesAmongEquals) {  // RFC 2782, RFC 6763 section 5
  constexpr int kRounds = 2000;
  std::map<std::string, int> first;
  for (int i = 0; i < kRounds; ++i) {
    start();
    answer(kService, {ptr(kOne), ptr(kTwo), ptr("three._amt._udp.example.net")});
    relay(kOne, "a.example.net", "192.0.2.1", 10, 30);
    relay(kTwo, "b.example.net", "192.0.2.2", 10, 10);
    relay("three._amt._udp.example.net", "c.example.net", "192.0.2.3", 10, 0);
    ++first[search.options().front().destination.address.to_string()];
  }
  EXPECT_NEAR(first["192.0.2.1"], kRounds * 3 / 4, kRounds / 20);
  EXPECT_NEAR(first["192.0.2.2"], kRounds / 4, kRounds / 20);
  EXPECT_LT(first["192.0.2.3"], kRounds / 100);
}

TEST_F(Services, EqualsWithoutWeightGoByChance) {  // D-3.1.2-c
  std::map<std::string, int> first;
  for (int i = 0; i < 200; ++i) {
    start();
    answer(kService, {ptr(kOne), ptr(kTwo)});
    relay(kOne, "a.example.net", "192.0.2.1");
    relay(kTwo, "b.example.net", "192.0.2.2");
    ++first[found()];
  }
  EXPECT_EQ(first.size(), 2U);
  EXPECT_GT(first.begin()->second, 60);
  EXPECT_LT(first.begin()->second, 140);
}

TEST_F(Services, PortIsTheRecords) {
  start();
  answer(kService, {ptr(kOne)});
  answer("one._amt._udp.example.net. SRV", {srv(1, 0, 22680, "a.example.net"), srv(2, 0, 2268, "a.example.net")});
  answer("a.example.net. A", {address("192.0.2.1")});
  answer("a.example.net. AAAA", {});
  EXPECT_EQ(found(), "192.0.2.1:22680/0, 192.0.2.1:2268/1");
}

TEST_F(Services, PlaceholderIsNoRelay) {
  start();
  answer(kService, {ptr(kOne), ptr(kTwo)});
  answer("one._amt._udp.example.net. SRV", {srv(0, 0, 2268, ".")});
  answer("two._amt._udp.example.net. SRV", {srv(0, 0, 0, "a.example.net")});
  EXPECT_EQ(asked(), std::vector<std::string>{});
  EXPECT_EQ(search.problem(), "DNS-SD: one._amt._udp.example.net.: says that no relay is there");
}

TEST_F(Services, SlowDomainHoldsNobodyUp) {  // D-3.2.2-b
  search.start(now, {{name("slow.example"), name("example.net")}, {}});
  answer(kService, {ptr(kOne)});
  relay(kOne, "a.example.net", "192.0.2.1");
  EXPECT_EQ(found(), "");
  EXPECT_EQ(search.next_deadline(), now + ServiceSearch::kFirstResultsDelay);
  pass(ServiceSearch::kFirstResultsDelay);
  EXPECT_EQ(found(), "192.0.2.1:2268/0");
  EXPECT_TRUE(search.is_searching());
  answer("_amt._udp.slow.example. PTR", {ptr("x._amt._udp.slow.example")});
  relay("x._amt._udp.slow.example", "x.example", "192.0.2.7", 1);
  EXPECT_EQ(found(), "192.0.2.1:2268/0, 192.0.2.7:2268/1");
  EXPECT_FALSE(search.is_searching());
}

TEST_F(Services, ResolverThatNeverAnswersIsGivenUpAndAskedMoreRarely) {  // D-3.5-a
  Duration longest{};
  for (int i = 0; i < 20; ++i) {
    start();
    asked();
    pass(ServiceSearch::kFirstResultsDelay);
    EXPECT_EQ(search.next_deadline() - now, ServiceSearch::kPatience - ServiceSearch::kFirstResultsDelay);
    pass(ServiceSearch::kPatience - ServiceSearch::kFirstResultsDelay);
    EXPECT_FALSE(search.is_searching());
    EXPECT_EQ(search.problem(), "DNS-SD: _amt._udp.example.net.: the resolver does not answer");
    const Duration pause = search.next_deadline() - now;
    EXPECT_GE(pause, seconds(1));
    EXPECT_LE(pause, seconds(120));
    longest = std::max(longest, pause);
    EXPECT_FALSE(search.is_start_due(now));
    now += pause;
    EXPECT_TRUE(search.is_start_due(now));
  }
  EXPECT_GT(longest, seconds(60));
}

TEST_F(Services, LifeIsThatOfTheShortestRecord) {
  start();
  answer(kService, {ptr(kOne)}, 3000);
  answer("one._amt._udp.example.net. SRV", {srv(0, 0, 2268, "a.example.net")}, 120);
  answer("a.example.net. A", {address("192.0.2.1")}, 3000);
  answer("a.example.net. AAAA", {}, 3000);
  EXPECT_EQ(search.next_deadline(), now + seconds(120));
  start();
  answer(kService, {Rdata()}, 0);
  EXPECT_EQ(search.next_deadline(), now + ServiceSearch::kLifetimeMin);
  start();
  answer(kService, {}, 0);
  EXPECT_EQ(search.next_deadline(), now + ServiceSearch::kDenialMin);
  start();
  answer(kService, {}, 1000000);
  EXPECT_EQ(search.next_deadline(), now + ServiceSearch::kLifetimeMax);
  search.start(now, {});
  EXPECT_FALSE(search.is_searching());
  EXPECT_EQ(search.problem(), "");
  EXPECT_EQ(search.next_deadline(), now + ServiceSearch::kLifetimeMax);
}

TEST_F(Services, WhatWasFoundStaysUntilTheNextRoundSaysOtherwise) {
  start();
  answer(kService, {ptr(kOne)});
  relay(kOne, "a.example.net", "192.0.2.1");
  start();
  EXPECT_FALSE(search.is_searching());
  EXPECT_EQ(found(), "192.0.2.1:2268/0");
  fail(kService);
  EXPECT_EQ(found(), "192.0.2.1:2268/0");  // a resolver that is away
  start();
  answer(kService, {ptr(kTwo)});
  EXPECT_EQ(found(), "192.0.2.1:2268/0");
  relay(kTwo, "b.example.net", "192.0.2.2");
  EXPECT_EQ(found(), "192.0.2.2:2268/0");
  start();
  answer(kService, {});
  EXPECT_EQ(found(), "");
  EXPECT_EQ(search.problem(), "no relay by DNS-SD: no _amt._udp in example.net.");
}

TEST_F(Services, AnotherNetworkKnowsNothingOfTheLast) {  // D-3.3.2-a
  start();
  answer(kService, {ptr(kOne)});
  relay(kOne, "a.example.net", "192.0.2.1");
  start();
  asked();
  const std::map<std::string, ServiceQuestion> late = open;
  open.clear();
  search.forget();
  start();
  EXPECT_TRUE(search.is_searching());
  EXPECT_EQ(found(), "");
  ServiceAnswer answer_of_before;
  const Rdata one = ptr(kOne);
  answer_of_before.records = {one};
  for (const auto& [text, question] : late) search.handle_answer(now, question, answer_of_before);
  EXPECT_EQ(asked(), std::vector<std::string>{kService});  // nothing follows from it
}

TEST_F(Services, AdviceThatCannotBeHadIsNoFailure) {
  search.start(now, {{name("example.net")}, {name("0.2.0.192.in-addr.arpa")}});
  answer(kService, {}, 3600);
  fail("lb._dns-sd._udp.0.2.0.192.in-addr.arpa. PTR");
  EXPECT_EQ(search.next_deadline(), now + std::chrono::minutes(5));
}

TEST_F(Services, HostileAnswersAreHarmless) {
  start();
  std::vector<Rdata> instances{{},
                               {std::byte{0xc0}, std::byte{12}},
                               ptr("."),
                               ptr("_amt._udp.example.net"),
                               ptr("one._http._tcp.example.net"),
                               ptr("a.b._amt._udp.example.net")};
  answer(kService, instances);
  EXPECT_EQ(search.problem(), "DNS-SD: _amt._udp.example.net.: no record that could be used");
  // More of everything than anybody needs
  start();
  instances.clear();
  for (int i = 0; i < 64; ++i) instances.push_back(ptr(("i" + std::to_string(i) + "._amt._udp.example.net").c_str()));
  answer(kService, instances);
  std::size_t questions = 1;
  asked();
  for (int i = 0; i < 1000 && !open.empty(); ++i) {
    const auto all = open;
    questions += all.size();
    for (const auto& [text, question] : all) {
      if (question.type == DnsType::kSrv) {
        answer(
            text,
            {{}, srv(0, 0, 1, "x.example"), srv(0, 0, 1, ("h" + text.substr(0, text.find('.')) + ".example").c_str())});
      } else {
        std::vector<Rdata> addresses{{std::byte{1}},       address("224.0.0.1"),   address("0.0.0.0"), address("::"),
                                     address("127.0.0.1"), address("169.254.1.1"), address("fe80::1"), address("::1")};
        for (int last = 1; last < 64; ++last) addresses.push_back(address(("192.0.2." + std::to_string(last)).c_str()));
        answer(text, addresses);
      }
    }
  }
  EXPECT_FALSE(search.is_searching());
  EXPECT_LE(questions, ServiceSearch::kQuestionsMax);
  EXPECT_EQ(search.relays().size(), ServiceSearch::kRelaysMax);
  EXPECT_EQ(search.options().size(), ServiceSearch::kOptionsMax);
}

TEST_F(Services, UnusableSrvRecordIsSaid) {
  start();
  answer(kService, {ptr(kOne), ptr(kTwo)});
  answer("one._amt._udp.example.net. SRV", {Rdata(5), Rdata(6)});
  answer("two._amt._udp.example.net. SRV", {});
  EXPECT_EQ(search.problem(), "DNS-SD: one._amt._udp.example.net.: no SRV record that could be used");
  EXPECT_EQ(search.relays()[1].problem, "no such name");
}

TEST(ServiceRecord, NamesAreTold) {
  EXPECT_TRUE(is_amt_instance(name("a\\.b._amt._UDP.example.net")));
  EXPECT_FALSE(is_amt_instance(name("_amt._udp.example.net")));
  EXPECT_FALSE(is_amt_instance(name("x._amt._tcp.example.net")));
  EXPECT_FALSE(is_amt_instance(DomainName()));
  EXPECT_TRUE(is_multicast_dns(name("LOCAL")));
  EXPECT_TRUE(is_multicast_dns(name("host.local")));
  EXPECT_FALSE(is_multicast_dns(name("local.example")));
  EXPECT_FALSE(is_multicast_dns(DomainName()));
  const std::string long_label(63, 'x');
  const DomainName longest =
      name((long_label + "." + long_label + "." + long_label + "." + std::string(60, 'y')).c_str());
  EXPECT_FALSE(amt_service_of(longest));
}

TEST(ServiceRecord, SrvIsReadWholeOrNotAtAll) {
  const Rdata whole = srv(10, 5, 2268, "relay.example.net");
  EXPECT_EQ(SrvRecord::parse(whole)->to_string(), "10 5 2268 relay.example.net.");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(SrvRecord::parse(Bytes(whole).first(length))) << length;
  }
  Rdata more = whole;
  more.push_back(std::byte{0});
  EXPECT_FALSE(SrvRecord::parse(more));
}

}  // namespace
}  // namespace amt
