/// How much more memory a relay has with so many tunnels, each with one group: prints octets.

#include <cstdio>
#include <fstream>
#include <string>

#include "arguments.hh"
#include "crowded_relay.hh"

namespace {

constexpr std::uint32_t kChannels = 1000;

/// VmRSS of /proc/self/status, in octets.
long long resident_octets() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    long long kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes * 1024;
  }
  amt::Arguments::fail("no VmRSS", "/proc/self/status");
}

}  // namespace

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 1, "TUNNELS");
  const auto tunnels = arguments.number<std::uint32_t>();
  const amt::CrowdedRelay none(0, kChannels);
  const long long before = resident_octets();
  const amt::CrowdedRelay many(tunnels, kChannels);
  std::printf("%lld\n", resident_octets() - before);
}
