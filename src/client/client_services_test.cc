/// A client that finds the relay of its own network by DNS-SD (RFC 8777 §3.1.2; RFC 6763).

#include "client/client.hh"
#include "client/test_world.hh"

namespace amt::test {
namespace {

Octets wire_name(std::string_view name) {
  Octets out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.push_back(static_cast<std::byte>(label.size()));
    for (const char c : label) out.push_back(static_cast<std::byte>(c));
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back(std::byte{0});
  return out;
}

class Services : public testing::Test {
 protected:
  Services() {
    world.options.search.order = {RelayOrigin::kDnsSd, RelayOrigin::kAnycast};
    world.options.service_domains = {*DomainName::parse("example.net")};
  }
  void add(const std::string& name, DnsType type, Octets data) {
    DnsAnswer& answer = world.dns[{name, static_cast<std::uint16_t>(type)}];
    answer.records.push_back(std::move(data));
    answer.ttl_seconds = 3600;
  }
  /// RFC 2782: priority, weight, port, target.
  void add_instance(std::string_view label, unsigned priority, std::string_view target, std::string_view at) {
    const std::string instance = std::string(label) + "._amt._udp.example.net";
    add("_amt._udp.example.net.", DnsType::kPtr, wire_name(instance));
    Octets location(6);
    put_u16(location, 0, priority);
    put_u16(location, 4, kAmtPort);
    const Octets name = wire_name(target);
    location.insert(location.end(), name.begin(), name.end());
    add(instance + ".", DnsType::kSrv, location);
    const IpAddress relay = address(at);
    add(std::string(target) + ".", DnsType::kA, Octets(relay.bytes().begin(), relay.bytes().end()));
    world.relay(at);
  }
  void watch() {
    world.start();
    world.join(kGroup, include({kSource}));
    world.run_for(seconds(5));
  }

  World world;
};

TEST_F(Services, TheRelayOfTheNetworkIsUsed) {
  add_instance("r1", 0, "r1.example.net", kFirst);
  watch();
  EXPECT_EQ(world.relay(kFirst).gateways.size(), 1U) << world.log;
  EXPECT_EQ(world.chosen, std::vector{address(kFirst)});
}

TEST_F(Services, ThePriorityOfTheirRecordsOrdersThem) {
  add_instance("r1", 20, "r1.example.net", kFirst);
  add_instance("r2", 10, "r2.example.net", kSecond);
  watch();
  EXPECT_EQ(world.chosen, std::vector{address(kSecond)}) << world.log;
}

TEST_F(Services, ANetworkWithoutARelayLeavesItToTheNextWay) {
  world.relay(kAnycastV4);
  watch();
  EXPECT_EQ(world.chosen, std::vector{address(kAnycastV4)}) << world.log;
}

// RFC 6763 §11: the host says which domains are its own.
TEST_F(Services, TheHostIsAskedForItsDomainsWhereNoneWasGiven) {
  add_instance("r1", 0, "r1.example.net", kFirst);
  world.options.service_domains.clear();
  world.relay(kAnycastV4);
  watch();
  // This one has none.
  EXPECT_EQ(world.chosen, std::vector{address(kAnycastV4)}) << world.log;
}

TEST_F(Services, AnotherNetworkIsAskedForItsRelays) {
  add_instance("r1", 0, "r1.example.net", kFirst);
  watch();
  ASSERT_EQ(world.chosen, std::vector{address(kFirst)});
  // The host has moved, and the new network has another relay.
  world.dns.clear();
  world.relay(kFirst).answers = false;
  add_instance("r2", 0, "r2.example.net", kSecond);
  world.client->handle_network_change(world.now);
  world.drain();
  world.run_for(std::chrono::minutes(10));
  EXPECT_EQ(world.chosen.back(), address(kSecond)) << world.log;
  EXPECT_EQ(world.relay(kSecond).gateways.size(), 1U);
}

}  // namespace
}  // namespace amt::test
