#include <benchmark/benchmark.h>

#include <vector>

#include "ip/checksum.hh"

namespace amt {
namespace {

void checksum(benchmark::State& state) {
  const std::vector<std::byte> octets(static_cast<std::size_t>(state.range(0)), std::byte{0x5a});
  for (auto _ : state) {
    benchmark::DoNotOptimize(octets.data());
    benchmark::DoNotOptimize(internet_checksum(octets));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
// An IPv4 header, the payload of seven MPEG-TS packets, the largest merged datagram.
BENCHMARK(checksum)->Arg(20)->Arg(1316)->Arg(65'507);

}  // namespace
}  // namespace amt
