#pragma once
#include <string_view>

namespace amt {

/// The commit that this program was built of, in hexadecimal digits; `+` follows where files were changed. Empty: it is
/// not known. cmake/write_commit.cmake writes the definition.
[[nodiscard]] std::string_view commit();

}  // namespace amt
