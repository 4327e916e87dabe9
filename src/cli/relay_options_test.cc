#include "cli/relay_options.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli_test_support.hh"
#include "cli/confinement.hh"
#include "cli/wait_for.hh"
#include "sys/clock.hh"
#include "sys/test_namespace.hh"

namespace amt::cli_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

Result<RelayEngineOptions, std::string> options_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"relay", "--local", "192.0.2.1"});
  return relay_engine_options(config_of<RelayConfig>(std::move(arguments)));
}

TEST(RelayOptions, AdvertiseTheFirstAddressOfEachFamilyUnlessAnotherIsGiven) {
  const auto options = options_of({"--local", "192.0.2.2", "--local", "2001:db8::1", "--discovery", "192.52.193.1"});
  ASSERT_TRUE(options) << options.error();
  EXPECT_THAT(options->local, ElementsAre(Endpoint{ip("192.0.2.1"), kAmtPort}, Endpoint{ip("192.0.2.2"), kAmtPort},
                                          Endpoint{ip("2001:db8::1"), kAmtPort}));
  EXPECT_EQ(options->relay.advertise_v4, ip("192.0.2.1"));
  EXPECT_EQ(options->relay.advertise_v6, ip("2001:db8::1"));
  EXPECT_THAT(options->discovery, ElementsAre(Endpoint{ip("192.52.193.1"), kAmtPort}));
  const auto other = options_of({"--advertise", "203.0.113.1"});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->relay.advertise_v4, ip("203.0.113.1"));
  EXPECT_EQ(other->relay.advertise_v6, std::nullopt);
}

TEST(RelayOptions, TheSharesOfOneAddressFollowTheTotals) {
  const auto few = options_of({"--max-tunnels", "1000"});
  ASSERT_TRUE(few);
  EXPECT_EQ(few->relay.limits.tunnels_max, 1000U);
  EXPECT_EQ(few->relay.limits.tunnels_per_address_max, AdmissionLimits::tunnels_of_one_address(1000));
  EXPECT_FALSE(few->relay.limits.one_may_have_all_channels);
  const auto all =
      options_of({"--max-tunnels-per-address", "7", "--max-channels", "100", "--max-channels-per-address", "100"});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->relay.limits.tunnels_per_address_max, 7U);
  EXPECT_TRUE(all->relay.limits.one_may_have_all_channels);
}

TEST(RelayOptions, WithoutALimitOfRequestsOfOneAddressThereIsNoneOfMany) {
  const AnswerLimits usual;
  const auto limited = options_of({});
  ASSERT_TRUE(limited);
  EXPECT_EQ(limited->relay.answers.per_prefix_max, usual.per_prefix_max);
  const auto unlimited = options_of({"--max-requests-per-address", "0"});
  ASSERT_TRUE(unlimited);
  EXPECT_EQ(unlimited->relay.answers.queries_per_address_max, 0U);
  EXPECT_EQ(unlimited->relay.answers.per_prefix_max, 0U);
  EXPECT_EQ(unlimited->relay.answers.total_max, 0U);
}

TEST(RelayOptions, GatewayFieldsAndPathMtuAreHandedOn) {
  using Policy = GatewayFieldsPolicy;
  for (const auto& [text, policy] :
       {std::pair{"auto", Policy::kAuto}, {"always", Policy::kAlways}, {"never", Policy::kNever}}) {
    const auto options = options_of({"--gateway-fields", text});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->relay.gateway_fields, policy) << text;
  }
  const auto fixed = options_of({"--mtu", "1400"});
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->data_path.path_mtu.fixed_octets, 1400U);
  EXPECT_FALSE(fixed->data_path.path_mtu.dynamic);
  const auto automatic = options_of({"--mtu", "auto"});
  ASSERT_TRUE(automatic);
  EXPECT_TRUE(automatic->data_path.path_mtu.dynamic);
}

TEST(RelayOptions, ASecretFileGivesTheKeysOrAnError) {
  const TemporaryFolder folder;
  const auto with_key = options_of({"--secret-file", folder.write("key", "sixteen octets..")});
  ASSERT_TRUE(with_key) << with_key.error();
  EXPECT_EQ(with_key->relay.keys.size(), 1U);
  const auto without = options_of({"--secret-file", folder.path("none")});
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error(), HasSubstr("--secret-file"));
}

