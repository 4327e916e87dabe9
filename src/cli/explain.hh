#pragma once
#include <string>

#include "sys/error.hh"

namespace amt {

/// A failed system call in a user's words: what was wanted, why it failed, and what mends it. One line.
[[nodiscard]] std::string explain(const SysError& error);

/// The mend for "I do not know this interface": the names there are, not too many of them.
[[nodiscard]] std::string interface_names();

}  // namespace amt
