#include "cli/discover_report.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace amt {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using State = RelayProbe::State;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Endpoint at(std::string_view text, std::uint16_t port = kAmtPort) { return {ip(text), port}; }

AskedRelay asked(std::string_view target, State state) {
  AskedRelay relay;
  relay.target = at(target);
  relay.precedence = 10;
  relay.result.state = state;
  return relay;
}
AskedRelay serving(std::string_view target) {
  AskedRelay relay = asked(target, State::kConnected);
  relay.result.relay = relay.target;
  relay.result.request_time = microseconds(12'340);
  return relay;
}

/// One record of a source, and what it led to.
DriadResult driad() {
  DriadResult result;
  result.name = DomainName::reverse_of(ip("198.51.100.1"));
  result.dnssec = DnssecState::kSecure;
  result.ttl_seconds = 300;
  FoundRelay found;
  found.record = {10, true, ip("192.0.2.1")};
  RelayOption option;
  option.destination.address = ip("192.0.2.1");
  found.options.push_back(option);
  result.relays.push_back(found);
  return result;
}

ServicesFound services() {
  ServicesFound found;
  ServiceDomain domain;
  domain.name = *DomainName::parse("example.net");
  domain.instances = 1;
  domain.dnssec = "unsigned";
  domain.ttl_seconds = 60;
  found.domains.push_back(domain);
  ServiceRelay relay;
  relay.instance = *DomainName::parse("r1._amt._udp.example.net");
  relay.location = SrvRecord{1, 0, 2269, *DomainName::parse("r1.example.net")};
  relay.addresses = {ip("192.0.2.9")};
  found.relays.push_back(relay);
  return found;
}

TEST(DiscoverReport, TheFirstThatServesIsChosen) {
  DiscoverReport report;
  report.relays = {asked("192.0.2.1", State::kNoAnswer), serving("192.0.2.2"), serving("192.0.2.3")};
  ASSERT_NE(report.chosen(), nullptr);
  EXPECT_EQ(report.chosen()->target, at("192.0.2.2"));
  EXPECT_THAT(report.text(), HasSubstr("192.0.2.2:2268 (precedence 10): answers in 12.3 ms"));
  EXPECT_THAT(report.text(), HasSubstr("a gateway here would use 192.0.2.2:2268"));
  const auto json = boost::json::parse(report.json()).as_object();
  EXPECT_EQ(json.at("chosen").as_string(), "192.0.2.2:2268");
  EXPECT_FALSE(json.at("relays").at(0).at("chosen").as_bool());
  EXPECT_TRUE(json.at("relays").at(1).at("chosen").as_bool());
  EXPECT_FALSE(json.at("relays").at(2).at("chosen").as_bool());
}

TEST(DiscoverReport, NoneMayServe) {
  DiscoverReport report;
  report.relays = {asked("192.0.2.1", State::kLimited)};
  EXPECT_EQ(report.chosen(), nullptr);
  EXPECT_THAT(report.text(), HasSubstr("no relay would serve this host\n"));
  EXPECT_TRUE(boost::json::parse(report.json()).at("chosen").is_null());
}

TEST(DiscoverReport, HasANameForEachState) {
  const std::vector<std::pair<State, std::string>> names = {{State::kConnected, "serves"},
                                                            {State::kLimited, "limited"},
                                                            {State::kNoDiscovery, "no_advertisement"},
                                                            {State::kBadRelay, "bad_advertisement"},
                                                            {State::kNoAnswer, "no_query"}};
  for (const auto& [state, name] : names) {
    DiscoverReport report;
    report.relays = {state == State::kConnected ? serving("192.0.2.1") : asked("192.0.2.1", state)};
    const auto json = boost::json::parse(report.json()).at("relays").at(0).as_object();
    EXPECT_EQ(json.at("state").as_string(), name);
    EXPECT_EQ(json.at("limit").as_bool(), state == State::kLimited);
  }
}

TEST(DiscoverReport, SaysWhichRelayAnAddressAdvertised) {
  AskedRelay relay = serving("192.0.2.1");
  relay.given = true;
  relay.result.relay = at("192.0.2.7");
  relay.result.discovery_time = microseconds(5000);
  relay.result.seen_as = at("203.0.113.5", 4444);
  EXPECT_EQ(verdict(relay),
            "advertises 192.0.2.7:2268 in 5.0 ms, which answers in 12.3 ms and sees this host as 203.0.113.5:4444");
  DiscoverReport report;
  report.relays = {relay};
  EXPECT_THAT(report.text(), HasSubstr("192.0.2.1:2268 (--discovery): advertises"));
  const auto json = boost::json::parse(report.json()).at("relays").at(0).as_object();
  EXPECT_EQ(json.at("origin").as_string(), "given");
  EXPECT_EQ(json.at("seen_as").as_string(), "203.0.113.5:4444");
  EXPECT_DOUBLE_EQ(json.at("advertisement_milliseconds").as_double(), 5);
}

TEST(DiscoverReport, TellsWhatTheDnsSaidOfASource) {
  DiscoverReport report;
  report.source = ip("198.51.100.1");
  report.driad = driad();
  report.driad->canonical_name = "alias.example.net";
  report.driad->skipped = {AmtRelayError{}};
  AskedRelay relay = serving("192.0.2.1");
  relay.discovery_optional = true;
  relay.via_name = "relay.example.net";
  report.relays = {relay};
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("AMTRELAY of 1.100.51.198.in-addr.arpa"));
  EXPECT_THAT(text, HasSubstr(": 2 records, DNSSEC "));
  EXPECT_THAT(text, HasSubstr("for 300 s"));
  EXPECT_THAT(text, HasSubstr("  alias of alias.example.net\n"));
  EXPECT_THAT(text, HasSubstr("  a record was skipped: "));
  EXPECT_THAT(text, HasSubstr("(precedence 10, D, relay.example.net)"));
  const auto json = boost::json::parse(report.json()).at("driad").as_object();
  EXPECT_EQ(json.at("ttl_seconds").to_number<int>(), 300);
  EXPECT_EQ(json.at("records").at(0).at("addresses").at(0).as_string(), "192.0.2.1");
  EXPECT_EQ(json.at("skipped").as_array().size(), 1U);
}

