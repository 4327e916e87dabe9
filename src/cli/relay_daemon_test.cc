#include "cli/relay_daemon.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/subprocess_test_support.hh"

namespace amt::cli_test {
namespace {

using relay_engine_test::Player;
using relay_engine_test::Stream;
using ::testing::HasSubstr;

using RelayDaemonTest = WithRelay;

TEST_F(RelayDaemonTest, ServesAGatewayAndTellsOfItWhileItRuns) {
  const auto relay = start_relay({"--events", folder_.path("events"), "--http", "127.0.0.1:8080"});
  const Stream stream;
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(player.hears_data());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));

  const Said summary = said_by([&] {
    return run_status(config_of<StatusConfig>({"status", "--control", control()}), unconfined());
  });
  EXPECT_EQ(summary.status, 0);
  EXPECT_THAT(summary.output, HasSubstr("127.0.0.1"));
  const Said rows = said_by([&] {
    return run_status(
        config_of<StatusConfig>({"status", "--control", control(), "channels", "--sort", "packets", "--top", "5"}),
        unconfined());
  });
  EXPECT_THAT(rows.output, HasSubstr("232.1.1.1"));
  const Said json = said_by([&] {
    return run_status(config_of<StatusConfig>({"status", "--control", control(), "--json"}), unconfined());
  });
  EXPECT_EQ(boost::json::parse(json.output).at("tunnel_count").to_number<int>(), 1);
  const Said refused = said_by([&] {
    return run_status(config_of<StatusConfig>({"status", "--control", control(), "tunnels", "--sort", "tunnels"}),
                      unconfined());
  });
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("refuses the question"));

  const Said top = said_by([&] {
    return run_top(config_of<TopConfig>({"top", "--control", control(), "--once", "--interval", "1"}), unconfined());
  });
  EXPECT_EQ(top.status, 0);
  EXPECT_THAT(top.output, HasSubstr("232.1.1.1"));

  EXPECT_EQ(relay->stop(), 0) << relay->log();
  EXPECT_THAT(folder_.read("events"), HasSubstr("\"tunnel"));
  EXPECT_NE(::access(control().c_str(), F_OK), 0);
}

TEST_F(RelayDaemonTest, DrainsUntilTheLastTunnelHasGone) {
  const auto relay = start_relay();
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));
  const Said begun = said_by([&] {
    return run_drain(config_of<DrainConfig>({"drain", "--control", control()}), unconfined());
  });
  EXPECT_EQ(begun.status, 0) << begun.errors;
  EXPECT_THAT(begun.output, HasSubstr(control() + ": "));
  EXPECT_TRUE(status_at(control()).at("draining").as_bool());
  const Said cancelled = said_by([&] {
    return run_drain(config_of<DrainConfig>({"drain", "--control", control(), "--cancel"}), unconfined());
  });
  EXPECT_EQ(cancelled.status, 0);
  EXPECT_FALSE(status_at(control()).at("draining").as_bool());
  ASSERT_EQ(said_by([&] {
              return run_drain(config_of<DrainConfig>({"drain", "--control", control()}), unconfined());
            }).status,
            0);
  player.leave();
  EXPECT_EQ(relay->wait(), 0);
  EXPECT_TRUE(relay->says("drained: the last tunnel has gone"));
}

TEST_F(RelayDaemonTest, ADrainEndsWithItsTime) {
  const auto relay = start_relay();
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));
  const auto drain = [&] {
    return run_drain(config_of<DrainConfig>({"drain", "--control", control(), "--timeout", "1"}), unconfined());
  };
  ASSERT_EQ(said_by(drain).status, 0);
  EXPECT_EQ(relay->wait(), 0);
  EXPECT_TRUE(relay->says("the time is over, 1 tunnels are left"));
}

TEST_F(RelayDaemonTest, TakesUpWhatAReloadCanChange) {
  const std::string config = folder_.write("amt.toml", "max-tunnels = 10\n");
  const auto relay = start_relay({"--config", config});
  const Said none = said_by([&] {
    return run_reload(config_of<ReloadConfig>({"reload", "--control", control()}), unconfined());
  });
  EXPECT_THAT(none.output, HasSubstr("no option has changed"));
  folder_.write("amt.toml", "max-tunnels = 20\nstate = \"/run/none\"\n");
  const Said some = said_by([&] {
    return run_reload(config_of<ReloadConfig>({"reload", "--control", control()}), unconfined());
  });
  EXPECT_EQ(some.status, 0) << some.errors;
  EXPECT_THAT(some.output, HasSubstr("changed max-tunnels; only a restart takes up state"));
  folder_.write("amt.toml", "max-tunnels = \"many\"\n");
  const Said refused = said_by([&] {
    return run_reload(config_of<ReloadConfig>({"reload", "--control", control()}), unconfined());
  });
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.errors, HasSubstr("nothing has changed: "));
  relay->signal(SIGHUP);
  EXPECT_TRUE(relay->says("reload: nothing has changed"));
  EXPECT_EQ(relay->stop(), 0);
}

TEST_F(RelayDaemonTest, AnotherProcessTakesOverWithoutALostTunnel) {
  const auto first = start_relay();
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));
  const auto second = start_relay({"--take-over"}, "second.log");
  EXPECT_EQ(first->wait(), 0);
  EXPECT_TRUE(first->says("has taken over")) << first->log();
  EXPECT_EQ(tunnels(), 1);
  // The tunnel is alive: the second relay sends it data.
  const Stream stream;
  EXPECT_TRUE(player.hears_data());
  EXPECT_EQ(second->stop(), 0) << second->log();
}

