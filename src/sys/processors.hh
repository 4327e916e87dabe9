#pragma once
#include <cstddef>

namespace amt {

/// Processors that this process may run on, at least 1.
[[nodiscard]] std::size_t processor_count();

}  // namespace amt
