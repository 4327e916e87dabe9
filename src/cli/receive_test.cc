/// `amt receive`, `amt send`, `amt bench` and `amt discover` against a relay of another process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/subprocess_test_support.hh"

namespace amt::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kUrl = "amt://198.51.100.10@232.1.1.1:5001";

class WithSource : public WithRelay {
 protected:
  /// Sends numbered packets by `near` until it is stopped.
  std::unique_ptr<Subprocess> start_source(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"send", "232.1.1.1:5001", "--interface", "near", "--rate",
                                       "1M",   "--size",         "500"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Subprocess>([&] { return run_send(config_of<SendConfig>(arguments), unconfined()); },
                                        folder_.path("source.log"));
  }
  static Said receive(std::vector<std::string> more) {
    std::vector<std::string> arguments{"receive", kUrl, "--relay", "127.0.0.1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said_by([&] { return run_receive(config_of<ReceiveConfig>(arguments), unconfined()); });
  }
};

TEST_F(WithSource, ReceivesAndChecksWhatIsSent) {
  const auto relay = start_relay();
  const auto source = start_source();
  const Said said = receive({"--verify", "--count", "30", "--stats", "json"});
  EXPECT_EQ(said.status, 0) << said.errors;
  const boost::json::value stats = boost::json::parse(said.output);
  EXPECT_EQ(stats.at("received").to_number<int>(), 30);
  EXPECT_EQ(stats.at("lost").to_number<int>(), 0);
  EXPECT_EQ(stats.at("relay").as_string(), "127.0.0.1:2268");
  EXPECT_THAT(said.errors, HasSubstr("first packet after"));
  EXPECT_EQ(source->stop(), 0);
  EXPECT_THAT(source->log(), HasSubstr("sending numbered packets of 500 octets from 198.51.100.10"));
}

TEST_F(WithSource, WritesPayloadsToAFileOrNamesTheOneThatIsThere) {
  const auto relay = start_relay();
  const auto source = start_source();
  const std::string path = folder_.path("out.ts");
  const Said said = receive({"-o", path, "--count", "10"});
  EXPECT_EQ(said.status, 0) << said.errors;
  EXPECT_EQ(folder_.read("out.ts").size(), 5000U);
  EXPECT_THAT(said.errors, HasSubstr("received 10 packets, 5000 bytes"));
  const Said again = receive({"-o", path, "--count", "10"});
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.errors, HasSubstr("--output " + path + ": the file is there already"));
  EXPECT_EQ(receive({"-o", path, "--overwrite", "--count", "10"}).status, 0);
}

TEST_F(WithSource, AFolderGetsAFileForEachChannel) {
  const auto relay = start_relay();
  const auto source = start_source();
  const std::string folder = folder_.path("recordings");
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(receive({"-o", folder, "--count", "3"}).status, 0);
  EXPECT_EQ(folder_.read("recordings/198.51.100.10_232.1.1.1_5001.ts").size(), 1500U);
}

TEST_F(WithSource, SilenceEndsItWithTheReason) {
  const auto relay = start_relay();
  const Said said = receive({"--timeout", "1"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("nothing arrived for 1 s: "));
}

TEST_F(WithSource, PacketsOfAnotherPortAreNamedAsTheReason) {
  const auto relay = start_relay();
  const auto source = start_source();
  const Said said = said_by([] {
    return run_receive(config_of<ReceiveConfig>({"receive", "amt://198.51.100.10@232.1.1.1:5003", "--relay",
                                                 "127.0.0.1", "--timeout", "1.5"}),
                       unconfined());
  });
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("packets came for other UDP ports of the group"));
}

TEST_F(WithSource, EndsWithItsDurationAndIsQuietWhenAllWentWell) {
  const auto relay = start_relay();
  const auto source = start_source();
  const Said said = receive({"--duration", "1", "--quiet", "-o", "/dev/null"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.errors, Not(HasSubstr("received")));
}

TEST_F(WithSource, ReceiveRefusesAnInterfaceThatIsNotThere) {
  const Said said = receive({"--native=eth9"});
  EXPECT_EQ(said.status, 2);
  EXPECT_THAT(said.errors, HasSubstr("--native eth9: there is no such interface"));
  const Said output = receive({"-o", folder_.path("none/out")});
  EXPECT_EQ(output.status, 1);
}

TEST_F(WithSource, SendStopsAtItsCountAndSaysWhatWasSent) {
  const Said said = said_by([] {
    return run_send(config_of<SendConfig>({"send", "232.1.1.1:5001", "--interface", "near", "--count", "5", "--rate",
                                           "10M", "--size", "1460"}),
                    unconfined());
  });
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.errors, HasSubstr("sent 5 packets, 7300 octets"));
  EXPECT_THAT(said.errors, HasSubstr("do not fit into AMT tunnels over a path of 1500 octets"));
}

