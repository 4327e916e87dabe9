#pragma once
/// Text from outside on its way to a person's terminal or log.

#include <cstddef>
#include <string>
#include <string_view>

namespace amt {

/// `text` without anything that a terminal obeys: control characters (C0, DEL, and C1 as UTF-8) and octets that are no
/// UTF-8 become `\xNN`. Longer than `octets_max`: cut, and `...` appended.
[[nodiscard]] std::string printable(std::string_view text, std::size_t octets_max = 4096);

}  // namespace amt
