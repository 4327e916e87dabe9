#pragma once
#include <string>

#include "sys/error.hh"

namespace amt {

/// A failed system call in a user's words: the purpose, the reason, and the remedy. One line.
[[nodiscard]] std::string explain(const SysError& error);

/// The mend for "I do not know this interface": the names there are, not too many of them.
[[nodiscard]] std::string interface_names();

}  // namespace amt