TEST_F(WithSource, SendNamesTheOptionThatIsWrong) {
  const auto send = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"send", "232.1.1.1:5001", "--count", "1"});
    return said_by([&] { return run_send(config_of<SendConfig>(more), unconfined()); });
  };
  const Said interface = send({"--interface", "eth9"});
  EXPECT_EQ(interface.status, 2);
  EXPECT_THAT(interface.errors, HasSubstr("--interface eth9: there is no such interface"));
  const Said address = send({"--interface", "near", "--source", "192.0.2.9"});
  EXPECT_EQ(address.status, 2);
  EXPECT_THAT(address.errors, HasSubstr("--source 192.0.2.9: not an address of this host"));
  const Said file = send({"--interface", "near", folder_.path("none")});
  EXPECT_EQ(file.status, 1);
}

TEST_F(WithSource, BenchLoadsARelayAndReports) {
  const auto relay = start_relay({"--max-requests-per-address", "0", "--max-tunnels-per-address", "1000"});
  const auto source = start_source();
  const Said said = said_by([] {
    return run_bench(config_of<BenchConfig>({"bench", "--relay", "127.0.0.1", "--gateways", "20", "--group",
                                             "amt://198.51.100.10@232.1.1.1", "--duration", "1", "--json"}),
                     unconfined());
  });
  EXPECT_EQ(said.status, 0) << said.errors;
  const boost::json::value report = boost::json::parse(said.output);
  EXPECT_TRUE(report.at("complete").as_bool());
  EXPECT_EQ(report.at("handshakes").to_number<int>(), 20);
  EXPECT_GT(report.at("packets").to_number<int>(), 0);
  // All have left.
  EXPECT_TRUE(await([&] { return tunnels() == 0; }));
}

TEST_F(WithSource, BenchSaysThatNobodyAnswers) {
  const Said said = said_by([] {
    return run_bench(config_of<BenchConfig>({"bench", "--relay", "127.0.0.1", "--gateways", "2", "--group",
                                             "amt://198.51.100.10@232.1.1.1", "--duration", "1"}),
                     unconfined());
  });
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.errors, HasSubstr("relay 127.0.0.1:2268 does not answer"));
}

class DiscoverSubcommand : public WithRelay {
 protected:
  static Said discover(std::vector<std::string> more) {
    more.insert(more.begin(), "discover");
    return said_by([&] { return run_discover(config_of<DiscoverConfig>(more), unconfined()); });
  }
};

TEST_F(DiscoverSubcommand, AsksTheRelayThatIsNamed) {
  const auto relay = start_relay();
  const Said said = discover({"--discovery", "127.0.0.1"});
  EXPECT_EQ(said.status, 0) << said.output;
  EXPECT_THAT(said.output, HasSubstr("asking relay 127.0.0.1:2268"));
  EXPECT_THAT(said.output, HasSubstr("advertises 127.0.0.1:2268 in "));
  EXPECT_THAT(said.output, HasSubstr("a gateway here would use 127.0.0.1:2268"));
  const Said json = discover({"--discovery", "127.0.0.1", "--json"});
  EXPECT_EQ(boost::json::parse(json.output).at("chosen").as_string(), "127.0.0.1:2268");
}

TEST_F(DiscoverSubcommand, ARelayThatIsNotThereIsAFailure) {
  const Said said = discover({"--discovery", "127.0.0.1", "--timeout", "0.1"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.output, HasSubstr("no relay would serve this host"));
}

TEST_F(DiscoverSubcommand, PrintsARecordSetInBothForms) {
  const Said said = discover({"198.51.100.10", "--zone", "192.0.2.1", "--zone", "relay.example.net"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.output, HasSubstr("10.100.51.198.in-addr.arpa. IN AMTRELAY 10 0 1 192.0.2.1\n"));
  EXPECT_THAT(said.output, HasSubstr("IN AMTRELAY 10 0 3 relay.example.net.\n"));
  EXPECT_THAT(said.output, HasSubstr("IN TYPE260 \\# 6 0a01c0000201\n"));
}

}  // namespace
}  // namespace amt::cli_test
