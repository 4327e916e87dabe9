#pragma once
/// Success or a typed error. `tl::expected` until the compilers of the oldest
/// supported distribution have `std::expected` (g++ 12 and clang 14 do not).

#include <tl/expected.hpp>

namespace amt {

template <typename T, typename E>
using Result = tl::expected<T, E>;

template <typename E>
using Unexpected = tl::unexpected<E>;

}  // namespace amt
