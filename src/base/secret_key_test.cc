#include "base/secret_key.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace amt {
namespace {

/// What the kernel says of the mapping that holds `address` (`VmFlags` of proc_pid_smaps(5)).
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

TEST(SecretKey, IsInNoCoreDump) {
  const SecretKey key;
  const std::string flags = flags_of(key.data());
  if (flags.empty()) GTEST_SKIP() << "this kernel does not tell of its mappings";
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
}

TEST(SecretKey, BeginsWithZerosAndIsCopiedOctetByOctet) {
  SecretKey key;
  EXPECT_TRUE(std::ranges::all_of(key.octets(), [](std::byte octet) { return octet == std::byte{0}; }));
  key.octets()[3] = std::byte{7};
  const SecretKey copy = key;
  SecretKey assigned;
  assigned = copy;
  EXPECT_TRUE(std::ranges::equal(assigned.octets(), key.octets()));
  EXPECT_NE(assigned.data(), key.data());
}

}  // namespace
}  // namespace amt
