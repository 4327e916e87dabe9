/// What a data packet costs the relay before it is sent: one look-up, whatever the number of channels.

#include <benchmark/benchmark.h>

#include <vector>

#include "base/random.hh"
#include "forward/replication_table.hh"

namespace amt {
namespace {

const IpAddress kSource = IpAddress::from_v4(std::uint32_t{0xc633640a});

IpAddress group(std::uint64_t number) { return IpAddress::from_v4(static_cast<std::uint32_t>(0xe8000001 + number)); }

/// In an order that no prefetcher guesses.
std::vector<IpAddress> shuffled_groups(std::uint64_t channels, std::uint64_t first) {
  SeededRandom random(1);
  std::vector<IpAddress> groups;
  for (int i = 0; i < 4096; ++i) groups.push_back(group(first + random.below(channels)));
  return groups;
}

void look_up(benchmark::State& state, bool wanted) {
  const auto channels = static_cast<std::uint64_t>(state.range(0));
  ReplicationTable table;
  for (std::uint64_t i = 0; i < channels; ++i) {
    table.apply(TunnelId{static_cast<std::uint32_t>(i)}, {group(i), {}, {FilterMode::kInclude, {kSource}}});
  }
  const std::vector<IpAddress> groups = shuffled_groups(channels, wanted ? 0 : channels);
  std::size_t next = 0;
  for (auto _ : state) {
    const ReplicationTargets targets = table.find(kSource, groups[next++ % groups.size()]);
    if (targets.empty() == wanted) state.SkipWithError("wrong answer");
    benchmark::DoNotOptimize(targets);
  }
}
BENCHMARK_CAPTURE(look_up, wanted, true)->Arg(1)->Arg(100)->Arg(10'000);
BENCHMARK_CAPTURE(look_up, nobody, false)->Arg(1)->Arg(100)->Arg(10'000);

/// One tunnel comes and goes in a table of many, 1000 to a channel.
void publish(benchmark::State& state) {
  const auto tunnels = static_cast<std::uint32_t>(state.range(0));
  const SourceFilter wanted{FilterMode::kInclude, {kSource}};
  constexpr std::uint32_t kEach = 1000;
  ReplicationTable table(KeyedHash(), {});
  for (std::uint32_t i = 0; i < tunnels; ++i) table.apply(TunnelId{i}, {group(i / kEach), {}, wanted});
  const std::vector<IpAddress> groups = shuffled_groups((tunnels + kEach - 1) / kEach, 0);
  std::size_t next = 0;
  for (auto _ : state) {
    const IpAddress& one = groups[next++ % groups.size()];
    table.apply(TunnelId{tunnels}, {one, {}, wanted});
    table.apply(TunnelId{tunnels}, {one, wanted, {}});
    benchmark::DoNotOptimize(table.poll_change());
  }
}
BENCHMARK(publish)->Arg(10)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace amt
