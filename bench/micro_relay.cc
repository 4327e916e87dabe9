/// The relay's control messages: a Request and its Query, and Updates while many other tunnels stand.

#include <benchmark/benchmark.h>

#include <map>
#include <memory>

#include "cpu_time.hh"
#include "crowded_relay.hh"
#include "relay/response_mac.hh"

namespace amt {
namespace {

constexpr std::uint32_t kChannels = 1000;
// One Update takes about as long as reading the clock, so as many are timed together.
constexpr std::uint32_t kTimedTogether = 256;

/// A relay with so many tunnels, and visitors. Built once for each size.
struct Crowd {
  explicit Crowd(std::uint32_t tunnels) : relay(tunnels, kChannels) {
    for (std::uint32_t i = 0; i < kTimedTogether; ++i) visitors.push_back(relay.make_visitor(i, i));
  }
  static Crowd& of(std::int64_t tunnels) {
    static std::map<std::int64_t, std::unique_ptr<Crowd>> built;
    std::unique_ptr<Crowd>& crowd = built[tunnels];
    if (crowd == nullptr) crowd = std::make_unique<Crowd>(static_cast<std::uint32_t>(tunnels));
    return *crowd;
  }

  /// All visitors' messages of one kind. What CPU time that took.
  Duration take_all(Octets Visitor::*message) {
    const Duration start = cpu_time();
    for (const Visitor& visitor : visitors) relay.take(visitor.endpoint, visitor.*message);
    return cpu_time() - start;
  }

  CrowdedRelay relay;
  std::vector<Visitor> visitors;
};

void mac(benchmark::State& state) {
  const RelaySecret secret{};
  MacSubject subject{{IpAddress::from_v4(std::uint32_t{0xc0000201}), 51000}, {0x55667788}};
  for (auto _ : state) {
    ++subject.nonce.value;
    benchmark::DoNotOptimize(response_mac(secret, subject));
  }
}
BENCHMARK(mac);

void request_to_query(benchmark::State& state) {
  CrowdedRelay& relay = Crowd::of(state.range(0)).relay;
  const TunnelEndpoint endpoint{{IpAddress::from_v4(std::uint32_t{0x0c000001}), 40000}};
  const Octets request = relay_test::request(0x55667788);
  for (auto _ : state) relay.take(endpoint, request);
}
BENCHMARK(request_to_query)->Arg(10)->Arg(10'000)->Arg(1'000'000);

/// Times `timed`; `before` and `after` bring the visitors there and back.
void updates(benchmark::State& state, Octets Visitor::*before, Octets Visitor::*timed, Octets Visitor::*after) {
  Crowd& crowd = Crowd::of(state.range(0));
  for (auto _ : state) {
    if (before != nullptr) crowd.take_all(before);
    state.SetIterationTime(std::chrono::duration<double>(crowd.take_all(timed)).count());
    if (after != nullptr) crowd.take_all(after);
  }
  // What `each` says is the time of one.
  state.counters["each"] =
      benchmark::Counter(kTimedTogether, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
void update_join(benchmark::State& state) { updates(state, nullptr, &Visitor::join, &Visitor::leave); }
void update_refresh_same_nonce(benchmark::State& state) {
  updates(state, &Visitor::join, &Visitor::refresh, &Visitor::leave);
}
void update_refresh_new_nonce(benchmark::State& state) {
  updates(state, &Visitor::join, &Visitor::refresh_anew, &Visitor::leave);
}
void update_leave(benchmark::State& state) { updates(state, &Visitor::join, &Visitor::leave, nullptr); }
BENCHMARK(update_join)->UseManualTime()->Arg(10)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(update_refresh_same_nonce)->UseManualTime()->Arg(10)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(update_refresh_new_nonce)->UseManualTime()->Arg(10)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(update_leave)->UseManualTime()->Arg(10)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace amt
