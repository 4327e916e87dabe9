#pragma once
/// Octets in memory that cannot be changed any more, for another process.

#include <cstddef>
#include <vector>

#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// A memfd with all seals. It lives as long as a descriptor of it.
[[nodiscard]] SysResult<UniqueFd> seal_memory(Bytes octets);
/// The octets of one. Error EPERM: it is not sealed; EFBIG: more than `octets_max`.
[[nodiscard]] SysResult<std::vector<std::byte>> read_sealed_memory(int fd, std::size_t octets_max);

}  // namespace amt
