/// How much more memory a relay has with so many tunnels, each with one group: prints octets.

#include <cstdio>
#include <fstream>
#include <string>

#include "arguments.hh"
#include "busy_relay.hh"

namespace {

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
  const amt::BusyRelay none(0);
  const long long before = resident_octets();
  const amt::BusyRelay many(tunnels);
  std::printf("%lld\n", resident_octets() - before);
}
