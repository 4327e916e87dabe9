#pragma once
/// The steady pace of the programs that send: the same arguments and the same output for each.

#include <unistd.h>

#include <cstdio>

#include "arguments.hh"
#include "cpu_time.hh"
#include "sys/clock.hh"

namespace amt {

/// Each of `channels` has `each` destinations, `octets` are in a datagram. Every `pause` the next `channels_at_once`
/// channels send `at_once` datagrams to each of their destinations; `times` times.
struct PacedLoad {
  static constexpr char kUsage[] = "CHANNELS EACH OCTETS AT_ONCE CHANNELS_AT_ONCE PAUSE_NANOSECONDS TIMES";
  static constexpr std::size_t kArguments = 7;
  /// Whatever happens, the program ends.
  static constexpr unsigned kSecondsMax = 60;

  static PacedLoad take(Arguments& arguments) {
    PacedLoad load;
    load.channels = arguments.number<std::uint16_t>();
    load.each = arguments.number<std::uint16_t>();
    load.octets = arguments.number<std::uint16_t>();
    load.at_once = arguments.number<std::uint32_t>();
    load.channels_at_once = arguments.number<std::uint32_t>();
    load.pause = std::chrono::nanoseconds(arguments.number<std::uint32_t>());
    load.times = arguments.number<std::uint32_t>();
    if (load.channels == 0 || load.each == 0 || load.at_once == 0) Arguments::fail("usage", kUsage);
    return load;
  }

  [[nodiscard]] std::uint32_t destinations() const { return std::uint32_t{channels} * each; }

  /// `send(first)` for each channel whose turn it is: to `each` destinations from `first` on. `flush()` after those of
  /// one time. `failed()`: datagrams that could not be sent. Prints: datagrams sent, how many of them failed,
  /// nanoseconds of CPU and of wall clock that it took.
  template <typename Send, typename Flush, typename Failed>
  void run(const Send& send, const Flush& flush, const Failed& failed) const {
    ::alarm(kSecondsMax);
    const Duration cpu_before = cpu_time();
    const Instant start = monotonic_now();
    Instant due = start;
    std::size_t channel = 0;
    for (std::uint32_t time = 0; time < times; ++time, due += pause) {
      sleep_until(due);
      for (std::uint32_t i = 0; i < channels_at_once; ++i, channel = (channel + 1) % channels) send(channel * each);
      flush();
    }
    const Duration cpu = cpu_time() - cpu_before;
    const Duration wall = monotonic_now() - start;
    const std::uint64_t sent = std::uint64_t{times} * channels_at_once * at_once * each;
    std::printf("%llu %llu %lld %lld\n", static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(failed()), static_cast<long long>(cpu.count()),
                static_cast<long long>(wall.count()));
  }

  std::uint16_t channels = 0;
  std::uint16_t each = 0;
  std::uint16_t octets = 0;
  std::uint32_t at_once = 0;
  std::uint32_t channels_at_once = 0;
  Duration pause{};
  std::uint32_t times = 0;
};

}  // namespace amt
