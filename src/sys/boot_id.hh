#pragma once
#include <array>
#include <cstddef>

#include "sys/error.hh"

namespace amt {

/// Of this boot of the machine: the clock of another one means nothing here.
[[nodiscard]] SysResult<std::array<std::byte, 16>> boot_id();

}  // namespace amt
