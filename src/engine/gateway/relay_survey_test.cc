#include "engine/gateway/relay_survey.hh"

#include <gtest/gtest.h>

#include "engine/gateway/native_channel.hh"
#include "engine/gateway/receiver.hh"
#include "engine/runtime/played_relay.hh"
#include "io/multicast_sender.hh"
#include "sys/os_random.hh"
#include "sys/test_namespace.hh"

namespace amt::test {
namespace {

class RelaySurveyTest : public ::testing::Test {
 protected:
  RelayProbeOptions directly(const Endpoint& relay) const {
    RelayProbeOptions options;
    options.target = relay;
    options.request_directly = true;
    options.relay_port = relay.port;
    options.timeout = milliseconds(50);
    return options;
  }
  /// What became of asking `relay`.
  ProbeResult ask(RelaySurvey& survey, const Endpoint& relay) {
    std::optional<ProbeResult> result;
    survey.ask(directly(relay), [&](const ProbeResult& told) { result = told; });
    EXPECT_FALSE(result);
    EXPECT_TRUE(run_until(loop_, [&] { return result.has_value(); }));
    return result.value_or(ProbeResult{});
  }

  EventLoop loop_;
  OsRandom random_;
};

TEST_F(RelaySurveyTest, ARelayThatAnswersServes) {
  PlayedRelay relay(loop_, "127.0.0.1");
  RelaySurvey survey(loop_, random_);
  const ProbeResult result = ask(survey, relay.endpoint());
  EXPECT_EQ(result.state, RelayProbe::State::kConnected);
  EXPECT_EQ(result.relay, relay.endpoint());
  EXPECT_TRUE(result.request_time);
}

TEST_F(RelaySurveyTest, SeveralAreAskedAtOnceAndEachHasAnAnswerOfItsOwn) {
  PlayedRelay good(loop_, "127.0.0.1");
  PlayedRelay silent(loop_, "127.0.0.2");
  silent.answers = false;
  RelaySurvey survey(loop_, random_);
  std::map<std::string, RelayProbe::State> states;
  for (const PlayedRelay* const relay : {&silent, &good}) {
    survey.ask(directly(relay->endpoint()), [&states, name = relay->endpoint().address.to_string()](
                                                const ProbeResult& result) { states[name] = result.state; });
  }
  ASSERT_TRUE(run_until(loop_, [&] { return states.size() == 2; }));
  EXPECT_EQ(states["127.0.0.1"], RelayProbe::State::kConnected);
  EXPECT_EQ(states["127.0.0.2"], RelayProbe::State::kNoAnswer);
}

TEST_F(RelaySurveyTest, APortWithoutAProgramIsUnreachable) {
  Endpoint nobody;
  {
    const PlayedRelay gone(loop_, "127.0.0.1");
    nobody = gone.endpoint();
  }
  RelaySurvey survey(loop_, random_);
  const ProbeResult result = ask(survey, nobody);
  EXPECT_NE(result.state, RelayProbe::State::kConnected);
  EXPECT_TRUE(result.unreachable);
}

TEST_F(RelaySurveyTest, AnAddressThatIsNotThisHostsIsTheProblem) {
  RelaySurvey survey(loop_, random_, address("192.0.2.77"));
  EXPECT_NE(ask(survey, endpoint("127.0.0.1:2268")).send_problem, "");
}

TEST_F(RelaySurveyTest, WhatIsCancelledIsNotTold) {
  PlayedRelay relay(loop_, "127.0.0.1");
  RelaySurvey survey(loop_, random_);
  int told = 0;
  survey.cancel(survey.ask(directly(relay.endpoint()), [&](const ProbeResult&) { told += 100; }));
  survey.ask(directly(relay.endpoint()), [&](const ProbeResult&) { ++told; });
  ASSERT_TRUE(run_until(loop_, [&] { return told != 0; }));
  EXPECT_EQ(told, 1);
}

/// A LAN with a source on its other end.
class NativeChannelTest : public InTestNamespace {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(ok(create_veth("near", "lan", std::nullopt)));
    ASSERT_TRUE(ok(add_address(find_link("near")->index, {address("198.51.100.1"), 24})));
    ASSERT_TRUE(ok(add_address(find_link("lan")->index, {address("198.51.100.2"), 24})));
    for (const char* const name : {"near", "lan"}) {
      ASSERT_TRUE(ok(set_reverse_path_filter(find_link(name)->index, 0)));
      ASSERT_TRUE(ok(set_link_up(find_link(name)->index)));
    }
    MulticastSenderOptions options;
    options.group = endpoint("232.1.1.1:5001");
    options.interface = "near";
    SysResult<MulticastSender> sender = MulticastSender::open(options);
    ASSERT_TRUE(ok(sender));
    source_.emplace(std::move(*sender));
  }
  NativeChannelOptions options(const std::string& interface = "lan") const {
    return {{address("198.51.100.1"), address("232.1.1.1")}, 5001, interface};
  }

  EventLoop loop_;
  std::optional<MulticastSender> source_;
};

TEST_F(NativeChannelTest, IsJoinedOnItsInterfaceAndLeftAgain) {
  NativeChannel channel(loop_, options(), [](Instant, std::span<const NativeChannel::Packet>) {});
  EXPECT_FALSE(channel.interface());
  channel.join();
  EXPECT_EQ(channel.interface(), "lan");
  channel.leave();
  EXPECT_FALSE(channel.interface());
}

TEST_F(NativeChannelTest, JoinsWhenItsInterfaceComes) {
  NativeChannel channel(loop_, options("later"), [](Instant, std::span<const NativeChannel::Packet>) {});
  channel.join();
  EXPECT_FALSE(channel.interface());
  ASSERT_TRUE(ok(create_veth("later", "end", std::nullopt)));
  ASSERT_TRUE(ok(add_address(find_link("later")->index, {address("203.0.113.1"), 24})));
  ASSERT_TRUE(ok(set_link_up(find_link("later")->index)));
  EXPECT_TRUE(run_until(loop_, [&] { return channel.interface() == "later"; }));
}

TEST_F(NativeChannelTest, AReceiverThatTakesItNativelyNeedsNoRelay) {
  OsRandom random;
  PlayedRelay relay(loop_, "127.0.0.1");
  ReceiverOptions receiver_options;
  receiver_options.relays.client.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay.endpoint()});
  receiver_options.channel = options().channel;
  receiver_options.port = 5001;
  receiver_options.native = true;
  receiver_options.native_interface = "lan";
  std::size_t packets = 0;
  auto receiver = Receiver::create(loop_, std::move(receiver_options), random,
                                   [&](Instant, std::span<const Payload> more) { packets += more.size(); });
  ASSERT_TRUE(receiver);
  ASSERT_TRUE(run_until(loop_, [&] { return (*receiver)->native()->interface == "lan"; }));
  EXPECT_NE((*receiver)->reason_of_silence().find("it does not come natively, and "), std::string::npos);
  (*receiver)->shutdown();
}

}  // namespace
}  // namespace amt::test