TEST_F(RelayDaemonTest, WithNobodyToTakeOverFromItStartsEmpty) {
  const auto relay = start_relay({"--take-over"});
  EXPECT_TRUE(relay->says("--take-over: no relay runs here"));
  EXPECT_EQ(tunnels(), 0);
  EXPECT_EQ(relay->stop(), 0);
}

TEST_F(RelayDaemonTest, ARelayThatDrainsIsNotTakenOver) {
  const auto first = start_relay();
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));
  ASSERT_EQ(said_by([&] {
              return run_drain(config_of<DrainConfig>({"drain", "--control", control()}), unconfined());
            }).status,
            0);
  Subprocess second(
      [&] {
        return run_with({"relay", "--local", "127.0.0.1", "--upstream", "far", "--control", control(), "--take-over",
                         "--no-sandbox"});
      },
      folder_.path("second.log"));
  EXPECT_EQ(second.wait(), 1);
  EXPECT_THAT(second.log(), HasSubstr("the relay drains; amt drain --cancel comes first"));
  EXPECT_EQ(tunnels(), 1);
  EXPECT_EQ(first->stop(), 0);
}

TEST_F(RelayDaemonTest, GoesOnAfterADeathWithTheTunnelsOfItsStateFile) {
  const std::string state = folder_.path("state");
  auto dead = start_relay({"--state", state});
  Player player;
  ASSERT_TRUE(player.join());
  ASSERT_TRUE(await([&] { return tunnels() == 1; }));
  ASSERT_TRUE(await([&] { return ::access(state.c_str(), F_OK) == 0; }));
  // Another state than the one of the start: with the tunnel.
  ::unlink(state.c_str());
  ASSERT_TRUE(await([&] { return ::access(state.c_str(), F_OK) == 0; }));
  dead->signal(SIGKILL);
  EXPECT_EQ(dead->wait(), -1);
  const auto next = start_relay({"--state", state}, "next.log");
  EXPECT_EQ(tunnels(), 1);
  EXPECT_EQ(next->stop(), 0);
  // A relay that ends as it should leaves none behind.
  EXPECT_NE(::access(state.c_str(), F_OK), 0);
}

TEST_F(RelayDaemonTest, AStateThatIsNoneIsAWarning) {
  const auto relay = start_relay({"--state", folder_.write("state", "nonsense")});
  EXPECT_TRUE(relay->says("the relay starts empty"));
  EXPECT_EQ(tunnels(), 0);
  EXPECT_EQ(relay->stop(), 0);
}

TEST_F(RelayDaemonTest, FailsWithTheStatusOfTheMistake) {
  const auto run = [](std::vector<std::string> more) {
    std::vector<std::string> arguments{"relay", "--local", "127.0.0.1", "--no-sandbox"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said_by([&] { return run_with(arguments); });
  };
  const Said no_upstream = run({"--upstream", "eth9", "--control", control()});
  EXPECT_EQ(no_upstream.status, 1);
  EXPECT_THAT(no_upstream.errors, HasSubstr("there are: "));
  const Said no_events = run({"--upstream", "far", "--events", folder_.path("none/events"), "--control", control()});
  EXPECT_EQ(no_events.status, 2);
  EXPECT_THAT(no_events.errors, HasSubstr("--events " + folder_.path("none/events")));
  const Said no_secret = run({"--upstream", "far", "--secret-file", folder_.path("none"), "--control", control()});
  EXPECT_EQ(no_secret.status, 2);
  const Said no_control = run({"--upstream", "far", "--control", folder_.write("file", "") + "/relay.sock"});
  EXPECT_EQ(no_control.status, 1);
  const Said checked = run({"--upstream", "far", "--check-config"});
  EXPECT_EQ(checked.status, 0);
  EXPECT_THAT(checked.output, HasSubstr("amt relay: the configuration can be used"));
}

TEST_F(RelayDaemonTest, AnnouncesItsStates) {
  const std::string command = folder_.write("announce", "#!/bin/sh\necho $1 >>" + folder_.path("said") + "\n", 0700);
  const auto relay = start_relay({"--announce", command});
  EXPECT_TRUE(await([&] { return folder_.read("said") == "ready\n"; }));
  // The upstream goes away and comes back.
  ASSERT_TRUE(ok(set_link_down(find_link("far")->index)));
  EXPECT_EQ(relay->stop(), 0);
  EXPECT_THAT(folder_.read("said"), HasSubstr("stop\n"));
}

using ControlCommands = InTestNamespace;

TEST_F(ControlCommands, SayWhereNobodyAnswers) {
  const TemporaryFolder folder;
  const std::string path = folder.path("none.sock");
  for (const Said& said : {said_by([&] {
                             return run_status(config_of<StatusConfig>({"status", "--control", path}), unconfined());
                           }),
                           said_by([&] {
                             return run_reload(config_of<ReloadConfig>({"reload", "--control", path}), unconfined());
                           }),
                           said_by([&] {
                             return run_drain(config_of<DrainConfig>({"drain", "--control", path}), unconfined());
                           }),
                           said_by([&] {
                             return run_top(config_of<TopConfig>({"top", "--control", path, "--once"}), unconfined());
                           })}) {
    EXPECT_EQ(said.status, 1);
    EXPECT_THAT(said.errors, HasSubstr("no socket at " + path));
  }
}

}  // namespace
}  // namespace amt::cli_test
