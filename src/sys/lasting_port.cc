#include "sys/lasting_port.hh"

#include <sodium.h>
#include <systemd/sd-id128.h>

#include <array>

#include "sys/machine_identity.hh"

namespace amt {

namespace {
/// Makes of the machine's identity one that is only ours; any constant will do.
constexpr sd_id128_t kApplication = SD_ID128_ARRAY(6b, 1f, 0a, 4e, 93, 27, 4d, c8, b5, 70, e2, 19, 8d, 46, fc, 31);
constexpr std::uint16_t kDynamicFirst = 49152;
constexpr std::uint16_t kDynamicPorts = 16384;
}  // namespace

std::optional<std::uint16_t> lasting_port(std::string_view purpose) {
  sd_id128_t secret{};
  if (sd_id128_get_machine_app_specific(kApplication, &secret) < 0) {
    const std::optional<std::string> identity = machine_identity();
    if (!identity) return std::nullopt;
    crypto_generichash(secret.bytes, sizeof secret.bytes, reinterpret_cast<const unsigned char*>(identity->data()),
                       identity->size(), kApplication.bytes, sizeof kApplication.bytes);
  }
  static_assert(sizeof(secret.bytes) == crypto_shorthash_KEYBYTES);
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), secret.bytes);
  const unsigned folded = static_cast<unsigned>(hash[0]) << 8 | hash[1];
  return static_cast<std::uint16_t>(kDynamicFirst + folded % kDynamicPorts);
}

}  // namespace amt
