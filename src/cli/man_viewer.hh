#pragma once
#include <string>

namespace amt {

/// Shows a man page to a person: by man(1), which takes its pager, else by groff(1), else `plain`. Exit status.
[[nodiscard]] int show_man_page(const std::string& roff, const std::string& plain);

}  // namespace amt
