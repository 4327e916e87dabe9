/// The seven AMT messages: parse and write.

#include <benchmark/benchmark.h>

#include <array>

#include "membership/message.hh"
#include "wire/message.hh"

namespace amt::wire {
namespace {

IpAddress address(std::uint32_t host_order) { return IpAddress::from_v4(host_order); }

const std::vector<std::byte>& report() {
  static const std::vector<std::byte> datagram = [] {
    const GroupRecord record{RecordType::kAllowNewSources, address(0xe8010203), {address(0xc633640a)}};
    return write_report(address(0), {&record, 1});
  }();
  return datagram;
}
const std::vector<std::byte>& query() {
  static const std::vector<std::byte> datagram = [] {
    GroupQuery general;
    general.group = IpAddress::unspecified(Family::kIpv4);
    general.query_interval = std::chrono::seconds(125);
    return write_query(address(0xc0000264), general);
  }();
  return datagram;
}

template <typename Message>
Message sample();
template <>
RelayDiscovery sample() {
  return {DiscoveryNonce{0x11223344}};
}
template <>
RelayAdvertisement sample() {
  return {DiscoveryNonce{0x11223344}, address(0xc0000264)};
}
template <>
Request sample() {
  return {.nonce = RequestNonce{0x55667788}};
}
template <>
MembershipQuery sample() {
  return {.mac = {},
          .nonce = RequestNonce{0x55667788},
          .gateway = GatewayFields{{address(0xc0000201), 51000}},
          .datagram = query()};
}
template <>
MembershipUpdate sample() {
  return {.mac = {}, .nonce = RequestNonce{0x55667788}, .datagram = report()};
}
template <>
Teardown sample() {
  return {.mac = {}, .nonce = RequestNonce{0x55667788}, .gateway = {{address(0xc0000201), 51000}}};
}

template <typename Message>
void write(benchmark::State& state) {
  const Message message = sample<Message>();
  std::array<std::byte, 256> buffer{};
  for (auto _ : state) {
    ByteWriter out(buffer);
    message.write(out);
    benchmark::DoNotOptimize(buffer);
  }
}

template <typename Message>
void parse(benchmark::State& state) {
  std::array<std::byte, 256> buffer{};
  ByteWriter out(buffer);
  sample<Message>().write(out);
  Bytes octets = out.output();
  for (auto _ : state) {
    benchmark::DoNotOptimize(octets);
    auto parsed = Message::parse(octets);
    if (!parsed) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parsed);
  }
}

void parse_multicast_data(benchmark::State& state) {
  std::array<std::byte, 1346> buffer{};
  buffer[0] = kDataHeader[0];
  Bytes octets = buffer;
  for (auto _ : state) {
    benchmark::DoNotOptimize(octets);
    auto parsed = MulticastData::parse(octets);
    if (!parsed) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parsed);
  }
}

BENCHMARK_TEMPLATE(parse, RelayDiscovery);
BENCHMARK_TEMPLATE(write, RelayDiscovery);
BENCHMARK_TEMPLATE(parse, RelayAdvertisement);
BENCHMARK_TEMPLATE(write, RelayAdvertisement);
BENCHMARK_TEMPLATE(parse, Request);
BENCHMARK_TEMPLATE(write, Request);
BENCHMARK_TEMPLATE(parse, MembershipQuery);
BENCHMARK_TEMPLATE(write, MembershipQuery);
BENCHMARK_TEMPLATE(parse, MembershipUpdate);
BENCHMARK_TEMPLATE(write, MembershipUpdate);
BENCHMARK_TEMPLATE(parse, Teardown);
BENCHMARK_TEMPLATE(write, Teardown);
// The relay writes its two octets in place.
BENCHMARK(parse_multicast_data);

}  // namespace
}  // namespace amt::wire
