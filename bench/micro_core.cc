/// What an accepted packet costs through the core of libamt, by its C face, against copying its payload and summing
/// that once.

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <vector>

#include "amt/core.h"
#include "amt/test_relay.h"
#include "ip/checksum.hh"

namespace amt {
namespace {

/// As one call of recvmmsg(2) brings.
constexpr std::size_t kBatch = 64;
constexpr std::size_t kPayloadOctets = 1316;

constexpr amt_endpoint endpoint(std::array<std::uint8_t, 4> octets, std::uint16_t port) {
  return {{octets[0], octets[1], octets[2], octets[3]}, 4, port};
}
constexpr amt_endpoint kRelay = endpoint({192, 0, 2, 1}, 2268);
constexpr amt_endpoint kGateway = endpoint({10, 0, 0, 1}, 40'000);
constexpr amt_endpoint kSource = endpoint({198, 51, 100, 10}, 1000);
constexpr amt_endpoint kGroup = endpoint({232, 1, 1, 1}, 5000);

/// A core that a relay in memory has granted one channel, and a batch of that channel's packets.
class JoinedCore {
 public:
  JoinedCore() {
    amt_core_options options = AMT_CORE_OPTIONS_INIT;
    options.relay = "192.0.2.1";
    core = amt_core_open(&options, 0, nullptr);
    relay_ = amt_test_relay_open(&kRelay, 0);
    drain();
    amt_core_set_membership(core, 0, &kGroup, AMT_INCLUDE, &kSource, 1);
    drain();
    amt_packet packet{};
    const std::array<std::uint8_t, kPayloadOctets> payload{};
    packet.payload = payload.data();
    packet.octets = payload.size();
    packet.source = kSource;
    packet.group = kGroup;
    amt_test_relay_send(relay_, 0, &packet, nullptr);
    amt_output out{};
    out.struct_size = sizeof out;
    amt_test_relay_poll(relay_, 0, &out);
    octets_.resize(kBatch);
    for (auto& one : octets_) {
      const auto* const message = static_cast<const std::uint8_t*>(out.octets);
      one.assign(message, message + out.size);
      batch.push_back({one.data(), one.size(), kRelay, 0});
    }
  }
  JoinedCore(const JoinedCore&) = delete;
  JoinedCore& operator=(const JoinedCore&) = delete;
  ~JoinedCore() {
    amt_core_close(core);
    amt_test_relay_close(relay_);
  }

  amt_core* core = nullptr;
  std::uint32_t socket = 0;
  std::vector<amt_datagram> batch;

 private:
  void drain() {
    amt_output out{};
    out.struct_size = sizeof out;
    while (amt_core_poll(core, &out) == AMT_OK && out.kind != AMT_OUTPUT_DEADLINE) {
      if (out.kind == AMT_OUTPUT_OPEN_SOCKET) socket = out.socket;
      if (out.kind == AMT_OUTPUT_TRANSMIT) amt_test_relay_receive(relay_, 0, &kGateway, out.octets, out.size);
    }
    while (amt_test_relay_poll(relay_, 0, &out) == AMT_OK && out.kind == AMT_OUTPUT_TRANSMIT) {
      std::vector<std::uint8_t> message(out.size);
      std::memcpy(message.data(), out.octets, out.size);
      const amt_datagram datagram{message.data(), message.size(), kRelay, 0};
      amt_core_receive(core, 0, socket, &datagram, 1);
      drain();
    }
  }

  amt_test_relay* relay_ = nullptr;
  std::vector<std::vector<std::uint8_t>> octets_;
};

void core_packets(benchmark::State& state) {
  JoinedCore joined;
  amt_output out{};
  out.struct_size = sizeof out;
  std::size_t packets = 0;
  std::size_t asked = 0;
  for (auto _ : state) {
    amt_core_receive(joined.core, 0, joined.socket, joined.batch.data(), joined.batch.size());
    while (amt_core_poll(joined.core, &out) == AMT_OK && out.kind != AMT_OUTPUT_DEADLINE) packets += out.packet_count;
    asked += kBatch;
  }
  if (packets != asked) state.SkipWithError("refused");
  state.counters["each"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(core_packets);

void copy_and_checksum(benchmark::State& state) {
  std::vector<std::array<std::byte, kPayloadOctets>> from(kBatch);
  std::vector<std::array<std::byte, kPayloadOctets>> to(kBatch);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      std::memcpy(to[i].data(), from[i].data(), kPayloadOctets);
      benchmark::DoNotOptimize(internet_checksum(to[i]));
    }
  }
  state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations()) * kBatch,
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(copy_and_checksum);

}  // namespace
}  // namespace amt
