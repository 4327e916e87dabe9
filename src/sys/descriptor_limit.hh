#pragma once
/// How many descriptors this process may have.

#include <cstddef>

namespace amt {

/// Raises the limit as far as the process may, to `wanted` or more. What it is then.
std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace amt
