#pragma once
#include <cstdint>

#include "base/byte_reader.hh"

namespace amt {

/// CRC-32C (Castagnoli, RFC 3720 §12.1) of `bytes`; `crc`: of the octets before them.
[[nodiscard]] std::uint32_t crc32c(Bytes bytes, std::uint32_t crc = 0);

}  // namespace amt
