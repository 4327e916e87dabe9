/// `amt gateway` with a relay of another process, and programs of this one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cli/subprocess_test_support.hh"

namespace amt::cli_test {
namespace {

using relay_engine_test::kSource;
using relay_engine_test::Stream;
using ::testing::HasSubstr;

class GatewaySubcommand : public WithRelay {
 protected:
  std::unique_ptr<Subprocess> start_gateway(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"gateway",   "--relay",         "127.0.0.1",
                                       "--control", gateway_control(), "--no-sandbox"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto gateway = std::make_unique<Subprocess>([&] { return run_with(arguments); }, folder_.path("gateway.log"));
    EXPECT_TRUE(gateway->says("gateway ready on amt0")) << gateway->log();
    return gateway;
  }
  static Said refused(std::vector<std::string> more) {
    std::vector<std::string> arguments{"gateway", "--relay", "127.0.0.1", "--no-sandbox"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said_by([&] { return run_with(arguments); });
  }
  [[nodiscard]] std::string gateway_control() const { return folder_.path("gateway.sock"); }

  /// As a program joins a channel on an interface.
  static UniqueFd join(const std::string& interface) {
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    group_source_req request{};
    request.gsr_interface = static_cast<std::uint32_t>(find_link(interface)->index);
    const auto fill = [](sockaddr_storage& storage, std::uint32_t address) {
      sockaddr_in in{};
      in.sin_family = AF_INET;
      in.sin_addr.s_addr = htonl(address);
      std::memcpy(&storage, &in, sizeof in);
    };
    fill(request.gsr_group, 0xe8010101);   // 232.1.1.1
    fill(request.gsr_source, 0xc633640a);  // 198.51.100.10
    EXPECT_EQ(::setsockopt(socket.get(), IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request), 0);
    return socket;
  }
  /// What one downstream has been handed; -1: nobody answers.
  [[nodiscard]] std::int64_t packets_of(std::size_t downstream) const {
    const boost::json::value status = status_at(gateway_control());
    return status.is_null() ? -1 : status.at("downstreams").at(downstream).at("packets").to_number<std::int64_t>();
  }
};

TEST_F(GatewaySubcommand, BringsAChannelThatAProgramJoins) {
  const auto relay = start_relay();
  const Stream stream;
  const auto gateway = start_gateway();
  UniqueFd program = join("amt0");
  EXPECT_TRUE(await([&] { return packets_of(0) > 10; }));
  const boost::json::value status = status_at(gateway_control());
  EXPECT_EQ(status.at("memberships").at(0).at("group").as_string(), "232.1.1.1");
  EXPECT_EQ(status.at("relays").at(0).at("address").as_string(), "127.0.0.1");
  EXPECT_EQ(tunnels(), 1);

  const Said summary = said_by([&] {
    return run_status(config_of<StatusConfig>({"status", "--control", gateway_control()}), unconfined());
  });
  EXPECT_THAT(summary.output, HasSubstr("232.1.1.1"));
  const Said reload = said_by([&] {
    return run_reload(config_of<ReloadConfig>({"reload", "--control", gateway_control()}), unconfined());
  });
  EXPECT_THAT(reload.output, HasSubstr("no option has changed"));

  // The program leaves, and nothing more comes.
  program.reset();
  EXPECT_TRUE(await([&] { return status_at(gateway_control()).at("memberships").as_array().empty(); }));
  EXPECT_EQ(gateway->stop(), 0) << gateway->log();
  EXPECT_TRUE(await([&] { return tunnels() == 0; }));
  EXPECT_FALSE(find_link("amt0"));
}

TEST_F(GatewaySubcommand, BringsAChannelToALan) {
  ASSERT_TRUE(ok(create_veth("lan", "host", std::nullopt)));
  ASSERT_TRUE(ok(add_address(find_link("lan")->index, {*IpAddress::parse("192.0.2.1"), 24})));
  ASSERT_TRUE(ok(add_address(find_link("host")->index, {*IpAddress::parse("192.0.2.2"), 24})));
  ASSERT_TRUE(ok(set_link_up(find_link("lan")->index)));
  ASSERT_TRUE(ok(set_link_up(find_link("host")->index)));
  const auto relay = start_relay();
  const Stream stream;
  const auto gateway = start_gateway({"--downstream", "lan"});
  EXPECT_TRUE(gateway->says("downstream lan: IGMP queries come from 192.0.2.1"));
  const UniqueFd program = join("host");
  EXPECT_TRUE(await([&] { return packets_of(1) > 10; })) << gateway->log();
  // Nobody wants it on the gateway's own interface.
  EXPECT_EQ(packets_of(0), 0);
  ASSERT_TRUE(ok(set_link_down(find_link("lan")->index)));
  EXPECT_TRUE(gateway->says("downstream lan is down"));
  ASSERT_TRUE(ok(set_link_up(find_link("lan")->index)));
  EXPECT_TRUE(gateway->says("downstream lan is up"));
  EXPECT_EQ(gateway->stop(), 0) << gateway->log();
}

TEST_F(GatewaySubcommand, TakesAChannelFromTheLocalNetworkFirst) {
  const auto relay = start_relay();
  const Stream stream;
  // The source is on the other end of `far`: its way is that interface.
  ASSERT_TRUE(ok(add_address(find_link("far")->index, {*IpAddress::parse("198.51.100.20"), 24})));
  const auto gateway = start_gateway({"--native=far"});
  const UniqueFd program = join("amt0");
  EXPECT_TRUE(await([&] { return packets_of(0) > 10; })) << gateway->log();
  EXPECT_TRUE(await([&] {
    const boost::json::value status = status_at(gateway_control());
    const boost::json::array& channels = status.at("native").at("channels").as_array();
    return !channels.empty() && channels[0].at("served_by").as_string() == "native";
  })) << gateway->log();
  EXPECT_EQ(gateway->stop(), 0) << gateway->log();
}

TEST_F(GatewaySubcommand, EndsWhenItsInterfaceIsDeleted) {
  const auto gateway = start_gateway();
  ASSERT_EQ(std::system("ip link delete amt0"), 0);
  EXPECT_EQ(gateway->wait(), 1);
  EXPECT_THAT(gateway->log(), HasSubstr("the interface amt0 is gone"));
}

TEST_F(GatewaySubcommand, RefusesWhatCannotBeADownstream) {
  const Said own = refused({"--downstream", "amt0"});
  EXPECT_EQ(own.status, 2);
  EXPECT_THAT(own.errors, HasSubstr("--downstream amt0: is the gateway's own interface"));
  const Said kind = refused({"--downstream", "lo"});
  EXPECT_EQ(kind.status, 2);
  EXPECT_THAT(kind.errors, HasSubstr("--downstream lo: is no Ethernet interface"));
  const Said native = refused({"--native=eth9"});
  EXPECT_EQ(native.status, 2);
  EXPECT_THAT(native.errors, HasSubstr("--native eth9"));
}

TEST_F(GatewaySubcommand, WaitsForALanThatComesAWhileAfterIt) {
  Subprocess gateway(
      [&] {
        return run_with({"gateway", "--relay", "127.0.0.1", "--downstream", "late", "--control", gateway_control(),
                         "--no-sandbox"});
      },
      folder_.path("gateway.log"));
  ASSERT_TRUE(gateway.says("waiting for --downstream late"));
  ASSERT_TRUE(ok(create_veth("late", "host", std::nullopt)));
  EXPECT_TRUE(gateway.says("gateway ready on amt0")) << gateway.log();
  EXPECT_EQ(gateway.stop(), 0);
}

TEST_F(GatewaySubcommand, ALanThatDoesNotComeIsAFailureThatARestartMayMend) {
  const Said none = refused({"--downstream", "eth9"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("--downstream eth9: there is no such interface"));
}

TEST_F(GatewaySubcommand, AnInterfaceOfThatNameIsInTheWay) {
  const Said said = refused({"--interface", "near"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("choose another with --interface"));
}

TEST_F(GatewaySubcommand, AConfigurationIsCheckedWithoutBeingUsed) {
  const Said said = refused({"--check-config", "--interface", "near"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.output, HasSubstr("amt gateway: the configuration can be used"));
}

}  // namespace
}  // namespace amt::cli_test
