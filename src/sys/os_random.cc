#include "sys/os_random.hh"

#include <sodium.h>

#include "base/assert.hh"

namespace amt {

OsRandom::OsRandom() {
  // -1 only where the kernel has no source of randomness at all; 1 when someone else initialised it before.
  AMT_ASSERT(sodium_init() >= 0);
}

void OsRandom::fill(std::span<std::byte> out) { randombytes_buf(out.data(), out.size()); }

}  // namespace amt
