#pragma once
#include <string_view>

namespace amt {

/// The version of this library and program: "1.2.3".
[[nodiscard]] std::string_view version();

}  // namespace amt