TEST(DiscoverReport, ASourceWithoutRecordsIsExplained) {
  DiscoverReport report;
  report.source = ip("198.51.100.1");
  report.driad = DriadResult{};
  report.driad->problem = "the name server does not answer";
  EXPECT_THAT(report.text(), HasSubstr("the name server does not answer"));
}

TEST(DiscoverReport, TellsWhatDnsSdBrought) {
  DiscoverReport report;
  report.services = services();
  AskedRelay relay = serving("192.0.2.9");
  relay.origin = RelayOrigin::kDnsSd;
  relay.via_name = "r1";
  report.relays = {relay};
  EXPECT_THAT(report.text(), HasSubstr("_amt._udp.example.net"));
  EXPECT_THAT(report.text(), HasSubstr(": 1 record, DNSSEC unsigned, for 60 s\n"));
  EXPECT_THAT(report.text(), HasSubstr(" SRV "));
  EXPECT_THAT(report.text(), HasSubstr("(DNS-SD, r1)"));
  const auto json = boost::json::parse(report.json()).at("dns_sd").as_object();
  EXPECT_EQ(json.at("instances").at(0).at("addresses").at(0).as_string(), "192.0.2.9");
  EXPECT_EQ(json.at("domains").at(0).at("instances").to_number<int>(), 1);
}

TEST(DiscoverReport, NoDomainAndNoInstanceAreToldApart) {
  DiscoverReport report;
  report.services = ServicesFound{};
  EXPECT_THAT(report.text(), HasSubstr("no domain is known to ask for _amt._udp (--dns-sd-domain names one)"));
  report.services = services();
  report.services->domains[0].instances = 0;
  report.services->domains[0].problem = "there is none";
  report.services->relays[0].problem = "has no address";
  EXPECT_THAT(report.text(), HasSubstr(": there is none\n"));
  EXPECT_THAT(report.text(), HasSubstr(": has no address\n"));
  EXPECT_THAT(report.text(), Not(HasSubstr("record")));
}

TEST(ServicesFound, AnOptionIsOfTheInstanceWithItsAddressAndPort) {
  const ServicesFound found = services();
  RelayOption option;
  option.destination.address = ip("192.0.2.9");
  option.port = 2269;
  EXPECT_EQ(found.instance_at(option), found.relays[0].instance.to_string());
  option.port = 2270;
  EXPECT_EQ(found.instance_at(option), "");
  option.port = 2269;
  option.destination.address = ip("192.0.2.10");
  EXPECT_EQ(found.instance_at(option), "");
}

}  // namespace
}  // namespace amt
