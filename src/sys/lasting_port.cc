#include "sys/lasting_port.hh"

#include <sodium.h>

#include <array>

#include "sys/machine_identity.hh"

namespace amt {

namespace {
/// Makes of the machine's identity one that is only ours; any constant will do.
constexpr std::array<unsigned char, 16> kApplication{0x6b, 0x1f, 0x0a, 0x4e, 0x93, 0x27, 0x4d, 0xc8,
                                                     0xb5, 0x70, 0xe2, 0x19, 0x8d, 0x46, 0xfc, 0x31};
constexpr std::uint16_t kDynamicFirst = 49152;
constexpr std::uint16_t kDynamicPorts = 16384;
}  // namespace

std::optional<std::uint16_t> lasting_port(std::string_view purpose) {
  const std::optional<std::string> identity = machine_identity();
  if (!identity) return std::nullopt;
  std::array<unsigned char, crypto_shorthash_KEYBYTES> secret{};
  crypto_generichash(secret.data(), secret.size(), reinterpret_cast<const unsigned char*>(identity->data()),
                     identity->size(), kApplication.data(), kApplication.size());
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), secret.data());
  const unsigned folded = static_cast<unsigned>(hash[0]) << 8 | hash[1];
  return static_cast<std::uint16_t>(kDynamicFirst + folded % kDynamicPorts);
}

}  // namespace amt
