#include "sys/stable_mac.hh"

#include <sys/stat.h>
#include <sys/utsname.h>

#include <cstdint>

#include "sys/machine_identity.hh"

namespace amt {
namespace {

std::string machine() {
  if (std::optional<std::string> identity = machine_identity()) return *identity;
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "";
}

std::string network_namespace() {
  struct stat status {};
  return ::stat("/proc/thread-self/ns/net", &status) == 0 ? std::to_string(status.st_ino) : "";
}

/// FNV-1a: spreads well, and hides nothing that matters.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
}

}  // namespace

MacAddress stable_mac(const std::string& interface) {
  std::uint64_t value = hash(machine() + '\n' + network_namespace() + '\n' + interface);
  MacAddress mac{};
  for (std::byte& octet : mac) {
    octet = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
  // IEEE 802: bit 0 of the first octet says "group", bit 1 "locally administered".
  mac[0] = (mac[0] & std::byte{0xfc}) | std::byte{0x02};
  return mac;
}

}  // namespace amt
