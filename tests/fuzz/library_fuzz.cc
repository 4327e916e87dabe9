/// libamt by its C face: any call, in any order, with any argument that a caller can pass. No crash, no leak, no end of
/// the process, no more memory than the bound; a core's outputs are what amt/core.h says of them.
///
/// Operations are the octets of the input. Receivers are opened with arguments that are refused, and none with sockets.

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hh"
#include "amt/core.h"
#include "amt/test_relay.h"
#include "base/assert.hh"
#include "base/random.hh"
#include "fuzz_target.hh"
#include "library_arguments.hh"

namespace amt {
namespace {

using fuzz::next_bytes;
using fuzz::next_u16;
using fuzz::next_u8;

constexpr int kOperationsMax = 48;
constexpr int kOutputsMax = 200;
constexpr std::size_t kMessagesKept = 16;

class Calls {
 public:
  explicit Calls(ByteReader in) : in_(in) { relay_ = amt_test_relay_open(&kRelay, 0); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  ~Calls() {
    amt_core_close(core_);
    amt_test_relay_close(relay_);
  }

  void run() {
    open(next_u8(in_));
    for (int i = 0; i < kOperationsMax && in_.has(1); ++i) operate(next_u8(in_));
  }

 private:
  void operate(std::uint8_t operation) {
    const unsigned detail = operation / 16U;
    switch (operation % 16) {
      case 0:
        return set_membership(detail);
      case 1:
        return join();
      case 2:
      case 3:
        return poll_all();
      case 4:
        static_cast<void>(poll_one());
        return;
      case 5:
      case 6:
        return exchange();
      case 7:
        return send(detail);
      case 8:
        return receive_junk();
      case 9:
        return pass_time(detail);
      case 10:
        return answer(detail);
      case 11:
        return answer_questions(detail);
      case 12:
        return look();
      case 13:
        return check_null_calls(core_, now_);
      case 14:
        if (detail == 0) static_cast<void>(amt_core_shutdown(core_, now_));
        return open_receiver(detail);
      case 15:
        if (detail == 0) return open(next_u8(in_));
        if (detail == 1) restart_relay();
        return relay_junk();
    }
  }

  void open(std::uint8_t kind) {
    amt_core_close(core_);
    sockets_.clear();
    questions_.clear();
    amt_core_options options = AMT_CORE_OPTIONS_INIT;
    options.fill_random = fill_seeded;
    options.random_context = &random_;
    options.reads_ecn = kind & 1;
    if (kind % 4 < 2) options.relay = "192.0.2.1";
    if (kind % 8 == 3) options.discovery = "192.0.2.1";
    if (kind >= 200) {
      options.relay = arguments_.text();
      const std::string kept = options.relay == nullptr ? "" : options.relay;
      if (options.relay != nullptr) options.relay = kept.c_str();
      options.discover_order = arguments_.text();
      options.struct_size = kind >= 240 ? next_u8(in_) % (sizeof options + 1) : sizeof options;
      // Without its callback the system's generator makes the input's run another each time.
      if (options.struct_size < sizeof options) options.struct_size = 0;
      core_ = amt_core_open(&options, now_, kind % 2 == 0 ? &error_ : nullptr);
    } else {
      core_ = amt_core_open(&options, now_, nullptr);
      AMT_ASSERT(core_ != nullptr);
    }
    poll_all();
  }

  void set_membership(unsigned detail) {
    std::array<amt_endpoint, 3> sources{arguments_.endpoint(), arguments_.endpoint(), arguments_.endpoint()};
    const amt_endpoint group = arguments_.endpoint();
    const std::size_t count = detail % 4;
    static_cast<void>(amt_core_set_membership(core_, now_, &group, static_cast<amt_filter_mode>(detail / 4 % 3),
                                              detail == 15 ? nullptr : sources.data(),
                                              detail == 14 ? SIZE_MAX : count));
  }
  void join() { static_cast<void>(amt_core_set_membership(core_, now_, &kGroup, AMT_INCLUDE, &kSource, 1)); }

  void poll_all() {
    for (int outputs = 0; core_ != nullptr; ++outputs) {
      AMT_ASSERT(outputs < kOutputsMax);
      if (!poll_one()) return;
    }
  }
  /// False: nothing more.
  bool poll_one() {
    amt_output out{};
    out.struct_size = sizeof out;
    if (amt_core_poll(core_, &out) != AMT_OK) return false;
    AMT_ASSERT(out.struct_size == sizeof out);
    handle(out);
    return out.kind != AMT_OUTPUT_DEADLINE;
  }
  void handle(const amt_output& out) {
    switch (out.kind) {
      case AMT_OUTPUT_DEADLINE:
        deadline_ = out.deadline_ns;
        return;
      case AMT_OUTPUT_PACKETS:
        AMT_ASSERT(out.packet_count != 0);
        for (std::size_t i = 0; i < out.packet_count; ++i) {
          AMT_ASSERT(out.packets[i].group.length == out.packets[i].source.length);
          const auto* const octets = static_cast<const std::uint8_t*>(out.packets[i].payload);
          for (std::size_t k = 0; k < out.packets[i].octets; ++k) sum_ += octets[k];
        }
        return;
      case AMT_OUTPUT_TRANSMIT: {
        AMT_ASSERT(sockets_.contains(out.socket) && out.size != 0 && out.endpoint.length != 0);
        const auto* const octets = static_cast<const std::uint8_t*>(out.octets);
        if (sent_.size() < kMessagesKept) sent_.emplace_back(octets, octets + out.size);
        socket_ = out.socket;
        return;
      }
      case AMT_OUTPUT_OPEN_SOCKET:
        AMT_ASSERT(sockets_.insert(out.socket).second && out.endpoint.length != 0);
        return;
      case AMT_OUTPUT_CLOSE_SOCKET:
        AMT_ASSERT(sockets_.erase(out.socket) == 1);
        return;
      case AMT_OUTPUT_ASK_DNS:
        AMT_ASSERT(out.text != nullptr && out.text[0] != 0);
        questions_.push_back(out.question);
        return;
      case AMT_OUTPUT_ASK_SOURCE:
        destinations_.push_back(out.endpoint);
        return;
      case AMT_OUTPUT_ASK_DOMAINS:
        return;
      case AMT_OUTPUT_RELAY:
        AMT_ASSERT(out.endpoint.length != 0);
        return;
      case AMT_OUTPUT_EVENT:
        AMT_ASSERT(out.text != nullptr && std::strlen(out.text) > 0);
        return;
    }
    AMT_ASSERT(false);
  }

  /// What was sent reaches the relay, and what that says the core.
  void exchange() {
    for (const auto& message : std::exchange(sent_, {})) {
      static_cast<void>(amt_test_relay_receive(relay_, now_, &kGateway, message.data(), message.size()));
    }
    deliver();
  }
  void deliver() {
    amt_output out{};
    out.struct_size = sizeof out;
    for (int i = 0; i < kOutputsMax; ++i) {
      if (amt_test_relay_poll(relay_, now_, &out) != AMT_OK || out.kind != AMT_OUTPUT_TRANSMIT) return;
      std::vector<std::uint8_t> octets(out.size);
      std::memcpy(octets.data(), out.octets, out.size);
      const amt_datagram datagram{octets.data(), octets.size(), kRelay, 1};
      static_cast<void>(amt_core_receive(core_, now_, socket_, &datagram, 1));
      poll_all();
    }
  }
  void send(unsigned detail) {
    const Bytes payload = next_bytes(in_, next_u8(in_));
    amt_packet packet{payload.data(), payload.size(), kSource, kGroup, 0};
    if (detail > 12) packet.group = arguments_.endpoint();
    static_cast<void>(amt_test_relay_send(relay_, now_, &packet, nullptr));
    deliver();
  }
  void receive_junk() {
    const Bytes junk = next_bytes(in_, next_u8(in_));
    std::vector<std::byte> octets(junk.begin(), junk.end());
    const amt_datagram datagram{octets.data(), octets.size(), arguments_.endpoint(), next_u8(in_)};
    const std::uint32_t socket = next_u8(in_) < 200 ? socket_ : next_u16(in_);
    static_cast<void>(amt_core_receive(core_, now_, socket, &datagram, 1));
    poll_all();
  }
  void relay_junk() {
    const Bytes junk = next_bytes(in_, next_u8(in_));
    const amt_endpoint from = arguments_.endpoint();
    static_cast<void>(amt_test_relay_receive(relay_, now_, &from, junk.data(), junk.size()));
    deliver();
  }
  void restart_relay() {
    amt_test_relay_close(relay_);
    relay_ = amt_test_relay_open(&kRelay, now_);
    AMT_ASSERT(relay_ != nullptr);
  }

  void pass_time(unsigned detail) {
    std::int64_t at = now_;
    if (detail < 8 && deadline_ != AMT_NO_DEADLINE) at = std::max(now_, deadline_);
    if (detail >= 8) at += std::int64_t{next_u16(in_)} * 10'000'000;
    if (detail == 13) at = -1;
    if (detail == 14) at = now_ - 1'000'000'000;
    if (detail == 15) at = next_u8(in_) == 255 ? AMT_TIME_MAX : INT64_MAX;
    const amt_status status = amt_core_timeout(core_, at);
    if (status == AMT_OK) now_ = std::max(now_, at);
    poll_all();
  }

  void answer(unsigned detail) {
    amt_answer answer{};
    answer.struct_size = detail == 15 ? next_u8(in_) % 8U : sizeof answer;
    answer.kind = static_cast<amt_answer_kind>(next_u8(in_) % 9);
    answer.socket = next_u8(in_) < 128 ? socket_ : next_u8(in_);
    answer.question = next_u8(in_);
    answer.endpoint = arguments_.endpoint();
    answer.source = arguments_.endpoint();
    if (next_u8(in_) < 64) answer.source.length = 0;
    answer.ttl_seconds = next_u16(in_);
    answer.dnssec = static_cast<amt_dnssec>(next_u8(in_) % 5);
    answer.denied = next_u8(in_) % 2;
    answer.text = arguments_.text();
    const char* const names[] = {"example.net", answer.text};
    const Bytes octets = next_bytes(in_, next_u8(in_) % 64U);
    const amt_record records[] = {{octets.data(), octets.size()}, {nullptr, detail == 3 ? 1U : 0U}};
    answer.names = detail == 1 ? nullptr : names;
    answer.records = detail == 2 ? nullptr : records;
    answer.count = detail == 4 ? SIZE_MAX : next_u8(in_) % 3U;
    static_cast<void>(amt_core_answer(core_, now_, &answer));
  }
  /// What was asked is answered, rightly or not.
  void answer_questions(unsigned detail) {
    for (const amt_endpoint& destination : std::exchange(destinations_, {})) {
      amt_answer answer{};
      answer.struct_size = sizeof answer;
      answer.kind = AMT_ANSWER_SOURCE;
      answer.endpoint = destination;
      if (detail % 2 == 0) answer.source = kGateway;
      static_cast<void>(amt_core_answer(core_, now_, &answer));
    }
    for (const std::uint64_t question : std::exchange(questions_, {})) {
      amt_answer answer{};
      answer.struct_size = sizeof answer;
      answer.kind = AMT_ANSWER_DNS;
      answer.question = question;
      // AMTRELAY: precedence 10, no Discovery, type 1, 192.0.2.1 (RFC 8777 §4.2).
      static constexpr std::array<std::uint8_t, 6> kAmtRelay{10, 0x81, 192, 0, 2, 1};
      const Bytes octets = next_bytes(in_, next_u8(in_) % 64U);
      const amt_record record =
          detail % 2 == 0 ? amt_record{kAmtRelay.data(), kAmtRelay.size()} : amt_record{octets.data(), octets.size()};
      answer.records = &record;
      answer.count = 1;
      answer.ttl_seconds = 60;
      static_cast<void>(amt_core_answer(core_, now_, &answer));
    }
    poll_all();
  }

  void look() {
    amt_receiver_statistics statistics{};
    statistics.struct_size = next_u8(in_) % (sizeof statistics + 8);
    const amt_status status = amt_core_get_statistics(core_, &statistics);
    AMT_ASSERT(status != AMT_OK || statistics.struct_size <= sizeof statistics);
    std::array<char, 16> reason{};
    const std::size_t size = next_u8(in_) % (reason.size() + 1);
    AMT_ASSERT(amt_core_silence_reason(core_, reason.data(), size) > 0);
    AMT_ASSERT(size == 0 || std::memchr(reason.data(), 0, size) != nullptr);
    AMT_ASSERT(amt_status_text(static_cast<amt_status>(next_u8(in_)))[0] != 0);
    AMT_ASSERT(amt_error_text(&error_) != nullptr);
  }
  /// A URL without a scheme is refused before there is a socket.
  void open_receiver(unsigned detail) {
    const char* const rest = arguments_.text();
    const std::string url = std::string("http:") + (rest == nullptr ? "" : rest);
    // A newer caller's struct has more members.
    struct {
      amt_receiver_options known = AMT_RECEIVER_OPTIONS_INIT;
      std::array<std::uint8_t, 256> more{};
    } options;
    options.known.relay = arguments_.text();
    if (detail == 1) {
      options.known.struct_size = next_u8(in_);
      options.more.front() = next_u8(in_);
    }
    AMT_ASSERT(amt_receiver_open(detail == 2 ? nullptr : url.c_str(), &options.known, &error_) == nullptr);
    AMT_ASSERT(error_.status != AMT_OK && error_.text[0] != 0);
  }

  ByteReader in_;
  Arguments arguments_{in_};
  SeededRandom random_{1};
  amt_core* core_ = nullptr;
  amt_test_relay* relay_ = nullptr;
  amt_error error_{};
  std::int64_t now_ = 0;
  std::int64_t deadline_ = AMT_NO_DEADLINE;
  std::uint32_t socket_ = 1;
  std::set<std::uint32_t> sockets_;
  std::vector<std::vector<std::uint8_t>> sent_;
  std::vector<std::uint64_t> questions_;
  std::vector<amt_endpoint> destinations_;
  unsigned sum_ = 0;
};

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amt::fuzz::Allocations memory;
  amt::Calls(amt::ByteReader(amt::fuzz::input(data, size))).run();
  // The tables of the command line are made once.
  constexpr std::size_t kOctetsOnceMax = 4 << 20;
  AMT_ASSERT(memory.held() <= kOctetsOnceMax);
  return 0;
}
