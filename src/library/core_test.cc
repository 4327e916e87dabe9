#include "amt/core.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "amt/test_relay.h"
#include "base/random.hh"
#include "relay/allocation_counter.hh"

namespace amt {
namespace {

amt_endpoint endpoint(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  amt_endpoint out{};
  std::memcpy(out.octets, octets.data(), octets.size());
  out.length = 4;
  out.port = port;
  return out;
}
const amt_endpoint kRelay = endpoint({192, 0, 2, 1}, 2268);
const amt_endpoint kGateway = endpoint({10, 0, 0, 1}, 40'000);
const amt_endpoint kSource = endpoint({198, 51, 100, 10}, 1000);
const amt_endpoint kGroup = endpoint({232, 1, 1, 1}, 5000);

struct CloseCore {
  void operator()(amt_core* core) const { amt_core_close(core); }
};
struct CloseRelay {
  void operator()(amt_test_relay* relay) const { amt_test_relay_close(relay); }
};

void fill_seeded(void* context, void* octets, std::size_t size) {
  static_cast<SeededRandom*>(context)->fill({static_cast<std::byte*>(octets), size});
}

/// A core and a relay, and the time between them.
class Core : public ::testing::Test {
 protected:
  Core() { relay_.reset(amt_test_relay_open(&kRelay, now_)); }

  void open(const char* relay = "192.0.2.1") {
    amt_core_options options = AMT_CORE_OPTIONS_INIT;
    options.relay = relay;
    options.fill_random = fill_seeded;
    options.random_context = &random_;
    amt_error error;
    core_.reset(amt_core_open(&options, now_, &error));
    ASSERT_NE(core_, nullptr) << error.text;
    drain();
  }
  void join() {
    ASSERT_EQ(amt_core_set_membership(core_.get(), now_, &kGroup, AMT_INCLUDE, &kSource, 1), AMT_OK);
    drain();
  }
  /// What the core says, until it waits; what it sends goes to the relay, and the answers come at once.
  void drain() {
    amt_output out{};
    out.struct_size = sizeof out;
    std::vector<std::vector<std::uint8_t>> sent;
    while (amt_core_poll(core_.get(), &out) == AMT_OK && out.kind != AMT_OUTPUT_DEADLINE) {
      ++kinds_[out.kind];
      if (out.kind == AMT_OUTPUT_OPEN_SOCKET) socket_ = out.socket;
      if (out.kind == AMT_OUTPUT_TRANSMIT) {
        const auto* octets = static_cast<const std::uint8_t*>(out.octets);
        sent.emplace_back(octets, octets + out.size);
      }
      for (std::size_t i = 0; i < out.packet_count; ++i) {
        text_.append(static_cast<const char*>(out.packets[i].payload), out.packets[i].octets);
        ++packets_;
      }
    }
    deadline_ = out.deadline_ns;
    for (const auto& message : sent) {
      amt_test_relay_receive(relay_.get(), now_, &kGateway, message.data(), message.size());
    }
    deliver();
  }
  void deliver() {
    amt_output out{};
    out.struct_size = sizeof out;
    while (amt_test_relay_poll(relay_.get(), now_, &out) == AMT_OK && out.kind == AMT_OUTPUT_TRANSMIT) {
      std::vector<std::uint8_t> octets(out.size);
      std::memcpy(octets.data(), out.octets, out.size);
      receive(octets);
      drain();
    }
  }
  void receive(std::vector<std::uint8_t>& octets) {
    const amt_datagram datagram{octets.data(), octets.size(), kRelay, 0};
    EXPECT_EQ(amt_core_receive(core_.get(), now_, socket_, &datagram, 1), AMT_OK);
  }
  std::size_t send(const char* text) {
    const amt_packet packet{text, std::strlen(text), kSource, kGroup, 0};
    std::size_t tunnels = 0;
    EXPECT_EQ(amt_test_relay_send(relay_.get(), now_, &packet, &tunnels), AMT_OK);
    return tunnels;
  }

  std::int64_t now_ = 1'000'000'000;
  SeededRandom random_{3};
  std::unique_ptr<amt_core, CloseCore> core_;
  std::unique_ptr<amt_test_relay, CloseRelay> relay_;
  std::map<amt_output_kind, int> kinds_;
  std::uint32_t socket_ = 0;
  std::int64_t deadline_ = 0;
  std::string text_;
  std::size_t packets_ = 0;
};

TEST_F(Core, ReceivesWhatItAskedForAndLeavesIt) {
  open();
  join();
  EXPECT_EQ(send("one"), 1U);
  deliver();
  EXPECT_EQ(send("two"), 1U);
  deliver();
  EXPECT_EQ(text_, "onetwo");
  amt_receiver_statistics statistics{};
  statistics.struct_size = sizeof statistics;
  EXPECT_EQ(amt_core_get_statistics(core_.get(), &statistics), AMT_OK);
  EXPECT_EQ(statistics.packets, 2U);
  EXPECT_EQ(statistics.octets, 6U);
  EXPECT_EQ(statistics.connected, 1);
  EXPECT_LT(deadline_, AMT_NO_DEADLINE);
  ASSERT_EQ(amt_core_shutdown(core_.get(), now_), AMT_OK);
  drain();
  EXPECT_EQ(send("three"), 0U) << "left";
  EXPECT_EQ(deadline_, AMT_NO_DEADLINE);
  EXPECT_GE(kinds_[AMT_OUTPUT_CLOSE_SOCKET], 1);
}

TEST_F(Core, AsksARelayThatDoesNotAnswerAgainAtItsDeadline) {
  open();
  relay_.reset(amt_test_relay_open(&kGateway, now_));
  join();
  const int sent = kinds_[AMT_OUTPUT_TRANSMIT];
  EXPECT_GT(deadline_, now_);
  now_ = deadline_;
  EXPECT_EQ(amt_core_timeout(core_.get(), now_), AMT_OK);
  drain();
  EXPECT_GE(kinds_[AMT_OUTPUT_TRANSMIT], sent);
}

TEST_F(Core, FindsARelayByAnycastWithoutADns) {
  amt_core_options options = AMT_CORE_OPTIONS_INIT;
  options.discover_order = "anycast";
  core_.reset(amt_core_open(&options, now_, nullptr));
  ASSERT_NE(core_, nullptr);
  drain();
  EXPECT_EQ(kinds_[AMT_OUTPUT_ASK_DNS], 0);
  EXPECT_EQ(kinds_[AMT_OUTPUT_ASK_SOURCE], 2);
}

TEST_F(Core, AllocatesNothingForAPacketInSteadyState) {
  open();
  join();
  send("first");
  deliver();
  send("next");
  amt_output out{};
  out.struct_size = sizeof out;
  ASSERT_EQ(amt_test_relay_poll(relay_.get(), now_, &out), AMT_OK);
  std::vector<std::uint8_t> octets(out.size);
  std::memcpy(octets.data(), out.octets, out.size);
  constexpr std::size_t kPackets = 1000;
  const auto receive_all = [&] {
    for (std::size_t i = 0; i < kPackets; ++i) {
      receive(octets);
      while (amt_core_poll(core_.get(), &out) == AMT_OK && out.kind != AMT_OUTPUT_DEADLINE)
        packets_ += out.packet_count;
    }
  };
  receive_all();
  const std::size_t before = packets_;
  const relay_test::AllocationCounter allocations;
  receive_all();
  EXPECT_EQ(allocations.calls(), 0U);
  EXPECT_EQ(packets_ - before, kPackets);
}

TEST_F(Core, RefusesWhatComesAtTheWrongTimeOrCannotBe) {
  open();
  EXPECT_EQ(amt_core_timeout(core_.get(), -1), AMT_ERROR_ARGUMENT);
  EXPECT_EQ(amt_core_timeout(core_.get(), AMT_TIME_MAX + 1), AMT_ERROR_ARGUMENT);
  EXPECT_EQ(amt_core_timeout(core_.get(), now_), AMT_OK);
  EXPECT_EQ(amt_core_timeout(core_.get(), now_), AMT_ERROR_ORDER) << "what it had to say was not polled";
  drain();
  EXPECT_EQ(amt_core_set_membership(core_.get(), now_, &kSource, AMT_INCLUDE, &kSource, 1), AMT_ERROR_ARGUMENT);
  EXPECT_EQ(amt_core_set_membership(core_.get(), now_, &kGroup, AMT_EXCLUDE, nullptr, 0), AMT_ERROR_ARGUMENT);
  EXPECT_EQ(amt_core_set_membership(core_.get(), now_, &kGroup, AMT_INCLUDE, &kGroup, 1), AMT_ERROR_ARGUMENT);
  amt_answer answer{};
  EXPECT_EQ(amt_core_answer(core_.get(), now_, &answer), AMT_ERROR_ARGUMENT) << "struct_size";
  answer.struct_size = sizeof answer;
  EXPECT_EQ(amt_core_answer(core_.get(), now_, &answer), AMT_ERROR_ARGUMENT) << "no kind";
  answer.kind = AMT_ANSWER_DNS;
  EXPECT_EQ(amt_core_answer(core_.get(), now_, &answer), AMT_OK) << "to what was not asked";
  drain();
  ASSERT_EQ(amt_core_shutdown(core_.get(), now_), AMT_OK);
  drain();
  EXPECT_EQ(amt_core_timeout(core_.get(), now_), AMT_ERROR_ORDER);
  amt_core_options options = AMT_CORE_OPTIONS_INIT;
  options.relay = "relay.example";
  amt_error error;
  EXPECT_EQ(amt_core_open(&options, now_, &error), nullptr);
  EXPECT_EQ(error.status, AMT_ERROR_NAME);
  EXPECT_NE(std::string(error.text).find("relay.example"), std::string::npos);
}

}  // namespace
}  // namespace amt