using RelayOptionsInNamespace = InTestNamespace;

TEST_F(RelayOptionsInNamespace, WithoutAnAddressTheDefaultRouteGivesOne) {
  const RelayConfig config = config_of<RelayConfig>({"relay"});
  const auto none = relay_engine_options(config);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error(), HasSubstr("--local: there is no default route"));
  ASSERT_TRUE(ok(create_veth("wan", "far", std::nullopt)));
  const int index = find_link("wan")->index;
  ASSERT_TRUE(ok(add_address(index, {ip("192.0.2.5"), 24})));
  ASSERT_TRUE(ok(set_link_up(index)));
  ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
  ASSERT_TRUE(ok(add_route(index, {ip("0.0.0.0"), 0}, ip("192.0.2.254"))));
  const auto options = relay_engine_options(config);
  ASSERT_TRUE(options) << options.error();
  EXPECT_THAT(options->local, ElementsAre(Endpoint{ip("192.0.2.5"), kAmtPort}));
}

TEST_F(RelayOptionsInNamespace, AnAddressThatComesIsWaitedFor) {
  EXPECT_EQ(await_addresses("--local", {ip("127.0.0.1")}), Waited::kThere);
  int looks = 0;
  const Waited waited = await_condition("a third look", std::chrono::seconds(60), [&] { return ++looks == 3; });
  EXPECT_EQ(waited, Waited::kThere);
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(await_condition("nothing", std::chrono::milliseconds(150), [] { return false; }), Waited::kTimeOver);
}

TEST_F(RelayOptionsInNamespace, WhoeverStopsTheProgramNeedNotWait) {
  const Waited waited = await_condition("a signal", std::chrono::seconds(60), [first = true]() mutable {
    if (!std::exchange(first, false)) ::kill(::getpid(), SIGTERM);
    return false;
  });
  EXPECT_EQ(waited, Waited::kStopped);
}

TEST(Confinement, EachSubcommandKeepsWhatItNeedsAlone) {
  const SandboxOptions relay =
      relay_sandbox(config_of<RelayConfig>({"relay", "--local", "192.0.2.1", "--secret-file", "/etc/amt/key",
                                            "--events", "/var/log/amt/events", "--state", "/run/amt/state"}),
                    {"/run/amt/relay.sock"});
  EXPECT_THAT(relay.capabilities, ElementsAre(Capability::kNetRaw, Capability::kNetAdmin));
  EXPECT_THAT(relay.files.readable, ElementsAre("/etc/amt"));
  EXPECT_THAT(relay.files.writable, ElementsAre("/run/amt", "/var/log/amt", "/run/amt", "/dev/net/tun"));
  EXPECT_FALSE(relay.bpf_map_updates);

  const SandboxOptions gateway = gateway_sandbox(config_of<GatewayConfig>({"gateway", "--relay", "192.0.2.1"}), {});
  EXPECT_THAT(gateway.capabilities, ElementsAre(Capability::kNetAdmin));
  EXPECT_FALSE(gateway.packet_sockets);
  const SandboxOptions router =
      gateway_sandbox(config_of<GatewayConfig>({"gateway", "--relay", "192.0.2.1", "--downstream", "lan0"}), {});
  EXPECT_THAT(router.capabilities, Contains(Capability::kNetRaw));
  EXPECT_TRUE(router.packet_sockets);

  const SandboxOptions serve = serve_sandbox(config_of<ServeConfig>({"serve", "--playlist", "/srv/tv/list.m3u"}), "");
  EXPECT_TRUE(serve.capabilities.empty());
  EXPECT_THAT(serve.files.readable, ElementsAre("/srv/tv"));
  EXPECT_THAT(serve.files.writable, Not(Contains("/dev/net/tun")));
}

TEST(Confinement, ADirectoryIsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(directory_of("/run/amt/x.sock"), "/run/amt");
  EXPECT_EQ(directory_of("/x"), "/");
  EXPECT_EQ(directory_of("x"), ".");
}

TEST(Confinement, IsNotEnteredWhereNobodyWantsIt) {
  EXPECT_EQ(confine(unconfined(), control_client_sandbox()), (Result<std::string, std::string>(std::string())));
}

}  // namespace
}  // namespace amt::cli_test
